/*
 * The bars of a timeline: which request had which CPU when, and what each request waited for. A CPU
 * slice says only which process was there; what that process worked on is told by the spans of its
 * lane, so the two are intersected:
 *
 *   worker 1 on cpu 0    ====slice====      ====slice====
 *   tasks of worker 1  [ task of 3  ][ task of 5         ]
 *   bars on cpu 0        333333333 55       5555555555555
 *
 * What is narrower than `grain` is merged with what is beside it, so that there are never more than
 * BARS_MAX: where there would be, the grain is doubled and all is done again.
 */
#ifndef TRACE_BARS_H
#define TRACE_BARS_H

#include "common/span_inside.h"
#include "trace/picture.h"

#include <stdbool.h>
#include <stdint.h>

enum { BARS_MAX = 2000, BARS_SPLIT_MAX = 4 };

enum bar_kind {
    BAR_CPU,   /* on the lane of a CPU */
    BAR_BLOCK, /* in the row of a request: on a CPU */
    BAR_WAIT,  /* in the row of a request: PostgreSQL works for it, or waits */
    BAR_QUEUE, /* in the row of a request: waits for its turn, a connection, a worker or a lock */
    BAR_KINDS
};

struct bar {
    uint64_t start, end;
    enum bar_kind kind;
    int row;   /* its request, or -1: one without a row, or the loop's own */
    int lane;  /* of the CPU, or -1 */
    bool loop; /* the loop was on the CPU, not a worker */
};

/* A bar that may still grow. */
struct bar_open {
    struct bar bar;
    uint64_t longest; /* the longest part of it: whose colour it has */
    bool open;
};

struct bars {
    struct picture *picture;
    struct bar list[BARS_MAX];
    unsigned count;
    uint64_t grain; /* ns: half a pixel, or more */
    bool split;     /* some request was on two CPUs at once: rows show the CPUs apart */
    bool seen[BAR_KINDS], seen_loop; /* wide enough to be asked what it is */

    /* ---- its own ---- */
    bool begun, too_many;
    unsigned at;                    /* next slice; then, from behind, next span */
    int32_t *before;                /* number of a span -> the one before it of the same process */
    int32_t latest[SPAN_PROCESSES]; /* process -> its next span, going back; -1: none */
    struct bar_open lanes[PICTURE_CPUS];
    struct bar_open blocks[PICTURE_ROWS][BARS_SPLIT_MAX];
    struct bar_open waits[PICTURE_ROWS][2];
};

/* The picture is all there, and lives as long. */
void bars_init(struct bars *, struct picture *, uint64_t grain);
/* Makes the next piece. False: all are in the list. */
bool bars_more(struct bars *);
void bars_fini(struct bars *);

#endif
