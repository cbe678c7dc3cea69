/*
 * Kernels for the tests of jobs/ and of the worker: each shows one way in which a job can go.
 */
#ifndef TESTS_JOB_KERNELS_H
#define TESTS_JOB_KERNELS_H

#include "kernels/kernel.h"

extern const struct kernel kernel_sum;          /* n: 1 + 2 + ... + n, in sections */
extern const struct kernel kernel_area;         /* n octets: stage 0 fills them, 1 adds them up */
extern const struct kernel kernel_spin;         /* n ms, or until it is told to stop */
extern const struct kernel kernel_crash;        /* exits */
extern const struct kernel kernel_hang;         /* sleeps without a tick */
extern const struct kernel kernel_refuse;       /* plan says no */
extern const struct kernel kernel_bad;          /* run says no */
extern const struct kernel kernel_wrong;        /* next says no */
extern const struct kernel kernel_wide;         /* an area of n MiB */
extern const struct kernel kernel_workers_only; /* may not run in the loop */

#endif
