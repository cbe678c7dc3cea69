/*
 * send: a query goes to libpq, and the Sync behind it. Runs at the end of a loop turn.
 *
 *   Bind Describe Execute, Bind Describe Execute, ... Sync     one implicit transaction, one send()
 *
 * libpq gathers the octets and writes them at the Sync (or after 64 KiB); a Flush instead of a Sync
 * would leave the transaction open, and is never used.
 */
#include "db/parts.h"

#include <assert.h>

void
conn_sync(struct db_conn *c)
{
    struct db_entry *last = TAILQ_LAST(&c->sent.list, db_list);
    bool sent;

    if (c->unsynced == 0)
        return;
    last->sync = true;
    last->batch = c->unsynced;
    last->recorded = c->unsynced_recorded;
    c->unsynced = 0;
    c->unsynced_recorded = false;
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    /* conn_flush() writes, once for all of them */
    sent = PQsendPipelineSync(c->pg) == 1;
#else
    sent = PQpipelineSync(c->pg) == 1;
#endif
    if (!sent)
        conn_lost(c, PQerrorMessage(c->pg));
}

static void
note_sent(struct db_conn *c, struct db_entry *e, uint64_t now)
{
    e->conn = c;
    if (!e->own_deadline && e->query != NULL)
        e->deadline_ns = now + c->pool->answer_ns;
    e->own_deadline = true;
    queue_append(&c->sent, e);
    if (c->sent.count == 1)
        c->progress_ns = now;
    c->unsynced++;
    if (e->query != NULL && e->query->ticket.recorded)
        c->unsynced_recorded = true;
    c->pool->running++;
    c->pool->dirty |= UINT64_C(1) << c->index;
}

void
conn_send(struct db_conn *c, struct db_entry *e, uint64_t now)
{
    const struct db_statement_row *row = &db_statement_table[e->statement];
    const bool alone = e->own_sync || c->pool->row->at_sync || c->db->conf->db_sync == SYNC_QUERY;

    assert(c->state == CONN_UP && c->sent.count < c->pool->row->depth);
    if (alone)
        conn_sync(c);
    if (c->state != CONN_UP ||
        PQsendQueryPrepared(c->pg, row->name, row->nparams, e->params, NULL, NULL, 0) != 1) {
        /* it never left: this was no try */
        queue_append(&c->pool->again, e);
        if (c->state == CONN_UP)
            conn_lost(c, PQerrorMessage(c->pg));
        return;
    }
    note_sent(c, e, now);
    entry_began(e, now);
    if (alone)
        conn_sync(c);
    conn_refresh(c);
}
