/*
 * Random numbers for picking rows: fast, not secret (xorshift64*, Vigna 2016).
 */
#ifndef ENDPOINTS_RANDOM_H
#define ENDPOINTS_RANDOM_H

#include <stdint.h>

/* 0 .. limit - 1, evenly enough for limits far below 2^32. `state`: not 0 at first. */
uint32_t random_below(uint64_t *state, uint32_t limit);

#endif
