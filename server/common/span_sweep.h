/*
 * Reads the CPU slices of a span ring from a moment backwards, those of all processes in one order
 * of time. Nothing is allocated, the ring may go on meanwhile; what it overwrites is missed, and
 * said so. See span.h.
 */
#ifndef COMMON_SPAN_SWEEP_H
#define COMMON_SPAN_SWEEP_H

#include "common/span_inside.h"

/* Slices by their end, latest first, cut to the window. */
struct span_sweep {
    const struct span_ring *ring;
    uint64_t from, to;
    bool overwritten; /* slices of the window are gone already */
    unsigned count;   /* a heap, latest end on top: the next slice of each process */
    struct span_sweep_entry {
        uint64_t end;
        uint64_t number;
    } heap[SPAN_PROCESSES];
};

void span_sweep_begin(struct span_sweep *, const struct span_ring *, uint64_t from, uint64_t to);
/* False: there are no more. */
bool span_sweep_next(struct span_sweep *, struct span *out);

/* How many CPU lanes were occupied, as stretches of time without a change, latest first: the whole
 * window without gaps. Stretches that follow each other may have the same number. */
struct span_running {
    struct span_sweep sweep;
    struct span slice; /* the next one; start == end: there is none */
    uint64_t at;       /* told down to here */
    unsigned count;    /* lanes occupied just before `at`, and since when each of them */
    struct span_running_lane {
        uint64_t since;
        uint16_t lane;
    } lanes[2 * SPAN_PROCESSES]; /* a process is on one CPU at a time, and may change at `at` */
};

void span_running_begin(struct span_running *, const struct span_ring *, uint64_t from,
                        uint64_t to);
/* False: the window is told. */
bool span_running_next(struct span_running *, uint64_t *from, uint64_t *to, unsigned *lanes);

#endif
