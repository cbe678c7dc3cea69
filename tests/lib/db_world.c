/*
 * db_world: see db_world.h. Reads sql/schema from the top of the tree, where tests run.
 */
#include "db_world.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#include <glob.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 20 };

struct db_world w;

static char database[64];
static PGconn *side_conn, *aside_conn;

/* ---- a second pair of eyes: also used outside of tests, where Check may not be called ---- */

static const char *
test_url(void)
{
    const char *url = getenv("TEST_DB_URL");

    if (url == NULL || *url == '\0') {
        fprintf(stderr, "TEST_DB_URL must name a PostgreSQL of ours, e.g. by tests/run\n");
        exit(EXIT_FAILURE);
    }
    return url;
}

const char *
db_world_url(const char *more)
{
    static char url[CONF_TEXT_MAX];
    PQconninfoOption *all = PQconninfoParse(test_url(), NULL);
    size_t len = 0;

    if (all == NULL)
        fatalx("TEST_DB_URL is no connection string");
    for (const PQconninfoOption *o = all; o->keyword != NULL; o++)
        if (o->val != NULL && strcmp(o->keyword, "dbname") != 0)
            len += (size_t)snprintf(url + len, sizeof(url) - len, "%s='%s' ", o->keyword, o->val);
    PQconninfoFree(all);
    snprintf(url + len, sizeof(url) - len, "dbname='%s' %s", database, more);
    return url;
}

static long long
run(PGconn **conn, const char *url, const char *sql)
{
    PGresult *result;
    long long n = 0;

    if (*conn == NULL)
        *conn = PQconnectdb(url);
    if (PQstatus(*conn) != CONNECTION_OK)
        fatalx("%s", PQerrorMessage(*conn));
    result = PQexec(*conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK &&
        PQresultStatus(result) != PGRES_EMPTY_QUERY)
        fatalx("%s: %s", sql, PQerrorMessage(*conn));
    if (PQntuples(result) > 0 && PQnfields(result) > 0)
        n = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return n;
}

#define FORMAT_SQL(sql, fmt)                                                                       \
    do {                                                                                           \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, fmt);                                                                       \
        vsnprintf(sql, sizeof(sql), fmt, args);                                                    \
        va_end(args);                                                                              \
    } while (0)

long long
side(const char *fmt, ...)
{
    char sql[1000];

    FORMAT_SQL(sql, fmt);
    return run(&side_conn, db_world_url(""), sql);
}

long long
aside(const char *fmt, ...)
{
    char sql[1000];

    FORMAT_SQL(sql, fmt);
    return run(&aside_conn, test_url(), sql);
}

void
side_until(const char *sql, long long value)
{
    long long seen = 0;

    db_world_until((seen = aside("%s", sql)) == value);
    ck_assert_int_eq(seen, value);
}

int
backend_pid(const char *application_query, int except)
{
    return (int)aside("SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'interleave' "
                      "AND datname = '%s' AND query LIKE '%s' AND pid <> %d",
                      database, application_query, except);
}

static void
apply_schema(void)
{
    glob_t files;

    if (glob("sql/schema/*.sql", 0, NULL, &files) != 0)
        fatalx("run this at the top of the tree");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct buf text = {0};
        FILE *f = fopen(files.gl_pathv[i], "re");
        size_t n;

        if (f == NULL)
            fatal("%s", files.gl_pathv[i]);
        do {
            buf_reserve(&text, 65536);
            n = fread(text.data + text.len, 1, 65535, f);
            text.len += n;
        } while (n > 0);
        text.data[text.len] = '\0';
        fclose(f);
        run(&side_conn, db_world_url("options='-c client_min_messages=warning'"), text.data);
        buf_fini(&text);
    }
    globfree(&files);
}

static void
disconnect(void)
{
    PQfinish(side_conn);
    PQfinish(aside_conn);
    side_conn = aside_conn = NULL;
}

void
db_world_create(const char *name, const char *more)
{
    snprintf(database, sizeof(database), "%s", name);
    aside("SET client_min_messages = warning");
    aside("DROP DATABASE IF EXISTS %s WITH (FORCE)", database);
    aside("CREATE DATABASE %s", database);
    apply_schema();
    side("%s", more);
    disconnect();
}

void
db_world_drop(void)
{
    disconnect();
    aside("DROP DATABASE %s WITH (FORCE)", database);
    disconnect();
}

/* ---- the loop ---- */

