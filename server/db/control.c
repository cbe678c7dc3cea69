/*
 * control: one connection more, over which this room asks PostgreSQL to stop what nobody waits for.
 *
 *   slow query, client gone ----> CANCELLING: pg_cancel_backend(pid), again every 250 ms: a signal
 *                                 that reached the backend before the query did had no effect
 *      both answers are there --> UP
 *      none within db_answer ---> given up
 *
 *   given up: the connection is closed and another one opened in its place. The old backend holds
 * its place in PostgreSQL until it wakes (it may be stopped, or, while it joins, wait for a lock of
 * somebody): so at most ABANDONED_MAX of them, and each is asked to end, once a second, until it is
 * gone.
 *
 * The connection in question is not used again before the cancel has been answered: else the signal
 * could hit the next query.
 */
#include "common/log.h"
#include "db/parts.h"

#include <string.h>

#define CANCEL_AGAIN_NS (250 * NS_PER_MS)
#define ASK_AGAIN_NS    NS_PER_S

static void
on_counted(struct ticket *t, uint64_t now)
{
    (void)t; /* nobody counts these */
    (void)now;
}

static void
on_cancelled(struct ticket *t, enum failure failure)
{
    struct db_conn *c = DB_CONTAINER(t, struct db_conn, cancel.ticket);

    if (failure != FAIL_NONE)
        log_debug("db: a query could not be cancelled (%d)", (int)failure);
    db_release(&c->cancel);
    control_settle(c);
}

static const struct ticket_hooks cancel_hooks = {on_counted, on_counted, on_cancelled};

void
control_cancel(struct db_conn *c, uint64_t now)
{
    if (c->state == CONN_UP)
        conn_move(c, CONN_CANCELLING);
    else if (c->state != CONN_CANCELLING || c->cancel.entry != NULL ||
             now - c->cancel_ns < CANCEL_AGAIN_NS)
        return;
    c->cancel_ns = now;
    memset(&c->cancel, 0, sizeof(c->cancel));
    c->cancel.ticket.hooks = &cancel_hooks;
    db_start_int(c->db, &c->cancel, SQL_CANCEL_BACKEND, PQbackendPID(c->pg));
}

void
control_settle(struct db_conn *c)
{
    if (c->state == CONN_CANCELLING && c->sent.count == 0 && !c->sync_due &&
        c->cancel.entry == NULL)
        conn_move(c, CONN_UP);
}

/* ---- connections given up ---- */

static void
on_asked(struct ticket *t, enum failure failure)
{
    struct abandoned *a = DB_CONTAINER(t, struct abandoned, query.ticket);

    if (failure == FAIL_NONE && db_rows(&a->query) == 0)
        a->pid = 0;
    db_release(&a->query);
}

static const struct ticket_hooks asked_hooks = {on_counted, on_counted, on_asked};

/* False: no place is left. */
static bool
remember(const struct db_conn *c)
{
    struct db *db = c->db;

    for (unsigned i = 0; i < ABANDONED_MAX; i++) {
        struct abandoned *a = &db->abandoned[i];

        if (a->pid != 0)
            continue;
        a->db = db;
        a->pid = PQbackendPID(c->pg);
        a->asked_ns = 0;
        db->abandoned_total++;
        return true;
    }
    return false;
}

bool
control_abandon(struct db_conn *c, const char *why)
{
    if (!remember(c))
        return false;
    if (c->state == CONN_JOINING)
        conn_failed(c, why);
    else
        conn_lost(c, why);
    return true;
}

void
control_watch(struct db *db, uint64_t now)
{
    for (unsigned i = 0; i < ABANDONED_MAX; i++) {
        struct abandoned *a = &db->abandoned[i];

        if (a->pid == 0 || a->query.entry != NULL || now - a->asked_ns < ASK_AGAIN_NS)
            continue;
        a->asked_ns = now;
        memset(&a->query, 0, sizeof(a->query));
        a->query.ticket.hooks = &asked_hooks;
        db_start_int(db, &a->query, SQL_TERMINATE_BACKEND, a->pid);
    }
}

void
control_close(struct db *db)
{
    for (unsigned i = 0; i < ABANDONED_MAX; i++)
        db_release(&db->abandoned[i].query);
}
