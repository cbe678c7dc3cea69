/*
 * Inside db/: entries (a query on its way) and the lists they stand on. No libpq here.
 *
 * The list that an entry stands on IS its state:
 *
 *   free -> waiting (of its class) -> sent (of a connection, a FIFO) -> free
 *              ^  |                       |  |
 *              |  '------> verdicts <-----'  |   failed: told from the loop, soon
 *              '---------- again  <----------'   once more, before all that waits
 *
 * Every operation is O(1) but the sweep for deadlines, which stops at the first entry that has time
 * left wherever the list is in order of deadlines. Entries come from a free list that grows by
 * slabs.
 */
#ifndef DB_QUEUE_H
#define DB_QUEUE_H

#include "common/failure.h"
#include "db/statement.h"

#include <sys/queue.h>

struct db_conn;
struct db_pool;
struct db_queue;

enum { ENTRY_TEXT = 72 }; /* octets of parameters kept in the entry; more are allocated */

enum entry_outcome { OUTCOME_NONE, OUTCOME_ROWS, OUTCOME_ERROR, OUTCOME_ABORTED };

struct db_entry {
    TAILQ_ENTRY(db_entry) link;
    struct db_queue *on;    /* the list it stands on; NULL: none */
    struct db_pool *pool;   /* its class */
    struct db_conn *conn;   /* while it is sent */
    struct db_query *query; /* NULL: nobody waits for it any more */
    void *result;           /* PGresult, until it is complete */
    uint64_t since_ns;      /* waits since / was sent at */
    uint64_t deadline_ns;
    char *heap; /* parameters that were too long for text */
    const char *params[DB_PARAMS_MAX];
    uint32_t batch;    /* the last of a batch: how many queries; else 0 */
    uint8_t statement; /* enum db_statement */
    uint8_t failure;   /* enum failure */
    bool begun;        /* hooks->began was called, ended not yet */
    bool own_deadline; /* its class does not set it any more */
    bool own_sync;     /* once more after another one's error: not in one batch with others */
    bool sync;         /* a Sync was sent right after it */
    bool recorded;     /* the last of a batch: some query of it is recorded */
    uint8_t outcome;   /* enum entry_outcome: what has come for it, though not yet its end */
    uint8_t tries;     /* how often it was sent and lost */
    char text[ENTRY_TEXT];
};

struct db_queue {
    TAILQ_HEAD(db_list, db_entry) list;
    unsigned count;
    bool ordered;         /* deadlines never fall from head to tail */
    uint64_t deadline_ns; /* not before this one is any due; UINT64_MAX: none */
};

void queue_init(struct db_queue *);
/* The entry stands on no list before. */
void queue_append(struct db_queue *, struct db_entry *);
/* Takes it off the list it stands on. */
void queue_remove(struct db_entry *);

static inline struct db_entry *
queue_first(const struct db_queue *q)
{
    return TAILQ_FIRST(&q->list);
}

/* Calls `due` for every entry whose deadline is not after `now`; it may take that entry off, or
 * give it a later deadline, or leave it with UINT64_MAX: then it is not asked about again. */
void queue_sweep(struct db_queue *, uint64_t now, void (*due)(struct db_entry *, uint64_t now));

struct db_entries {
    struct db_list free;
    struct db_slab *slabs;
};

void entries_init(struct db_entries *);
/* Queries that still have an entry have none any more. */
void entries_fini(struct db_entries *);
/* All zero but what queue.h says of parameters; never NULL. */
struct db_entry *entry_get(struct db_entries *);
void entry_put(struct db_entries *, struct db_entry *);
/* Copies of texts (NULL: SQL NULL) / of one number in decimal. */
void entry_set_params(struct db_entry *, const char *const *params, int nparams);
void entry_set_int(struct db_entry *, int64_t param);
/* The query moves to a new entry, with a copy of the parameters; the old one is left without. */
struct db_entry *entry_detach(struct db_entries *, struct db_entry *);

#endif
