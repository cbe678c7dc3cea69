/*
 * When may what keeps dying be started again? At once, until five deaths came within 5 s; then
 * after 0.1 s, and after twice the last wait for each further round, up to 5 s. Quiet for 5 s
 * longer than the last wait: all is forgotten.
 *
 * Used for the pool of workers of one generation, and for front ends.
 */
#ifndef SUPERVISOR_BACKOFF_H
#define SUPERVISOR_BACKOFF_H

#include "common/attr.h"
#include "common/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { BACKOFF_DEATHS = 5 };

#define BACKOFF_WINDOW_NS (5 * NS_PER_S)
#define BACKOFF_FIRST_NS  (NS_PER_S / 10)
#define BACKOFF_LAST_NS   (5 * NS_PER_S)

struct backoff {                     /* {0} is healthy */
    uint64_t deaths[BACKOFF_DEATHS]; /* a ring: times of the last ones */
    unsigned count;
    uint64_t wait_ns;  /* of the present round; 0: healthy */
    uint64_t retry_ns; /* when that wait ends */
};

/* One death more, at `now`. Returns when the next start is due: `now` itself, or later. */
MUST_CHECK uint64_t backoff_death(struct backoff *, uint64_t now);

/* Waiting at `now`? */
bool backoff_waits(const struct backoff *, uint64_t now);

#endif
