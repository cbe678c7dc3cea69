/*
 * clock: see clock.h. Runs in every process; owns one pointer, the clock that tests put in place.
 */
#include "common/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t (*clock_source)(void);

static uint64_t
read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_ns(void)
{
    if (clock_source != NULL)
        return clock_source();
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void
clock_set_source(uint64_t (*fake)(void))
{
    clock_source = fake;
}
