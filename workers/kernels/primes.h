/*
 * /cpu/primes, see primes.c.
 */
#ifndef KERNELS_PRIMES_H
#define KERNELS_PRIMES_H

#include "kernels/kernel.h"

extern const struct kernel kernel_primes;

#endif
