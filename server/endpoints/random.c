/*
 * random: see random.h.
 */
#include "endpoints/random.h"

uint32_t
random_below(uint64_t *state, uint32_t limit)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (uint32_t)((x * 0x2545f4914f6cdd1dULL >> 32) * limit >> 32);
}
