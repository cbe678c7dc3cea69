/*
 * For end-to-end tests: a real server of its own for each test case, on a free port, with its log
 * kept; a client that can behave badly; the counters of /status as the oracle; PostgreSQL from the
 * side.
 *
 * Every function fails the running test (with the server's log) when what it does can't be done.
 * Deadlines are generous (30 s) and only ever reached when something is broken.
 */
#ifndef TESTS_E2E_H
#define TESTS_E2E_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { E2E_DEADLINE_MS = 30000 };

/* ---- the server ---- */

struct server {
    pid_t pid; /* supervisor */
    int port;
    int tls_port; /* 0: no https */
    int out_fd;
    bool crashes_wanted; /* a test kernel crashes workers: a sanitizer may complain of that */
    char log_path[256];
    char config_path[256];
};

/* Starts build/.../interleave with port 0, the test database, and these "key=value" options
 * (NULL-terminated list), and waits until it serves. */
struct server *server_start(const char *const *options);
/* Ends it with TERM, expects exit status 0 and that none of its processes is left. Frees. */
void server_stop(struct server *);
/* Like server_stop(), but by SIGKILL to the supervisor. */
void server_kill(struct server *);
/* Starts it with these arguments as they are and waits for its end: exit status; what it printed on
 * stdout and stderr in out (NUL-terminated). */
int server_run(const char *const *args, char *out, size_t size);
/* What has been logged so far; free(). */
char *server_log(const struct server *);
/* The path of the binary, and of the database's url. */
const char *server_binary(void);
const char *database_url(void);

/* Processes of the server that are there now (children of the supervisor): front end, workers. */
pid_t server_front(const struct server *);
pid_t server_worker(const struct server *, unsigned index);
bool process_exists(pid_t pid);
/* As /proc shows it: 'R', 'S', 'Z' ...; '\0': no such process. */
char process_state(pid_t pid);
/* Its children, at most `max`; how many there are. */
unsigned process_children(pid_t pid, pid_t *out, unsigned max);
/* Waits until no such process is there any more. */
void process_wait_gone(pid_t pid);

/* ---- a well-behaved client ---- */

struct reply {
    int status;
    char *head; /* all of it, NUL-terminated */
    char *body; /* decoded, NUL-terminated */
    size_t len;
    bool closed; /* the server closed the connection after it */
};

/* One request on a connection of its own. */
struct reply http_get(const struct server *, const char *target);
struct reply http_ask(const struct server *, const char *method, const char *target,
                      const char *fields, const void *body, size_t len);
void reply_free(struct reply *);
/* The value of a field, in a static buffer; NULL: not there. */
const char *reply_field(const struct reply *, const char *name);
/* The body as JSON (fails the test if it is not). */
json_t *reply_json_body(const struct reply *);
/* GET, expecting this status and JSON. */
json_t *get_json(const struct server *, const char *target, int status);

/* ---- a client that may behave badly ---- */

int client_connect(const struct server *);
void client_send(int fd, const char *text);
void client_send_octets(int fd, const void *data, size_t len);
/* Sends a GET without reading the answer. */
void client_send_get(int fd, const char *target);
/* Reads one whole answer. head_only: the answer to HEAD. False: the connection closed or reset
 * before it was whole (r->status is 0 if not even a status line came). */
bool client_read_reply(int fd, struct reply *r, bool head_only);
/* Reads exactly so many octets; NUL-terminates (room for len + 1). */
void client_read_octets(int fd, char *out, size_t len);
/* Reads until the server closes; returns the octets (NUL-terminated, free()). */
char *client_read_all(int fd, size_t *len);
/* True when the server closes or resets within the deadline without sending anything more. */
bool client_is_closed(int fd);

/* ---- counters ---- */

/* A number in /status by its path: "requests.in_progress", "workers.list.0.pid"; true is 1. */
double status_number(const struct server *, const char *path);
/* Asks /status until the number is as wanted; fails the test after the deadline. */
void status_wait(const struct server *, const char *path, double at_least, double at_most);

/* A number in any JSON value by such a path; fails the test when it is not there. */
double json_number(json_t *, const char *path);
/* Likewise a text, which lives as long as the value. */
const char *json_text(json_t *, const char *path);
/* This member of an event of /trace.json; "" if it has none. */
const char *event_text(json_t *event, const char *name);

/* ---- PostgreSQL from the side ---- */

struct pg_conn;
struct pg_conn *database_connect(void);
/* Runs statements; the first column of the first row as a number, 0 if none. */
double database_run(struct pg_conn *, const char *sql);
void database_disconnect(struct pg_conn *);
/* How many CPUs this process may use. */
unsigned usable_cpus(void);

#endif
