/*
 * The CPU part of /work, see spin.c.
 */
#ifndef KERNELS_SPIN_H
#define KERNELS_SPIN_H

#include "kernels/kernel.h"

extern const struct kernel kernel_spin;

#endif
