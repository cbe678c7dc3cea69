/*
 * Inside db/: what each part does for the others.
 *
 *   start.c    db_start(), db_release(): an entry is queued, or refused    | entry.c  its end:
 * hooks pool.c     the classes; at the end of a turn queues -> connections     | send.c   send,
 * Sync conn.c     one connection's states: open, close, lost                  | join.c   prepare
 *   read.c     results                                                     | url.c, lookup.c  where
 *   watch.c    the coarse timer: deadlines, suspects, idle connections
 *   control.c  cancelling, giving up connections
 *
 * Starters only queue, and failures are told from one place (entry.c), never from where they are
 * noticed: so no function here is entered again from a hook, but for db_start() and db_release().
 */
#ifndef DB_PARTS_H
#define DB_PARTS_H

#include "db/inside.h"

/* ---- entry.c ---- */
/* It is told `failure` soon. Stands on no list before. */
void entry_fail(struct db_entry *, enum failure);
/* In PostgreSQL since now / no more: times, spans, hooks. */
void entry_began(struct db_entry *, uint64_t now);
void entry_ended(struct db_entry *, uint64_t now);
/* Its answer is there, on a connection: tells it, or queues it again. Frees it. */
void entry_complete(struct db_entry *, uint64_t now);
/* It was lost with its connection: queued again or told. */
void entry_lost(struct db_entry *, uint64_t now);
/* Queued again, before all that waits. */
void entry_again(struct db_entry *, uint64_t now);
void entry_on_deliver(evutil_socket_t, short what, void *arg);

/* result.c */
/* The query gets the result; a short row may be copied out of it. */
void result_keep(struct db_query *, PGresult *, bool may_copy);
void result_drop(struct db_query *);

/* ---- pool.c ---- */
extern const struct class_row pool_rows[DB_ALL_CLASSES];
/* Neither up nor likely to be soon. */
bool pool_is_down(const struct db_pool *, uint64_t now);
/* Opens what should be open and is not. */
unsigned pool_missing(const struct db_pool *);
void pool_open_due(struct db_pool *, uint64_t now);
/* An attempt failed / a connection is up / was lost after so long. */
void pool_note_failure(struct db_pool *, uint64_t now);
void pool_note_up(struct db_pool *, uint64_t now);
void pool_note_lost(struct db_pool *, uint64_t now, uint64_t lived_ns);
/* Sends what waits to connections that can take it. */
void pool_dispatch(struct db_pool *, uint64_t now);

/* ---- conn.c ---- */
void conn_init(struct db_conn *, struct db_pool *, unsigned index);
void conn_move(struct db_conn *, enum conn_state);
/* May it take a query? Called after whatever may have changed that. */
void conn_refresh(struct db_conn *);
void conn_open(struct db_conn *);
/* Goes on with conn_open(); addresses: NULL or a list for libpq's hostaddr. */
void conn_connect(struct db_conn *, const char *addresses, unsigned naddresses);
/* Not up, and will not be: `why`. */
void conn_failed(struct db_conn *, const char *why);
/* Was up and is not any more; what was in flight is sent elsewhere or told. */
void conn_lost(struct db_conn *, const char *why);
/* Closes without a word. */
void conn_close(struct db_conn *);
void conn_listen(struct db_conn *);
/* Writes what libpq holds, arms WRITE where that was not all. */
void conn_flush(struct db_conn *);

/* ---- the other parts ---- */
void conn_send(struct db_conn *, struct db_entry *, uint64_t now); /* send.c */
void conn_sync(struct db_conn *);
void join_begin(struct db_conn *);
void join_read(struct db_conn *);
void conn_read(struct db_conn *); /* read.c */
void lookup_begin(struct db_conn *);
void lookup_end(struct db_conn *);
void watch_begin(struct db *);
/* Something waits: look often / in the next turn. */
void watch_soon(struct db *);
void watch_now(struct db *);
void control_cancel(struct db_conn *, uint64_t now);
/* A connection in CONN_CANCELLING is up again when both answers are there. */
void control_settle(struct db_conn *);
/* Closes a connection that does not answer; false: too many such already. */
bool control_abandon(struct db_conn *, const char *why);
void control_watch(struct db *, uint64_t now);
void control_close(struct db *);

#endif
