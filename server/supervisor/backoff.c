/*
 * backoff: see backoff.h. Plain arithmetic on times that the caller gives; runs in the supervisor.
 *
 * Several workers that die in one round (say, all of them, because their program is broken) must
 * not double the wait several times: what dies before retry_ns joins the round that is waiting.
 */
#include "supervisor/backoff.h"

static void
forget_when_quiet(struct backoff *b, uint64_t now)
{
    uint64_t last;

    if (b->count == 0)
        return;
    last = b->deaths[(b->count - 1) % BACKOFF_DEATHS];
    if (now - last > BACKOFF_WINDOW_NS + b->wait_ns)
        *b = (struct backoff){0};
}

bool
backoff_waits(const struct backoff *b, uint64_t now)
{
    return now < b->retry_ns;
}

uint64_t
backoff_death(struct backoff *b, uint64_t now)
{
    forget_when_quiet(b, now);
    if (backoff_waits(b, now))
        return b->retry_ns;
    b->deaths[b->count % BACKOFF_DEATHS] = now;
    b->count++;
    if (b->wait_ns > 0)
        b->wait_ns = b->wait_ns * 2 < BACKOFF_LAST_NS ? b->wait_ns * 2 : BACKOFF_LAST_NS;
    else if (b->count >= BACKOFF_DEATHS &&
             now - b->deaths[b->count % BACKOFF_DEATHS] <= BACKOFF_WINDOW_NS)
        b->wait_ns = BACKOFF_FIRST_NS;
    b->retry_ns = now + b->wait_ns;
    return b->retry_ns;
}
