/*
 * pool: the classes of connections. Here it is decided which connection takes a query, how many
 * connections there are, and whether PostgreSQL counts as down.
 *
 *   class     connections        in flight   Sync              an answer counts
 *   fast      all, always        many each   one per turn      when it comes
 *   write     on demand          one each    after each        when it is committed
 *   slow      some, or on demand one each    after each        when it is committed
 *   control   one, always        many        after each turn   when it comes
 *
 * A pool is down when it has no connection and the last attempt to get one has failed (on demand:
 * the last four, or the fast pool is down): then what waits is told so, and what comes is refused
 * at once. Attempts go on, one at a time, with at most about 0.4 s between them; while nothing has
 * failed yet, queries wait.
 */
#include "db/parts.h"

#include "common/log.h"

#include <event2/event.h>

#define BACKOFF_SHORT_NS (50 * NS_PER_MS)
#define BACKOFF_LONG_NS  (300 * NS_PER_MS)
#define FLAPPING_NS      NS_PER_S

/* Starting a connection costs 0.1 ms or more of the loop's time. */
enum { OPEN_PER_TURN = 4 };

enum { FAST_DEPTH = 512, FAST_FILL = 32, CONTROL_DEPTH = 64, BACKOFF_DOUBLINGS = 4 };

const struct class_row pool_rows[DB_ALL_CLASSES] = {
    [DB_FAST] = {.name = "fast",
                 .lane = LANE_DB_FAST,
                 .depth = FAST_DEPTH,
                 .fill = FAST_FILL,
                 .keep = true,
                 .repeat = true,
                 .ping = true},
    [DB_WRITE] = {.name = "write", .lane = LANE_DB_WRITE, .depth = 1, .fill = 1, .at_sync = true},
    [DB_SLOW] = {.name = "slow",
                 .lane = LANE_DB_SLOW,
                 .depth = 1,
                 .fill = 1,
                 .at_sync = true,
                 .repeat = true,
                 .cancel = true},
    [DB_CONTROL] = {.name = "control",
                    .lane = LANE_DB_FAST, /* never recorded */
                    .depth = CONTROL_DEPTH,
                    .fill = CONTROL_DEPTH,
                    .keep = true,
                    .repeat = true},
};

/* ---- up and down ---- */

bool
pool_is_down(const struct db_pool *pool, uint64_t now)
{
    const struct db_pool *fast = &pool->db->pools[DB_FAST];

    if (pool->db->none)
        return true;
    if (pool->up > 0)
        return false;
    if (pool->row->keep)
        return pool->failing;
    if (fast->up == 0 && fast->failing)
        return true;
    /* On demand: PostgreSQL is there, but has perhaps no place just now; queries wait a while, and
     * later the next query is the next attempt. */
    return pool->failing && pool->attempts >= BACKOFF_DOUBLINGS && now < pool->retry_ns;
}

static void
fail_waiting(struct db_queue *queue)
{
    struct db_entry *e;

    while ((e = queue_first(queue)) != NULL) {
        queue_remove(e);
        entry_fail(e, FAIL_DB_DOWN);
    }
}

/* Jittered, so that the connections of many front ends do not come back in one instant: 3/4 to 5/4
 * of 50, 100, 200, 300 ms. The clock's last digits are random enough for that. */
static void
back_off(struct db_pool *pool, uint64_t now)
{
    uint64_t wait = BACKOFF_SHORT_NS << pool->attempts;

    if (wait > BACKOFF_LONG_NS)
        wait = BACKOFF_LONG_NS;
    pool->retry_ns = now + wait * 3 / 4 + clock_ns() % (wait / 2);
    if (pool->attempts < BACKOFF_DOUBLINGS)
        pool->attempts++;
}

void
pool_note_failure(struct db_pool *pool, uint64_t now)
{
    struct db *db = pool->db;

    pool->failing = true;
    /* Those that were tried at once count as one: PostgreSQL may refuse all of them because of each
     * other, where one alone would be granted. */
    if (now >= pool->retry_ns)
        back_off(pool, now);
    for (unsigned i = 0; i < DB_ALL_CLASSES; i++) {
        struct db_pool *p = &db->pools[i];

        if (pool_is_down(p, now)) {
            fail_waiting(&p->again);
            fail_waiting(&p->waiting);
        }
    }
}

