/*
 * Pace: "about every so many microseconds", asked from a loop that may not look at the clock each
 * time round. It counts calls, and learns from the clock how many calls make one period.
 *
 *   pace_tick() pace_tick() ... pace_tick() -> true; the clock is read; how many next time?
 *   '------------- `every` calls -----------'
 *
 * Its error is bounded: at most PACE_CALLS_MAX calls pass between two looks at the clock.
 */
#ifndef COMMON_PACE_H
#define COMMON_PACE_H

#include "common/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { PACE_CALLS_MAX = 256 };

struct pace {
    uint64_t period_ns;
    uint64_t last; /* when the clock was read last */
    unsigned left; /* calls until it is read again */
    unsigned every;
};

static inline void
pace_init(struct pace *p, uint64_t period_ns, uint64_t now)
{
    *p = (struct pace){.period_ns = period_ns, .last = now, .left = 1, .every = 1};
}

/* Reads the clock and sets how many calls to skip. */
static inline void
pace_adjust(struct pace *p)
{
    uint64_t now = clock_ns();
    uint64_t took = now > p->last ? now - p->last : 1;
    uint64_t every = p->every * p->period_ns / took;

    p->every = every < 1 ? 1 : every > PACE_CALLS_MAX ? PACE_CALLS_MAX : (unsigned)every;
    p->left = p->every;
    p->last = now;
}

/* One call. True: about a period has passed; p->last is now. */
static inline bool
pace_tick(struct pace *p)
{
    if (--p->left > 0)
        return false;
    pace_adjust(p);
    return true;
}

#endif
