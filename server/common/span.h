/*
 * The span ring: what really ran, when, where and for whom. Every room of the front end records
 * into it; trace/ draws from it. One writer (the loop thread), no locks, never allocates after
 * init: the newest spans overwrite the oldest. Tour 9/9.
 *
 * CPU slices (which of our processes occupied which CPU) go into a smaller ring of their own, so
 * that a flood of requests can't push them out and "running" can be computed quickly.
 */
#ifndef COMMON_SPAN_H
#define COMMON_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum span_kind {
    SPAN_REQUEST, /* lane requests: from its head read to its answer written; arg = route number */
    SPAN_GATE,    /* lane requests: waited for its turn (max_in_progress) */
    SPAN_QUEUE,   /* lane requests: waited for a database connection or a worker */
    SPAN_LOOP,    /* lane loop: own work of one request on the loop thread; arg = step number */
    SPAN_TURN,    /* lane loop: requests answered in the turn they were parsed in; arg = how many */
    SPAN_QUERY, /* lane of its connection: a query, from send to answer (overlap on shared ones) */
    SPAN_BATCH, /* lane of a shared connection: from send to Sync; arg = queries in it */
    SPAN_LOCK,  /* lane of its connection: waited for a lock; arg = low 32 bits of the request
                   that held it */
    SPAN_TASK,  /* lane of a worker (or loop): one task of a job; arg = stage << 24 | task */
    SPAN_CPU,   /* lane of a CPU: one of our processes was on it; request = 0, arg = who:
                   0 the loop, 1 + i worker i */
    SPAN_KINDS
};
extern const char *const span_kind_names[]; /* "request", "gate", ... */

/* Lanes: a group in the high byte, the number of connection, worker or CPU in the low ones. */
enum lane {
    LANE_LOOP = 0x0000,
    LANE_CPU = 0x1000,
    LANE_DB_FAST = 0x2000,
    LANE_DB_WRITE = 0x3000,
    LANE_DB_SLOW = 0x4000,
    LANE_WORKER = 0x5000,
    LANE_REQUEST = 0x6000,
    LANE_GROUP_MASK = 0xf000,
};

struct span {
    uint64_t start; /* clock_ns() */
    uint64_t end;
    uint64_t request; /* 0: of no single request */
    uint32_t arg;
    uint16_t lane;
    uint8_t kind; /* enum span_kind */
    uint8_t spare;
};

struct span_ring;

/* A ring of `octets` (rounded down to a power of two of spans; CPU slices get an eighth of it on
 * top). record = false: span_add() does nothing, for measuring what recording costs. */
struct span_ring *span_ring_new(size_t octets, bool record);
void span_ring_free(struct span_ring *);

/* Records one span. Those of no single request are thinned out above 4,000 a second.
 * SPAN_CPU goes into the ring of slices. Slices of one process come in order and are kept disjoint;
 * those of several processes come mixed and some milliseconds late: span_sweep.h reads them in
 * order, and unites those of one CPU lane. A slice that goes on where its process' newest one ended
 * makes that one longer, up to 20 ms: only then is it final. */
void span_add(struct span_ring *, enum span_kind kind, unsigned lane, uint64_t request,
              uint32_t arg, uint64_t start, uint64_t end);

/* Should the spans of a request that begins now be recorded? Above 4,000 spans a second whole
 * requests are sampled: one of span_ring_sampling() is recorded. */
bool span_ring_sample(struct span_ring *, uint64_t now);
unsigned span_ring_sampling(const struct span_ring *);
/* The most there was in this time, a minute back at most: one in so many requests was recorded, one
 * in so many spans of no single request. */
void span_ring_sampled(const struct span_ring *, uint64_t from, uint64_t to, unsigned *requests,
                       unsigned *others);

/* Reading: spans numbered from 0 in the order in which they were recorded (that is: by end, about).
 * [span_ring_first, span_ring_next) are there. Copies; false when that number is gone. */
uint64_t span_ring_first(const struct span_ring *);
uint64_t span_ring_next(const struct span_ring *);
bool span_ring_get(const struct span_ring *, uint64_t number, struct span *out);
/* The same for CPU slices. */
uint64_t span_ring_cpu_first(const struct span_ring *);
uint64_t span_ring_cpu_next(const struct span_ring *);
bool span_ring_cpu_get(const struct span_ring *, uint64_t number, struct span *out);

/* How many CPU lanes were occupied by our processes at most at one instant in [start, end]; in
 * *busy_ns the time of all lanes in that window (may be NULL). A millisecond for a full ring. In
 * span_sweep.c. */
unsigned span_ring_running_max(const struct span_ring *, uint64_t start, uint64_t end,
                               uint64_t *busy_ns);

#endif