static uint64_t
shifted_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec + w.ahead_ns;
}

static void
on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

void
db_world_begin(void)
{
    w = (struct db_world){.base = event_base_new()};
    w.conf = (struct conf){
        .db_fast = 2,
        .db_write = 4,
        .db_slow = 8,
        .db_fast_queue = 16384,
        .db_write_queue = 64,
        .db_slow_queue = 64,
        .db_fast_wait = 2000,
        .db_write_wait = 2000,
        .db_slow_wait = 5000,
        .db_suspect = 250,
        .db_answer = 2000,
        .db_connect = 2000,
    };
    snprintf(w.conf.db_url, sizeof(w.conf.db_url), "%s", db_world_url(""));
    /* no turn longer than 10 ms: what a test waits for may happen elsewhere */
    w.heartbeat = event_new(w.base, -1, EV_PERSIST, on_heartbeat, NULL);
    event_add(w.heartbeat, &(struct timeval){0, 10000});
    log_init("test", getenv("TEST_LOG") != NULL ? LOG_DEBUG : LOG_ERROR);
    clock_set_source(shifted_clock);
}

void
db_world_end(void)
{
    if (w.db != NULL) {
        for (unsigned i = 0; i < PROBES; i++)
            db_release(&w.probes[i].q);
        db_close(w.db);
    }
    event_free(w.heartbeat);
    event_base_free(w.base);
    libevent_global_shutdown();
    disconnect();
}

void
db_world_open(void)
{
    w.db = db_open(w.base, &w.conf, NULL);
    db_world_until(db_state(w.db) == DB_STATE_UP &&
                   class_of(DB_FAST).connections == (unsigned)w.conf.db_fast);
}

void
db_world_turn(void)
{
    event_base_loop(w.base, EVLOOP_ONCE);
    db_turn_end(w.db);
}

uint64_t
db_world_patience(void)
{
    return shifted_clock() - w.ahead_ns + PATIENCE_S * NS_PER_S;
}

bool
db_world_in_time(uint64_t end)
{
    return shifted_clock() - w.ahead_ns < end;
}

/* ---- queries ---- */

static void
on_began(struct ticket *t, uint64_t now)
{
    (void)now;
    ((struct probe *)(void *)t)->began++;
}

static void
on_ended(struct ticket *t, uint64_t now)
{
    (void)now;
    ((struct probe *)(void *)t)->ended++;
}

static void
on_done(struct ticket *t, enum failure failure)
{
    struct probe *p = (struct probe *)(void *)t;

    p->done++;
    p->failure = failure;
    w.done++;
    if (!p->keep)
        db_release(&p->q);
}

static const struct ticket_hooks probe_hooks = {on_began, on_ended, on_done};

static void
probe_init(struct probe *p)
{
    const bool keep = p->keep;

    *p = (struct probe){.keep = keep};
    p->q.ticket = (struct ticket){
        .hooks = &probe_hooks, .request = (uint64_t)(p - w.probes) + 1, .recorded = 1};
}

void
probe_start_int(struct probe *p, enum db_statement statement, int64_t param)
{
    probe_init(p);
    db_start_int(w.db, &p->q, statement, param);
}

void
probe_start(struct probe *p, enum db_statement statement, const char *const *params, int n,
            uint64_t deadline_ns)
{
    probe_init(p);
    db_start(w.db, &p->q, statement, params, n, deadline_ns);
}

unsigned
probes_failed(unsigned n, enum failure failure)
{
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++)
        found += w.probes[i].done == 1 && w.probes[i].failure == failure;
    return found;
}

struct db_class_status class_of(enum db_class class)
{
    struct db_class_status s;

    db_class_status(w.db, class, &s);
    return s;
}

/* ---- a span ring that forgets nothing ---- */

void
span_add(struct span_ring *ring, enum span_kind kind, unsigned lane, uint64_t request, uint32_t arg,
         uint64_t start, uint64_t end)
{
    (void)ring;
    ck_assert_uint_le(start, end);
    if (w.nspans == SPANS)
        return;
    w.spans[w.nspans++] = (struct span){.start = start,
                                        .end = end,
                                        .request = request,
                                        .arg = arg,
                                        .lane = (uint16_t)lane,
                                        .kind = (uint8_t)kind};
}

unsigned
spans_of(enum span_kind kind)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w.nspans; i++)
        n += w.spans[i].kind == kind;
    return n;
}
