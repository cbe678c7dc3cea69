/*
 * random: see random.h. Seeded from the clock at first use.
 */
#include "endpoints/random.h"

#include "common/clock.h"

uint32_t
random_below(uint32_t limit)
{
    static uint64_t state;

    if (state == 0)
        state = clock_ns() | 1;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1dULL >> 32) * limit >> 32);
}
