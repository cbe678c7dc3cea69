/*
 * watch: one coarse timer for everything that is due: 20 ms while anything waits, else a second.
 *
 *   a queued query past its time ------> 503   (sent once before, or with a deadline: 504)
 *   a sent query past its time --------> 504; on an exclusive connection it is cancelled
 *   no answer for db_suspect ----------> suspect: its reads, but for the head, go elsewhere once.
 *                                        The head may be what holds it up: it waits on
 *   no answer for db_answer -----------> the head 504, connection given up
 *   an attempt to connect too long ----> failed
 *   on-demand connection idle a minute > closed; those that shall be ready are opened anew
 *   shared one idle 5 s ---------------> asked whether it lives
 *
 * Should the loop have stood still for long, nobody is blamed for that: in one turn libevent calls
 * readable sockets before timers, so what PostgreSQL has answered meanwhile is taken first.
 */
#include "db/parts.h"

#include "common/log.h"

#include <event2/event.h>
#include <stdio.h>

#define TICK_FAST_NS  (20 * NS_PER_MS)
#define TICK_SLOW_NS  NS_PER_S
#define IDLE_CLOSE_NS (60 * NS_PER_S)
#define IDLE_PING_NS  (5 * NS_PER_S)

/* ---- queries ---- */

static void
late_in_queue(struct db_entry *e, uint64_t now)
{
    (void)now;
    queue_remove(e);
    if (e->own_deadline) {
        entry_fail(e, FAIL_DB_LATE);
    } else {
        e->pool->refused++;
        entry_fail(e, FAIL_DB_FULL);
    }
}

/* Its answer, should it come, is dropped. */
static void
late_in_flight(struct db_entry *e, uint64_t now)
{
    struct db_conn *c = e->conn;

    if (e->query == NULL) {
        e->deadline_ns = UINT64_MAX;
        return;
    }
    entry_fail(entry_detach(&c->db->entries, e), FAIL_DB_LATE);
    if (c->pool->row->cancel)
        control_cancel(c, now);
}

/* The reads behind the head, to whoever can take them now. */
static void
move_reads(struct db_conn *c, uint64_t now)
{
    struct db_entry *e = queue_first(&c->sent);

    if (!c->pool->row->repeat || c->pool->ready == 0 || e == NULL)
        return;
    while ((e = TAILQ_NEXT(e, link)) != NULL) {
        struct db_entry *copy;

        if (e->query == NULL || e->tries > 0 || e->outcome != OUTCOME_NONE)
            continue;
        copy = entry_detach(&c->db->entries, e);
        entry_ended(copy, now);
        copy->tries++;
        entry_again(copy, now);
    }
}

static void
give_up(struct db_conn *c, uint64_t now)
{
    struct db_entry *head = queue_first(&c->sent);
    char why[100];

    if (head != NULL)
        late_in_flight(head, now);
    snprintf(why, sizeof(why), "no answer for %llu ms",
             (unsigned long long)((now - c->progress_ns) / NS_PER_MS));
    (void)control_abandon(c, why); /* too many already: it stays suspect, and may wake */
}

/* ---- connections ---- */

static void
ping(struct db_conn *c, uint64_t now)
{
    struct db_entry *e = entry_get(&c->db->entries);

    e->pool = c->pool;
    e->statement = SQL_PING;
    e->deadline_ns = UINT64_MAX;
    conn_send(c, e, now);
}

static void
watch_idle(struct db_conn *c, uint64_t now)
{
    const uint64_t idle = now - c->progress_ns;

    if (c->sync_due)
        return;
    if (!c->pool->row->keep && idle >= IDLE_CLOSE_NS)
        conn_close(c);
    else if (c->pool->row->ping && idle >= IDLE_PING_NS)
        ping(c, now);
}

static void
watch_answers(struct db_conn *c, uint64_t now)
{
    const struct db_pool *pool = c->pool;
    const uint64_t quiet = now > c->progress_ns ? now - c->progress_ns : 0;

    queue_sweep(&c->sent, now, late_in_flight);
    if (pool->suspect_ns == 0)
        return;
    if (c->state == CONN_UP && quiet >= pool->suspect_ns) {
        log_debug("db: %s connection %u is suspect", pool->row->name, c->index);
        conn_move(c, CONN_SUSPECT);
    }
    if (c->state != CONN_SUSPECT)
        return;
    if (quiet >= pool->answer_ns)
        give_up(c, now);
    else
        move_reads(c, now);
}

static void
watch_cancel(struct db_conn *c, uint64_t now)
{
    if (now - c->state_ns >= c->db->pools[DB_CONTROL].answer_ns &&
        control_abandon(c, "a query could not be cancelled"))
        return;
    if (c->sent.count > 0)
        control_cancel(c, now);
}

static void
watch_conn(struct db_conn *c, uint64_t now)
{
    static const char late[] = "no answer within db_connect";

    switch (c->state) {
    case CONN_OFF:
        break;
    case CONN_LOOKUP:
    case CONN_CONNECTING:
        if (now - c->state_ns >= c->db->connect_ns)
            conn_failed(c, late);
        break;
    case CONN_JOINING: /* too many already: it goes on waiting, and no other one is opened */
        if (now - c->state_ns >= c->db->connect_ns)
            (void)control_abandon(c, late);
        break;
    case CONN_UP:
        if (c->sent.count == 0)
            watch_idle(c, now);
        else
            watch_answers(c, now);
        break;
    case CONN_SUSPECT:
        watch_answers(c, now);
        break;
    case CONN_CANCELLING:
        watch_cancel(c, now);
        break;
    }
}

/* Is there anything that may become due within a second? */
static bool
is_busy(const struct db *db)
{
    for (unsigned i = 0; i < DB_ALL_CLASSES; i++) {
        const struct db_pool *pool = &db->pools[i];

        if (pool->again.count + pool->waiting.count + pool->running + pool->opening > 0 ||
            pool->failing || pool_missing(pool) > 0)
            return true;
    }
    return false;
}

static void
arm(struct db *db, bool fast)
{
    const uint64_t ns = fast ? TICK_FAST_NS : TICK_SLOW_NS;
    const struct timeval tv = {(time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US)};

    db->ticks_fast = fast;
    evtimer_add(&db->tick, &tv);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct db *db = arg;
    const uint64_t now = clock_ns();

    (void)fd;
    (void)what;
    db->ticks_fast = true; /* is armed below */
    for (unsigned i = 0; i < DB_ALL_CLASSES; i++) {
        struct db_pool *pool = &db->pools[i];

        queue_sweep(&pool->again, now, late_in_queue);
        queue_sweep(&pool->waiting, now, late_in_queue);
        for (unsigned j = 0; j < pool->max; j++)
            watch_conn(&pool->conns[j], now);
        if (pool_missing(pool) > 0)
            pool_open_due(pool, now);
    }
    control_watch(db, now);
    if (!evtimer_pending(&db->tick, NULL))
        arm(db, is_busy(db));
}

void
watch_soon(struct db *db)
{
    if (!db->ticks_fast && !db->none)
        arm(db, true);
}

void
watch_now(struct db *db)
{
    db->ticks_fast = true;
    evtimer_add(&db->tick, (&(struct timeval){0, 0}));
}

void
watch_begin(struct db *db)
{
    evtimer_assign(&db->tick, db->base, on_tick, db);
    if (!db->none)
        watch_now(db); /* the first connections are opened from the loop */
}
