/*
 * read: what comes back. The answers of a connection come in the order of its FIFO:
 *
 *   fast, control   result NULL  result NULL  result NULL  SYNC     complete at each NULL
 *   write, slow     result NULL  SYNC                               complete at SYNC: committed
 *
 * After an error, PIPELINE_ABORTED stands for every further result until the SYNC: the first one of
 * the batch is the guilty one, the others are sent once more (entry_complete()). An answer that
 * does not fit the FIFO, or an error that ends the session, ends the connection.
 */
#include "db/parts.h"

#include <event2/event.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Results taken in one go, before other events of the loop have their turn again. */
enum { RESULTS_PER_TURN = 256 };

enum reading { READ_WAIT, READ_MORE, READ_BROKEN };

/* Says an error of this kind that the backend or libpq ends the session? (FATAL, PANIC; libpq's own
 * have no such field.) Then it says nothing about the query. */
static bool
ends_session(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    return severity == NULL || strcmp(severity, "ERROR") != 0;
}

static void
note_error(struct db_entry *e, const PGresult *result)
{
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    e->outcome = OUTCOME_ERROR;
    if (e->query == NULL)
        return;
    if (text == NULL)
        text = "PostgreSQL gave no reason";
    snprintf(e->query->error, sizeof(e->query->error), "%.*s", (int)strcspn(text, "\n"), text);
    snprintf(e->query->sqlstate, sizeof(e->query->sqlstate), "%s", sqlstate ? sqlstate : "");
}

static enum reading
take_error(struct db_conn *c, struct db_entry *e, PGresult *result)
{
    enum reading r = READ_MORE;

    if (ends_session(result) || e == NULL) {
        snprintf(c->reason, sizeof(c->reason), "%s", PQresultErrorMessage(result));
        r = READ_BROKEN;
    } else if (e->outcome == OUTCOME_ROWS && c->sync_due) {
        /* the commit failed */
        PQclear(e->result);
        e->result = NULL;
        note_error(e, result);
    } else if (e->outcome == OUTCOME_NONE) {
        note_error(e, result);
    } else {
        r = READ_BROKEN;
    }
    PQclear(result);
    return r;
}

static enum reading
take_sync(struct db_conn *c, struct db_entry *e, uint64_t now)
{
    const uint64_t start = c->batch_ns > c->synced_ns ? c->batch_ns : c->synced_ns;

    if (!c->sync_due)
        return READ_BROKEN;
    c->sync_due = false;
    if (c->batch_recorded && !c->pool->row->at_sync)
        span_add(c->db->ring, SPAN_BATCH, c->lane, 0, c->batch, start, now);
    c->synced_ns = now;
    if (e != NULL && e->outcome != OUTCOME_NONE)
        entry_complete(e, now);
    return READ_MORE;
}

/* NULL: the end of the results of the first query of the FIFO. */
static enum reading
take_end(struct db_conn *c, struct db_entry *e, uint64_t now)
{
    if (e == NULL || e->outcome == OUTCOME_NONE)
        return READ_BROKEN;
    if (e->sync) {
        if (c->sync_due)
            return c->pool->row->at_sync ? READ_MORE : READ_BROKEN;
        c->sync_due = true;
        c->batch = e->batch;
        c->batch_ns = e->since_ns;
        c->batch_recorded = e->recorded;
    }
    if (!c->pool->row->at_sync)
        entry_complete(e, now);
    return READ_MORE;
}

static enum reading
take_result(struct db_conn *c, PGresult *result, uint64_t now)
{
    struct db_entry *e = queue_first(&c->sent);
    const ExecStatusType status = PQresultStatus(result);

    if (result == NULL)
        return take_end(c, e, now);
    if (status == PGRES_FATAL_ERROR)
        return take_error(c, e, result);
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        return take_sync(c, e, now);
    }
    if (e == NULL || e->outcome != OUTCOME_NONE) {
        PQclear(result);
        return READ_BROKEN;
    }
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        e->outcome = OUTCOME_ROWS;
        e->result = result;
        return READ_MORE;
    }
    PQclear(result);
    if (status != PGRES_PIPELINE_ABORTED)
        return READ_BROKEN;
    e->outcome = OUTCOME_ABORTED;
    return READ_MORE;
}

static enum reading
read_results(struct db_conn *c, int max, uint64_t now)
{
    enum reading r = READ_MORE;

    for (int n = 0; n < max && r == READ_MORE; n++) {
        /* parses, too: a message may have come that belongs to no query */
        if (PQisBusy(c->pg) || (queue_first(&c->sent) == NULL && !c->sync_due))
            return READ_WAIT;
        r = take_result(c, PQgetResult(c->pg), now);
    }
    return r;
}

void
conn_read(struct db_conn *c)
{
    static const struct timeval at_once = {0, 0}; /* in the next turn: others come first */
    const uint64_t now = clock_ns();
    const bool alive = PQconsumeInput(c->pg) == 1 && PQstatus(c->pg) == CONNECTION_OK;
    enum reading r;

    if (c->state == CONN_JOINING) {
        join_read(c);
        return;
    }
    /* What came before the end of a connection is taken, all of it. */
    c->reason[0] = '\0';
    r = read_results(c, alive ? RESULTS_PER_TURN : INT_MAX, now);
    if (!alive || r == READ_BROKEN) {
        conn_lost(c, c->reason[0] != '\0' ? c->reason
                     : alive              ? "an answer that was not expected"
                                          : PQerrorMessage(c->pg));
        return;
    }
    if (c->state == CONN_SUSPECT && c->progress_ns == now)
        conn_move(c, CONN_UP);
    control_settle(c);
    conn_flush(c);
    conn_refresh(c);
    /* The descriptor does not become readable for what libpq (or TLS below it) holds already. */
    if (r == READ_MORE || (PQsslInUse(c->pg) && c->progress_ns == now && c->sent.count > 0))
        evtimer_add(&c->more, &at_once);
}
