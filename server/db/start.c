/*
 * start: what the rest of the front end calls for each query. A starter only queues; sending is
 * done at the end of the turn (pool.c), so that all queries of a turn go out together.
 *
 *   db_start() -> waiting queue of its class        db_release() -> off its list, wherever it
 * stands;
 *      '--------> refused: entry_fail()                 sent already: its answer is dropped later,
 *                 (database down, queue full)           or cancelled where the connection is its
 * own
 */
#include "db/parts.h"

#include <assert.h>
#include <event2/event.h>

/* Where it goes; the parameters are set already. */
static void
enqueue(struct db *db, struct db_query *q, struct db_entry *e, uint64_t deadline_ns)
{
    struct db_pool *pool = &db->pools[db_statement_table[e->statement].class];

    q->entry = e;
    e->query = q;
    e->pool = pool;
    e->since_ns = clock_ns();
    e->own_deadline = deadline_ns != 0;
    e->deadline_ns = e->own_deadline ? deadline_ns : e->since_ns + pool->wait_ns;
    watch_soon(db);
    if (pool_is_down(pool, e->since_ns)) {
        entry_fail(e, FAIL_DB_DOWN);
    } else if (pool->waiting.count >= pool->queue_max || pool->max == 0) {
        pool->refused++;
        entry_fail(e, FAIL_DB_FULL);
    } else {
        queue_append(&pool->waiting, e);
        if (!db->kicked)
            event_active(&db->kick, EV_TIMEOUT, 0);
        db->kicked = true;
    }
}

void
db_start(struct db *db, struct db_query *q, enum db_statement statement, const char *const *params,
         int nparams, uint64_t deadline_ns)
{
    struct db_entry *e = entry_get(&db->entries);

    assert(q->entry == NULL && nparams == db_statement_table[statement].nparams);
    e->statement = (uint8_t)statement;
    entry_set_params(e, params, nparams);
    enqueue(db, q, e, deadline_ns);
}

void
db_start_int(struct db *db, struct db_query *q, enum db_statement statement, int64_t param)
{
    struct db_entry *e = entry_get(&db->entries);

    assert(q->entry == NULL && db_statement_table[statement].nparams == 1);
    e->statement = (uint8_t)statement;
    entry_set_int(e, param);
    enqueue(db, q, e, 0);
}

void
db_release(struct db_query *q)
{
    struct db_entry *e = q->entry;

    result_drop(q);
    q->entry = NULL;
    if (e == NULL)
        return;
    e->query = NULL;
    e->begun = false;
    if (e->conn == NULL) {
        queue_remove(e);
        entry_put(&e->pool->db->entries, e);
        return;
    }
    e->deadline_ns = UINT64_MAX;
    if (e->pool->row->cancel && e->outcome == OUTCOME_NONE)
        control_cancel(e->conn, clock_ns());
}
