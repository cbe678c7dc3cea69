/*
 * Counts the primes in a range of numbers; see sieve.c. The number line is cut into octets of 30
 * numbers: octet i is for 30 i to 30 i + 29.
 */
#ifndef KERNELS_SIEVE_H
#define KERNELS_SIEVE_H

#include "common/attr.h"
#include "kernels/kernel.h"

#define SIEVE_N_MAX 20000000000LL

enum { SIEVE_WHEEL = 30, SIEVE_BITS = 8 };

struct sieve_found {
    uint64_t primes;
    uint64_t largest; /* 0: none */
};

/* Primes in octets begin .. end - 1 that are at most n (and not 2, 3, 5, which have no bit).
 * end <= SIEVE_N_MAX / 30 + 1. Ticks; true: cancelled, *found means nothing. Not re-entrant. */
MUST_CHECK bool sieve_range(uint64_t begin, uint64_t end, uint64_t n, struct task *t,
                            struct sieve_found *found);

#endif
