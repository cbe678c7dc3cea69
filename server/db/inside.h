/*
 * Inside db/: the structs that its parts share. What each part does for the others: parts.h.
 *
 *   struct db --> struct db_pool: one per class --> struct db_conn: a connection and its FIFO
 */
#ifndef DB_INSIDE_H
#define DB_INSIDE_H

#include "common/clock.h"
#include "db/queue.h"
#include "db/url.h"

#include <event2/event_struct.h>
#include <libpq-fe.h>

enum { ABANDONED_MAX = 4, CONNS_MAX = 64 };

enum conn_state {
    CONN_OFF,        /* no connection */
    CONN_LOOKUP,     /* the name of its host is being looked up */
    CONN_CONNECTING, /* PQconnectPoll() */
    CONN_JOINING,    /* its statements are being prepared */
    CONN_UP,         /* takes queries */
    CONN_SUSPECT,    /* no answer for too long: takes no new queries */
    CONN_CANCELLING, /* nobody waits for its query any more: cancelled, not answered yet */
};

struct db_conn {
    struct db *db;
    struct db_pool *pool;
    unsigned index; /* in pool->conns */
    uint16_t lane;
    enum conn_state state;
    PGconn *pg;
    struct evdns_getaddrinfo_request *lookup;
    struct event read, write, more; /* more: results left over from the last turn */
    struct db_queue sent;           /* the FIFO */
    uint64_t state_ns, up_ns;       /* in this state since; up since */
    uint64_t progress_ns;           /* last answer, or FIFO not empty since */
    uint64_t synced_ns;             /* last answer to a Sync */
    unsigned unsynced;              /* sent since the last Sync */
    bool unsynced_recorded;         /* one of these is recorded */
    bool sync_due;                  /* the next result is that of a Sync: */
    bool batch_recorded;
    uint32_t batch; /* queries before it */
    uint64_t batch_ns;
    unsigned joining;       /* answers missing before it is up */
    char reason[200];       /* why it will not be up, or is broken */
    struct db_query cancel; /* over the control connection */
    uint64_t cancel_ns;     /* last asked */
};

struct class_row {
    const char *name;
    unsigned lane;
    unsigned depth; /* queries in flight per connection */
    unsigned fill;  /* so many before the next connection is used too */
    bool keep;      /* all connections always; else on demand, closed when idle */
    bool at_sync;   /* an answer counts when the Sync is answered: committed */
    bool repeat;    /* a query whose answer was lost is sent once more */
    bool cancel;    /* what nobody waits for is cancelled */
    bool ping;      /* idle connections are asked whether they live */
};

struct db_pool {
    struct db *db;
    const struct class_row *row;
    unsigned class;
    struct db_conn *conns;
    unsigned max;
    unsigned least;       /* so many are kept open while PostgreSQL is up, needed or not */
    unsigned up, opening; /* connections in such states */
    unsigned running;     /* entries sent */
    unsigned queue_max;
    uint64_t wait_ns, answer_ns, suspect_ns; /* suspect_ns = 0: never */
    struct db_queue again, waiting;
    uint64_t again_ns; /* nothing of again is sent before */
    uint64_t ready;    /* bit i: conns[i] takes a query now */
    uint64_t dirty;    /* bit i: conns[i] was sent to in this turn */
    bool failing;      /* the last attempt to connect failed */
    unsigned attempts;
    uint64_t retry_ns; /* no attempt before */
    uint64_t queries, failed, retried, dropped_late, waited, refused;
};

/* A backend that did not answer, whose connection was closed: it may hold its place for long. */
struct abandoned {
    struct db *db;
    int pid; /* 0: no such */
    uint64_t asked_ns;
    struct db_query query;
};

struct db {
    struct event_base *base;
    const struct conf *conf;
    struct span_ring *ring;
    struct evdns_base *dns; /* NULL until a name was to be looked up */
    struct db_url url;
    bool none; /* no url, or one that can't be used */
    struct db_entries entries;
    struct db_queue verdicts;
    struct event deliver, tick;
    struct event kick; /* active: something was started since the last db_turn_end() */
    bool kicked;
    bool ticks_fast;
    uint64_t connect_ns;
    struct db_pool pools[DB_ALL_CLASSES];
    struct abandoned abandoned[ABANDONED_MAX];
    uint64_t abandoned_total, connections_lost;
    int server_version;
    char last_error[200]; /* why the last attempt to connect failed */
    uint64_t logged_ns;
};

#define DB_CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
