/*
 * db: PostgreSQL for the rest of the front end. Only this room sees libpq. Everything is
 * non-blocking, on the one event loop. Tour 6/9.
 *
 *                 +- fast:  2 (up to 4) shared connections, pipelined, ONE Sync per loop turn
 *   db_start() ---+- write: 8 connections, a Sync right after each write
 *     by class    +- slow:  0..64 exclusive connections, one query each, opened on demand
 *
 * Each class has a queue bounded in number and time. See ARCHITECTURE 5 for the rules of retry,
 * suspects and deadlines.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "common/attr.h"
#include "common/conf.h"
#include "common/span.h"
#include "common/ticket.h"
#include "statements.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct buf;
struct db;
struct db_entry;

enum db_class { DB_FAST, DB_WRITE, DB_SLOW, DB_CLASSES };

/* Every statement the server sends is a file sql/statements/<name>.sql; the build makes enum
 * db_statement from them (build/gen/statements.h): SQL_WORLD_BY_ID, SQL_SLEEP, ... The class stands
 * in the first line of the file: "-- class: fast". A connection prepares all of its class before it
 * joins. */

enum { DB_PARAMS_MAX = 4 };

/* A result of one short row, taken out of libpq's: most of the short reads have no other. */
enum { DB_ROW_COLUMNS = 4, DB_ROW_OCTETS = 40 };
struct db_row {
    uint8_t columns;                /* 0: there is none */
    uint8_t starts[DB_ROW_COLUMNS]; /* of the texts, each with a NUL behind it */
    uint8_t lengths[DB_ROW_COLUMNS];
    char texts[DB_ROW_OCTETS];
};

/* A query as its waiter keeps it, usually in the request's arena. Zeroed before db_start(). */
struct db_query {
    struct ticket ticket;
    struct db_entry *entry; /* db's side while it is on its way; NULL before and after */
    void *result;           /* PGresult after success, or NULL and row; see db_rows() ... */
    struct db_row row;
    char error[160];  /* first line of PostgreSQL's message after FAIL_DB_QUERY, else empty */
    char sqlstate[6]; /* likewise */
    uint16_t lane;    /* where it ran */
};

/* Connects in the background; the server starts and stays up with the database away. The url is
 * conf's db_url (empty: no database at all, every start fails with FAIL_DB_DOWN). */
struct db *db_open(struct event_base *, const struct conf *, struct span_ring *);
/* Closes all connections at once; waiters are NOT called; db_release() is safe afterwards. */
void db_close(struct db *);

/* Starts a query. Parameters are texts (NULL: SQL NULL), copied. Never calls back before it
 * returns; whatever goes wrong arrives by ticket.hooks->done from the loop. Of the hooks only
 * done() may start or release queries. deadline_ns: absolute clock_ns() by which the answer must be
 * there; 0: the class's own (so long in its queue, then so long in PostgreSQL). */
void db_start(struct db *, struct db_query *, enum db_statement, const char *const *params,
              int nparams, uint64_t deadline_ns);
/* Same, one integer parameter: the hot path, no formatting by the caller. */
void db_start_int(struct db *, struct db_query *, enum db_statement, int64_t param);

/* Nobody waits any more: queued ones are dropped, one that runs on an exclusive connection is
 * cancelled there (pg_cancel_backend over the control connection), a late answer is dropped. Safe
 * on a query that is done or was never started. Frees the result. */
void db_release(struct db_query *);

/* The result after FAIL_NONE; valid until db_release(). Text is NUL-terminated. */
int db_rows(const struct db_query *);
bool db_is_null(const struct db_query *, int row, int column);
const char *db_text(const struct db_query *, int row, int column, size_t *len);
int64_t db_int(const struct db_query *, int row, int column);
int db_columns(const struct db_query *);
/* Of the classes write and slow only. */
const char *db_column_name(const struct db_query *, int column);
bool db_column_is_number(const struct db_query *, int column); /* int2/4/8, float4/8, numeric */

/* Called by the front end at the end of each loop turn: sends what the turn has gathered, and calls
 * hooks->began. What is started after it keeps the loop from sleeping and goes out a turn later. */
void db_turn_end(struct db *);

/* UP: a fast connection is. DOWN: none, and the last attempt has failed. */
enum db_state { DB_STATE_NONE, DB_STATE_DOWN, DB_STATE_CONNECTING, DB_STATE_UP };
enum db_state db_state(const struct db *);
/* Connections a class may have (for `why`), connections it has, queries running and waiting now. */
struct db_class_status {
    const char *name;
    unsigned connections_max, connections, running, waiting;
    uint64_t queries;      /* answered with success */
    uint64_t failed;       /* told a failure of any kind, refused included */
    uint64_t retried;      /* sent once more: connection lost or suspect, another one's error */
    uint64_t dropped_late; /* answers that nobody waited for any more */
    uint64_t waited;       /* begun later than 50 us after their start */
    uint64_t refused;      /* queue full, or too long in it */
};
void db_class_status(const struct db *, enum db_class, struct db_class_status *);
/* /status's "database": {"up":true,"state":"up",...,"fast":{"running":0,"waiting":0,...},...} */
void db_status_json(const struct db *, struct buf *);

#endif
