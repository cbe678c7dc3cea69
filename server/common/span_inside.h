/*
 * What span.c and span_sweep.c share: the two rings, and for each CPU slice the way back to the one
 * before it of the same process. For these two files only.
 */
#ifndef COMMON_SPAN_INSIDE_H
#define COMMON_SPAN_INSIDE_H

#include "common/span.h"

enum {
    SPAN_PROCESSES = 1 + 256, /* the loop and as many workers as there may be */
    SPAN_CPUS = LANE_DB_FAST - LANE_CPU,
    SPAN_SECONDS = 64, /* so long is remembered how many were left out */
};

struct ring {
    struct span *spans;
    uint64_t next; /* number of the next one; its slot is that number modulo the size */
    uint64_t mask;
};

/* Chooses one in `one_in`, so that what was chosen gives some 4,000 spans a second. */
struct thinning {
    uint64_t second;
    uint64_t recorded; /* spans that came of it since `one_in` was set */
    uint64_t allowed;  /* so many may come before `one_in` is doubled */
    uint64_t wanted;   /* spans of this second before that, had none been left out */
    unsigned one_in, turn;
    struct {
        uint64_t second;
        unsigned most; /* of one_in */
    } past[SPAN_SECONDS];
};

struct span_ring {
    struct ring spans, slices;
    uint32_t *back; /* slot of a slice -> how many numbers before it the one of the same process is;
                       0: there is none */
    uint64_t latest[SPAN_PROCESSES]; /* 1 + number of the newest slice of each process; 0: none */
    bool record;
    struct thinning requests; /* of requests: span_ring_sample() */
    struct thinning others;   /* of spans of no single request: turns and batches */
};

/* Number of the oldest that is there. */
static inline uint64_t
ring_first(const struct ring *r)
{
    return r->next > r->mask + 1 ? r->next - r->mask - 1 : 0;
}

#endif