void
pool_note_up(struct db_pool *pool, uint64_t now)
{
    struct db *db = pool->db;

    pool->failing = false;
    pool->attempts = 0;
    if (pool->class == DB_FAST && pool->up == 1) {
        log_info("db: PostgreSQL %d.%d is up", db->server_version / 10000,
                 db->server_version % 10000);
        db->last_error[0] = '\0';
        for (unsigned i = 0; i < DB_ALL_CLASSES; i++)
            db->pools[i].retry_ns = now;
    }
    pool_open_due(pool, now);
}

void
pool_note_lost(struct db_pool *pool, uint64_t now, uint64_t lived_ns)
{
    if (lived_ns >= FLAPPING_NS)
        pool->retry_ns = now;
    else
        back_off(pool, now);
}

/* How many are missing of those that are always open. Classes on demand wait for PostgreSQL to be
 * there: the first to try are the fast ones. */
unsigned
pool_missing(const struct db_pool *pool)
{
    const unsigned have = pool->up + pool->opening;

    if (!pool->row->keep && pool->db->pools[DB_FAST].up == 0)
        return 0;
    return pool->least > have ? pool->least - have : 0;
}

/* How many connections more are wanted now. */
static unsigned
wanted(const struct db_pool *pool)
{
    const unsigned room = pool->max - pool->up - pool->opening;
    unsigned n = pool_missing(pool);

    if (!pool->row->keep) {
        const unsigned waiting = pool->again.count + pool->waiting.count;
        const unsigned coming = pool->opening + (unsigned)__builtin_popcountll(pool->ready);
        const unsigned unserved = waiting > coming ? waiting - coming : 0;

        n = n > unserved ? n : unserved;
    }
    n = n < room ? n : room;
    if (pool->failing && n > 0)
        n = pool->opening == 0 ? 1 : 0;
    return n;
}

void
pool_open_due(struct db_pool *pool, uint64_t now)
{
    unsigned n = wanted(pool);

    if (now < pool->retry_ns)
        return;
    if (n > OPEN_PER_TURN) {
        n = OPEN_PER_TURN;
        watch_now(pool->db);
    }
    for (unsigned i = 0; i < pool->max && n > 0; i++) {
        /* an attempt may fail on the spot */
        if (now < pool->retry_ns)
            return;
        if (pool->conns[i].state != CONN_OFF)
            continue;
        conn_open(&pool->conns[i]);
        n--;
    }
}

/* ---- queries to connections ---- */

/* The first one that has little in flight: one connection serves a few clients best, and on-demand
 * ones stay few. When all have much, the one that has least. */
static struct db_conn *
pick(struct db_pool *pool)
{
    struct db_conn *least = NULL;

    for (uint64_t rest = pool->ready; rest != 0; rest &= rest - 1) {
        struct db_conn *c = &pool->conns[__builtin_ctzll(rest)];

        if (c->sent.count < pool->row->fill)
            return c;
        if (least == NULL || c->sent.count < least->sent.count)
            least = c;
    }
    return least;
}

void
pool_dispatch(struct db_pool *pool, uint64_t now)
{
    struct db_entry *e;
    struct db_conn *c;

    for (;;) {
        e = now >= pool->again_ns ? queue_first(&pool->again) : NULL;
        if (e == NULL)
            e = queue_first(&pool->waiting);
        if (e == NULL || (c = pick(pool)) == NULL)
            break;
        queue_remove(e);
        conn_send(c, e, now);
    }
    if (!pool->row->keep && pool->again.count + pool->waiting.count > 0)
        pool_open_due(pool, now);
}

static void
send_dirty(struct db_pool *pool)
{
    while (pool->dirty != 0) {
        struct db_conn *c = &pool->conns[__builtin_ctzll(pool->dirty)];

        pool->dirty &= pool->dirty - 1;
        conn_sync(c);
        if (c->pg != NULL)
            conn_flush(c);
    }
}

void
db_turn_end(struct db *db)
{
    if (db->kicked)
        event_del(&db->kick);
    db->kicked = false;
    for (unsigned i = 0; i < DB_ALL_CLASSES; i++) {
        struct db_pool *pool = &db->pools[i];

        if (pool->again.count + pool->waiting.count > 0)
            pool_dispatch(pool, clock_ns());
        send_dirty(pool);
    }
}
