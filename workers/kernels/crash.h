/*
 * /test/crash, see crash.c.
 */
#ifndef KERNELS_CRASH_H
#define KERNELS_CRASH_H

#include "kernels/kernel.h"

extern const struct kernel kernel_crash;

#endif
