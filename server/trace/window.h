/*
 * The part of a wanted stretch of time that can be shown whole: where there is more than a trace
 * may carry, or the rings do not reach so far back, it begins later. So what is drawn is complete
 * from its first moment to its last, and says which time it covers. Looked for in pieces.
 */
#ifndef TRACE_WINDOW_H
#define TRACE_WINDOW_H

#include "common/course.h"
#include "common/span.h"
#include "common/span_sweep.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_SPANS_MAX = 20000, TRACE_SLICES_MAX = 8000 };

/* What is wanted of the rings. */
struct trace_cut {
    uint64_t from, to; /* clock_ns() */
    /* Does this request belong to it? NULL: all do. Spans of no request always do. */
    bool (*belongs)(const void *arg, uint64_t request);
    /* Tasks in progress. NULL: of the one request that belongs to it, from its spans. */
    const struct course *course;
    const char *(*route_name)(const void *arg, unsigned number);
    const void *arg;
};

struct trace_window {
    const struct span_ring *ring;
    const struct trace_cut *cut;
    uint64_t from;        /* from here to cut->to all is there */
    uint64_t first, last; /* numbers of spans among which those of the window are */
    unsigned slices, spans;
    bool slices_done;
    struct span_sweep sweep;
};

void trace_window_begin(struct trace_window *, const struct span_ring *, const struct trace_cut *);
/* Looks further. False: from, first and last are final. */
bool trace_window_more(struct trace_window *);
/* Is this span to be shown? */
bool trace_window_has(const struct trace_window *, const struct span *);

#endif
