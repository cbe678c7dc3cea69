/*
 * /db/lock: tasks that share a resource wait for one another. Six requests on one key take six
 * times as long as one; on six keys, once. The lock is an advisory lock of PostgreSQL.
 *
 * The time until PostgreSQL granted the lock counts as queued: nothing was done for the request.
 * Answers arrive in the order in which the lock was held, so the request that held it before is the
 * last one that was answered on this key.
 */
#include "endpoints/endpoints.h"

#include "common/clock.h"
#include "endpoints/kept.h"
#include "request/runner.h"

#include <stdio.h>

enum { LOCK_KEY, LOCK_MS };
const struct param lock_params[] = {
    [LOCK_KEY] = {.name = "key",
                  .kind = PARAM_INT,
                  .min = 1,
                  .max = LOCK_KEYS,
                  .def = 1,
                  .help = "which lock; requests on the same key wait for one another"},
    [LOCK_MS] = {.name = "ms",
                 .kind = PARAM_INT,
                 .min = 0,
                 .max = 10000,
                 .def = 100,
                 .unit = "ms",
                 .help = "how long the lock is held"},
    {.name = NULL},
};

struct lock {
    struct query query;
    bool told; /* it is known whether it held the lock */
};

static uint64_t *
last_holder(const struct req *r)
{
    return &r->runner->endpoints->lock_holder[r->params[LOCK_KEY]];
}

static struct next
lock_answer(struct req *r)
{
    struct lock *s = r->state;
    struct buf *b = req_scratch(r);
    uint64_t waited_us = (uint64_t)db_int(&s->query.q, 0, 0);
    uint64_t holder = *last_holder(r);
    uint64_t lock_ns = waited_us * NS_PER_US;

    if (lock_ns > r->usage.db_ns)
        lock_ns = r->usage.db_ns;
    if (lock_ns > 0) {
        uint64_t sent = clock_ns() - r->usage.db_ns;

        if (r->recorded)
            span_add(r->runner->ring, SPAN_LOCK, s->query.q.lane, r->id, (uint32_t)holder, sent,
                     sent + lock_ns);
        r->usage.db_ns -= lock_ns;
        r->usage.queue_ns += lock_ns;
        r->lock_ns = lock_ns;
    }
    *last_holder(r) = r->id;
    s->told = true;
    buf_addf(b, "{\"key\":%lld,\"held_ms\":%lld,\"lock_wait_ms\":", (long long)r->params[LOCK_KEY],
             (long long)r->params[LOCK_MS]);
    buf_add_ms(b, lock_ns);
    if (lock_ns > 0 && holder != 0)
        buf_addf(b, ",\"waited_for\":\"%llx-%llu\"", (unsigned long long)r->runner->epoch_s,
                 (unsigned long long)holder);
    else
        buf_add_text(b, ",\"waited_for\":null");
    return reply_ran(r, b);
}

struct next
lock_ask(struct req *r)
{
    struct lock *s = req_state_new(r, sizeof(*s));
    char key[24], ms[24];
    const char *params[] = {key, ms};

    snprintf(key, sizeof(key), "%lld", (long long)r->params[LOCK_KEY]);
    snprintf(ms, sizeof(ms), "%lld", (long long)r->params[LOCK_MS]);
    req_query(r, &s->query, SQL_LOCK, params, 2);
    return wait_all(r, lock_answer);
}

void
lock_cleanup(struct req *r)
{
    struct lock *s = r->state;

    if (!s->told)
        *last_holder(r) = 0;
}
