/*
 * entry: how a query ends, and the times and counts of it. THE place where hooks are called.
 *
 *   an answer came ----> entry_complete() --> ended, done(FAIL_NONE or FAIL_DB_QUERY)
 *                              '-----------> again: it was aborted by another one's error
 *   anything failed ---> entry_fail() --> on the list of verdicts --> entry_on_deliver(), from the
 *                                         loop, in the same turn --> ended, done(why)
 *
 * done() may start and release any query, also the next one of a list: whoever loops here takes the
 * first entry of its list each time anew. began() and ended() only count.
 */
#include "db/parts.h"

#include <assert.h>
#include <event2/event.h>

#define WAIT_WORTH_A_SPAN_NS (50 * NS_PER_US)

void
entry_began(struct db_entry *e, uint64_t now)
{
    struct db_query *q = e->query;
    const uint64_t waited = now > e->since_ns ? now - e->since_ns : 0;

    if (q == NULL) {
        e->since_ns = now;
        return;
    }
    q->lane = e->conn->lane;
    q->ticket.usage.queue_ns += waited;
    if (waited > WAIT_WORTH_A_SPAN_NS) {
        e->pool->waited++;
        if (q->ticket.recorded)
            span_add(e->pool->db->ring, SPAN_QUEUE, LANE_REQUEST, q->ticket.request, 0, e->since_ns,
                     now);
    }
    e->since_ns = now;
    e->begun = true;
    q->ticket.hooks->began(&q->ticket, now);
}

void
entry_ended(struct db_entry *e, uint64_t now)
{
    struct db_query *q = e->query;

    if (!e->begun)
        return;
    e->begun = false;
    q->ticket.usage.db_ns += now - e->since_ns;
    if (q->ticket.recorded)
        span_add(e->pool->db->ring, SPAN_QUERY, q->lane, q->ticket.request, e->statement,
                 e->since_ns, now);
    e->since_ns = now;
    q->ticket.hooks->ended(&q->ticket, now);
}

/* The entry goes, the query is told. Nothing of either is touched afterwards: the waiter may have
 * freed the query. */
static void
entry_tell(struct db_entry *e, enum failure failure)
{
    struct db_query *q = e->query;

    if (failure == FAIL_NONE) {
        e->pool->queries++;
        q->ticket.usage.tasks++;
    } else {
        e->pool->failed++;
    }
    q->entry = NULL;
    entry_put(&e->pool->db->entries, e);
    q->ticket.hooks->done(&q->ticket, failure);
}

void
entry_fail(struct db_entry *e, enum failure failure)
{
    struct db *db = e->pool->db;

    assert(failure != FAIL_NONE);
    e->failure = (uint8_t)failure;
    e->deadline_ns = UINT64_MAX;
    if (queue_first(&db->verdicts) == NULL)
        event_active(&db->deliver, EV_TIMEOUT, 0);
    queue_append(&db->verdicts, e);
}

void
entry_on_deliver(evutil_socket_t fd, short what, void *arg)
{
    struct db *db = arg;
    const uint64_t now = clock_ns();
    struct db_entry *e;

    (void)fd;
    (void)what;
    /* What a hook starts in vain comes next time: nobody can keep the loop in here. */
    for (unsigned n = db->verdicts.count; n > 0; n--) {
        e = queue_first(&db->verdicts);
        if (e == NULL)
            return;
        queue_remove(e);
        if (e->begun)
            entry_ended(e, now);
        else if (now > e->since_ns)
            e->query->ticket.usage.queue_ns += now - e->since_ns;
        entry_tell(e, (enum failure)e->failure);
    }
    if (queue_first(&db->verdicts) != NULL)
        event_active(&db->deliver, EV_TIMEOUT, 0);
}

void
entry_again(struct db_entry *e, uint64_t now)
{
    e->conn = NULL;
    e->since_ns = now;
    e->outcome = OUTCOME_NONE;
    e->own_sync = true;
    e->sync = false;
    e->batch = 0;
    e->pool->retried++;
    queue_append(&e->pool->again, e);
}

void
entry_lost(struct db_entry *e, uint64_t now)
{
    struct db *db = e->pool->db;

    PQclear(e->result);
    e->result = NULL;
    e->conn = NULL;
    if (e->query == NULL) {
        entry_put(&db->entries, e);
        return;
    }
    entry_ended(e, now);
    if (!e->pool->row->repeat) {
        entry_fail(e, FAIL_DB_OUTCOME_UNKNOWN);
    } else if (e->tries > 0) {
        entry_fail(e, FAIL_DB_LOST);
    } else {
        e->tries++;
        entry_again(e, now);
    }
}

static void
entry_answered(struct db_entry *e, uint64_t now)
{
    struct db_query *q = e->query;
    void *result = e->result;

    e->result = NULL;
    entry_ended(e, now);
    if (e->outcome == OUTCOME_ROWS) {
        result_keep(q, result, e->pool->class == DB_FAST);
        entry_tell(e, FAIL_NONE);
        return;
    }
    PQclear(result);
    entry_tell(e, FAIL_DB_QUERY);
}

void
entry_complete(struct db_entry *e, uint64_t now)
{
    struct db_pool *pool = e->pool;

    queue_remove(e);
    pool->running--;
    e->conn->progress_ns = now;
    if (e->query == NULL) {
        if (e->statement != SQL_PING)
            pool->dropped_late++;
        PQclear(e->result);
        e->result = NULL;
        entry_put(&pool->db->entries, e);
    } else if (e->outcome != OUTCOME_ABORTED) {
        entry_answered(e, now);
    } else if (pool->row->repeat && !e->own_sync) {
        entry_ended(e, now);
        entry_again(e, now);
    } else {
        entry_lost(e, now);
    }
}
