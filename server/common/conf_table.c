/*
 * THE table of settings. A new setting is one row here and one member of struct conf: the parser,
 * the checks, -T, /config, the sample file and the manual page are made of the rows.
 *
 * Defaults are written as people write them, and read by the same code. What is not reloadable is
 * bound to the listening sockets, which the supervisor opens once.
 */
#include "common/conf_table.h"

#include "common/log.h"

static const char *const yes_no[] = {"no", "yes", NULL};
static const char *const demo_words[] = {
    [DEMO_AUTO] = "auto", [DEMO_NO] = "no", [DEMO_YES] = "yes", NULL};
static const char *const auto_word[] = {"auto", NULL};
static const char *const spread_words[] = {"spread", "none", NULL};
static const char *const any_word[] = {"any", NULL};
static const char *const run_words[] = {
    [RUN_WORKERS] = "workers", [RUN_LOOP] = "loop", [RUN_LOOP_BLOCKING] = "loop-blocking", NULL};
static const char *const sync_words[] = {[SYNC_TURN] = "turn", [SYNC_QUERY] = "query", NULL};
static const char *const level_words[] = {[LOG_ERROR] = "error",
                                          [LOG_WARN] = "warning",
                                          [LOG_INFO] = "info",
                                          [LOG_DEBUG] = "debug",
                                          NULL};

#define AT(member) .offset = offsetof(struct conf, member)
#define KIB        1024LL
#define MIB        (1024 * KIB)
#define GIB        (1024 * MIB)
#define SECONDS    1000LL
#define HOURS      (3600 * SECONDS)

