/*
 * The clocks: one monotonic time for every span, deadline and measurement, and the CPU time of
 * the calling thread. All in nanoseconds. Tests put a clock of their own in place of the first.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

/* CLOCK_MONOTONIC in nanoseconds; never 0. */
uint64_t clock_ns(void);

/* CPU time of the calling thread in nanoseconds (CLOCK_THREAD_CPUTIME_ID). A system call: about
 * 0.3 us; call it per task, not per row. */
uint64_t clock_thread_cpu_ns(void);

/* From now on clock_ns() returns what `fake` returns; NULL gives the real clock back. For tests. */
void clock_set_source(uint64_t (*fake)(void));

#endif
