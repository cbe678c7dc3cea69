/*
 * Through all that a trace shows, a piece of well under a millisecond at a time: whoever draws is
 * told of each thing, and the loop goes on between the pieces.
 *
 *   look (window.h) -> begin -> CPU slices -> running -> spans -> in progress -> done
 *
 * CPU slices and "running" come latest first, spans and "in progress" about in order of time. What
 * is overwritten while a slow reader reads is counted as left out.
 */
#ifndef TRACE_WALK_H
#define TRACE_WALK_H

#include "common/span.h"
#include "common/span_sweep.h"
#include "trace/edges.h"
#include "trace/window.h"

#include <stdbool.h>
#include <stdint.h>

/* Who draws; none may be NULL. */
struct trace_sink {
    void (*begin)(void *arg, uint64_t from); /* the window is known: all is there from here on */
    /* SPAN_CPU; slices of one CPU do not overlap. */
    void (*slice)(void *arg, const struct span *);
    /* So many CPUs were occupied from here to where the call before this one began. */
    void (*running)(void *arg, uint64_t at, unsigned lanes);
    /* Any other span that belongs to the cut; `number` is its own in the ring. */
    void (*span)(void *arg, uint64_t number, const struct span *);
    /* So many tasks were in progress from here on. A peak comes as two calls of one moment. */
    void (*in_progress)(void *arg, uint64_t at, unsigned tasks);
};

enum walk_phase { WALK_LOOK, WALK_SLICES, WALK_RUNNING, WALK_SPANS, WALK_IN_PROGRESS, WALK_DONE };

struct trace_walk {
    const struct span_ring *ring;
    struct trace_cut cut;
    const struct trace_sink *sink;
    void *arg;
    enum walk_phase phase;
    struct trace_window window;
    unsigned spans, slices, left_out;

    /* ---- its own ---- */
    uint64_t next; /* number of a span, or of a point of the course */
    struct span_sweep sweep;
    uint64_t occupied[SPAN_CPUS]; /* lane of a CPU -> down to when slices are told; 0: none */
    struct span_running running;
    bool running_known; /* running_now is what the earliest stretch so far had */
    unsigned running_now;
    struct edges tasks; /* of one request */
    unsigned tasks_now;
    uint64_t request_from; /* it is in progress from here on */
};

/* The cut is copied; its course and arg, the sink and its arg live as long as the walk. */
void trace_walk_init(struct trace_walk *, const struct span_ring *, const struct trace_cut *,
                     const struct trace_sink *, void *arg);
/* Tells the next piece. False: all is told. */
bool trace_walk_more(struct trace_walk *);
void trace_walk_fini(struct trace_walk *);

/* When this request began and ended, from its own span; false: it is not in the ring. */
bool trace_find_request(const struct span_ring *, uint64_t request, uint64_t *from, uint64_t *to);

#endif