const struct conf_key conf_keys[] = {
    {"listen", "listening", CONF_TEXT, AT(listen), .def = "127.0.0.1",
     .form = "IP addresses or localhost, separated by blanks", .is_right = conf_is_addresses,
     .sentence = "Addresses to listen on; IPv6 may stand in brackets. Beyond loopback the demo "
                 "endpoints are off unless demo = yes."},
    {"port", "listening", CONF_INT, AT(port), 0, 65535, "8080",
     .sentence = "The TCP port; 0 takes any free one."},
    {"server_names", "listening", CONF_TEXT, AT(server_names), .def = "", .reloadable = true,
     .form = "host names without port, separated by blanks", .is_right = conf_is_hosts,
     .sentence = "Further host names that are ours; IP addresses and localhost always are. A "
                 "request for another one gets 421."},
    {"demo", "listening", CONF_CHOICE, AT(demo), .def = "auto", .words = demo_words,
     .reloadable = true,
     .sentence =
         "Whether /burst, /status, /config, /trace.json, /events and the loop executors are on; "
         "auto: when listening on loopback only."},
    {"tls_port", "listening", CONF_INT, AT(tls_port), 0, 65535, "8443",
     .sentence = "The TCP port of https, at the same addresses, when there is a certificate; 0 "
                 "takes any free one."},
    {"tls_certificate", "listening", CONF_TEXT, AT(tls_certificate), .def = "", .reloadable = true,
     .form = "the path of a file, or empty", .is_right = conf_is_path,
     .sentence = "The certificate for https and the chain behind it, as PEM; empty: no https. Read "
                 "again at HUP, but https is turned on or off by a restart only."},
    {"tls_key", "listening", CONF_TEXT, AT(tls_key), .def = "", .reloadable = true,
     .form = "the path of a file, or empty", .is_right = conf_is_path,
     .sentence = "Its private key, as PEM without passphrase; ECDSA P-256 costs a tenth of RSA."},

    {"workers", "processes", CONF_INT, AT(workers), 0, 256, "auto", auto_word, CONF_AUTO,
     .reloadable = true,
     .sentence =
         "Worker processes that compute; auto: one for each usable CPU (affinity and cgroup)."},
    {"worker_cpus", "processes", CONF_TEXT, AT(worker_cpus), .def = "spread", .words = spread_words,
     .reloadable = true, .form = "spread, none, or a list of CPUs like 0,2-3",
     .is_right = conf_is_cpus,
     .sentence = "Where workers run. spread: worker i on the i-th usable CPU only; none: wherever "
                 "the kernel likes; a list: on its CPUs in turns."},
    {"loop_cpu", "processes", CONF_TEXT, AT(loop_cpu), .def = "any", .words = any_word,
     .reloadable = true, .form = "any, or the number of a CPU", .is_right = conf_is_cpu,
     .sentence = "The CPU of the event loop."},
    {"run", "processes", CONF_CHOICE, AT(run), .def = "workers", .words = run_words,
     .reloadable = true,
     .sentence = "Where CPU work runs unless the request says: in the workers, in turns on the "
                 "loop, or all at once on the loop."},

    {"max_connections", "limits", CONF_INT, AT(max_connections), 1, 1000000, "10000",
     .reloadable = true, .sentence = "Client connections; further ones are closed at once."},
    {"max_in_progress", "limits", CONF_INT, AT(max_in_progress), 0, 1000000, "0",
     .reloadable = true,
     .sentence =
         "Requests in progress at the same time; the others wait. 0: no limit; 1: one at a time."},
    {"max_queue", "limits", CONF_INT, AT(max_queue), 0, 1000000, "16384", .reloadable = true,
     .sentence = "Requests that may wait for max_in_progress; further ones get 503."},
    {"max_target", "limits", CONF_SIZE, AT(max_target), 64, 64 * KIB, "8KiB", .reloadable = true,
     .sentence = "Length of a request target; above it 414."},
    {"max_head", "limits", CONF_SIZE, AT(max_head), 256, 64 * KIB, "32KiB", .reloadable = true,
     .sentence = "Length of a request head; above it 431."},
    {"max_fields", "limits", CONF_INT, AT(max_fields), 1, 100, "100", .reloadable = true,
     .sentence = "Fields of a request head; above it 431."},
    {"max_body", "limits", CONF_SIZE, AT(max_body), 0, 1 * GIB, "1MiB", .reloadable = true,
     .sentence = "Length of a request body; above it 413."},
    {"max_picture", "limits", CONF_SIZE, AT(max_picture), 0, 1 * GIB, "64MiB", .reloadable = true,
     .sentence = "Length of a picture or another body that is worked on piece by piece; above it "
                 "413."},
    {"max_memory", "limits", CONF_SIZE, AT(max_memory), 1 * MIB, 1024 * GIB, "1GiB",
     .reloadable = true,
     .sentence = "Memory of all bodies and jobs in flight together; above it 503."},
    {"max_bytes_per_turn", "limits", CONF_SIZE, AT(max_bytes_per_turn), 4 * KIB, 64 * MIB, "256KiB",
     .reloadable = true, .sentence = "Octets written to one client in one turn of the loop."},

    {"head_timeout", "time", CONF_DURATION, AT(head_timeout), 10, 1 * HOURS, "10s",
     .reloadable = true, .sentence = "A request head must come within this time; else 408."},
    {"body_timeout", "time", CONF_DURATION, AT(body_timeout), 10, 1 * HOURS, "30s",
     .reloadable = true,
     .sentence = "A request body must come within this time and a second for each 64 KiB of it; "
                 "else 408."},
    {"idle_timeout", "time", CONF_DURATION, AT(idle_timeout), 10, 1 * HOURS, "60s",
     .reloadable = true,
     .sentence = "A connection is closed after this time without a request; beside more than 500 "
                 "others after 30 s."},
    {"write_timeout", "time", CONF_DURATION, AT(write_timeout), 10, 1 * HOURS, "30s",
     .reloadable = true, .sentence = "A client that takes nothing for this long is cut."},
    {"drain_timeout", "time", CONF_DURATION, AT(drain_timeout), 10, 1 * HOURS, "15s",
     .reloadable = true,
     .sentence = "Requests in progress may finish within this time when the server stops."},
    {"job_timeout", "time", CONF_DURATION, AT(job_timeout), 10, 1 * HOURS, "60s",
     .reloadable = true, .sentence = "A computation ends after this time; then 504."},

    {"db_url", "database", CONF_TEXT, AT(db_url), .def = "", .reloadable = true, .secret = true,
     .form = "a URL like postgres://user:password@host:port/name, key=value pairs as libpq takes "
             "them, or empty",
     .is_right = conf_is_database,
     .sentence = "PostgreSQL; empty: no database. In a file, %20 stands for a blank before \"#\" "
                 "or \";\"."},
    {"db_fast", "database", CONF_INT, AT(db_fast), 1, 4, "2", .reloadable = true,
     .sentence = "Shared connections for short reads, pipelined."},
    {"db_write", "database", CONF_INT, AT(db_write), 1, 64, "8", .reloadable = true,
     .sentence = "Connections for writes."},
    {"db_slow", "database", CONF_INT, AT(db_slow), 0, 64, "64", .reloadable = true,
     .sentence =
         "Connections for queries that wait or run long, one query each, opened when needed."},
    {"db_slow_ready", "database", CONF_INT, AT(db_slow_ready), 0, 64, "8", .reloadable = true,
     .sentence = "So many of them are opened beforehand: the first queries need not wait for one."},
    {"db_sync", "database", CONF_CHOICE, AT(db_sync), .def = "turn", .words = sync_words,
     .reloadable = true,
     .sentence = "turn: all short reads of a loop turn share one Sync; query: a Sync for each, as "
                 "TechEmpower's rules ask."},
    {"db_fast_queue", "database", CONF_INT, AT(db_fast_queue), 1, 1000000, "16384",
     .reloadable = true, .sentence = "Short reads that may wait; further ones get 503."},
    {"db_write_queue", "database", CONF_INT, AT(db_write_queue), 1, 1000000, "1024",
     .reloadable = true, .sentence = "Writes that may wait; further ones get 503."},
    {"db_slow_queue", "database", CONF_INT, AT(db_slow_queue), 1, 1000000, "512",
     .reloadable = true, .sentence = "Slow queries that may wait; further ones get 503."},
    {"db_fast_wait", "database", CONF_DURATION, AT(db_fast_wait), 10, 1 * HOURS, "2s",
     .reloadable = true, .sentence = "How long a short read may wait for a connection."},
    {"db_write_wait", "database", CONF_DURATION, AT(db_write_wait), 10, 1 * HOURS, "10s",
     .reloadable = true, .sentence = "How long a write may wait for a connection."},
    {"db_slow_wait", "database", CONF_DURATION, AT(db_slow_wait), 10, 1 * HOURS, "30s",
     .reloadable = true, .sentence = "How long a slow query may wait for a connection."},
    {"db_suspect", "database", CONF_DURATION, AT(db_suspect), 10, 60 * SECONDS, "250ms",
     .reloadable = true,
     .sentence = "A shared connection without a result for this long gets no new queries."},
    {"db_answer", "database", CONF_DURATION, AT(db_answer), 10, 60 * SECONDS, "2s",
     .reloadable = true,
     .sentence =
         "A short read without a result for this long gets 504, and its connection is closed."},
    {"db_connect", "database", CONF_DURATION, AT(db_connect), 10, 60 * SECONDS, "5s",
     .reloadable = true, .sentence = "Time for one attempt to connect."},

    {"trace", "trace", CONF_CHOICE, AT(trace), .def = "yes", .words = yes_no, .reloadable = true,
     .sentence = "Whether spans are recorded; counts always are."},
    {"trace_bytes", "trace", CONF_SIZE, AT(trace_bytes), 256 * KIB, 1 * GIB, "8MiB",
     .reloadable = true, .sentence = "Size of the ring of spans."},

    {"web_root", "page", CONF_TEXT, AT(web_root), .def = "", .reloadable = true,
     .form = "the path of a folder, or empty", .is_right = conf_is_folder,
     .sentence = "The files of the live page are read from here each time, for who edits them; "
                 "empty: those built into the program. New files are found at start and at HUP."},

    {"log_level", "log", CONF_CHOICE, AT(log_level), .def = "info", .words = level_words,
     .reloadable = true, .sentence = "The least important lines that are logged."},
    {.name = NULL},
};

_Static_assert(sizeof(conf_keys) / sizeof(conf_keys[0]) - 1 <= CONF_KEYS_MAX,
               "a set has room for the origins of all keys");
