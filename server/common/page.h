/*
 * The page that a worker shares with the front end: 4 KiB of a memfd, mapped by both. The worker
 * writes, the front end reads and trusts nothing in it; only `cancel` goes the other way.
 */
#ifndef COMMON_PAGE_H
#define COMMON_PAGE_H

#include "common/slices.h"

#include <stdatomic.h>
#include <stdint.h>

enum { PAGE_OCTETS = 4096, PAGE_SLICES = 160 };

struct worker_page {
    _Atomic uint64_t heartbeat;  /* raised by every task_tick() */
    _Atomic uint64_t job;        /* job of the running task; 0: idle */
    _Atomic uint64_t cancel_job; /* by the front end: stop when job equals it */
    _Atomic uint32_t stage;      /* of the running task */
    _Atomic uint32_t index;
    _Atomic uint32_t exact;       /* slices come from perf events, not from ticks */
    _Atomic uint32_t ready;       /* the worker has reached its loop */
    _Atomic uint64_t slices_next; /* number of slices written so far; slot = number % PAGE_SLICES */
    struct slice slices[PAGE_SLICES];
};

_Static_assert(sizeof(struct worker_page) <= PAGE_OCTETS, "the page is one page");

#endif
