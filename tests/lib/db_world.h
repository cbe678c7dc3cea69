/*
 * The world of a test of server/db: a database of its own in the PostgreSQL of TEST_DB_URL, an
 * event loop that turns as the front end's does, queries that note what happens to them, a span
 * ring that keeps everything, and a second, plain connection that looks from the side.
 *
 * Tests wait for conditions, never for time: db_world_until() turns the loop until one holds.
 */
#ifndef TESTS_DB_WORLD_H
#define TESTS_DB_WORLD_H

#include "common/conf.h"
#include "common/span.h"
#include "db/db.h"

#include <check.h>
#include <event2/event.h>

enum { PROBES = 600, SPANS = 4096 };

/* A query and what its hooks were told. */
struct probe {
    struct db_query q;
    unsigned began, ended, done;
    enum failure failure;
    bool keep; /* do not release it when it is done */
};

struct db_world {
    struct event_base *base;
    struct event *heartbeat;
    struct conf conf;
    struct db *db;
    struct probe probes[PROBES];
    unsigned done; /* of all probes */
    struct span spans[SPANS];
    unsigned nspans;
    uint64_t ahead_ns; /* clock_ns() is ahead of the real one by so much */
};

extern struct db_world w;

/* Creates the database `name` anew, with our schema and what `more` adds, and drops it again.
 * Outside of Check's forked tests. */
void db_world_create(const char *name, const char *more);
void db_world_drop(void);
/* Per test: the loop, the settings (defaults, short times), no db yet / all of it away. */
void db_world_begin(void);
void db_world_end(void);

/* Opens db with w.conf and waits until it is up. */
void db_world_open(void);
/* One turn of the loop. */
void db_world_turn(void);
/* Turns until the condition holds; fails the test after 20 s. */
#define db_world_until(condition)                                                                  \
    for (uint64_t end_ = db_world_patience(); !(condition); db_world_turn())                       \
    ck_assert_msg(db_world_in_time(end_), "never came true: %s", #condition)
uint64_t db_world_patience(void);
bool db_world_in_time(uint64_t end);

void probe_start_int(struct probe *, enum db_statement, int64_t param);
void probe_start(struct probe *, enum db_statement, const char *const *params, int n,
                 uint64_t deadline_ns);
/* n of probes[0..n) started, all with the same failure or none. */
unsigned probes_failed(unsigned n, enum failure failure);
unsigned spans_of(enum span_kind kind);
struct db_class_status class_of(enum db_class class);

/* From the side, in our database / in the one of TEST_DB_URL: first column as a number. */
long long side(const char *fmt, ...) PRINTF_LIKE(1, 2);
long long aside(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* The same, turning the loop until it gives `value`. */
void side_until(const char *sql, long long value);
/* Process number of a backend of ours that is not `except`; 0: none. */
int backend_pid(const char *application_query, int except);
/* A conninfo string for our database, with further settings. */
const char *db_world_url(const char *more);

#endif
