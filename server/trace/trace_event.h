/*
 * One event of a trace file at a time, in the "Trace Event Format" of Chromium, which Perfetto
 * reads; times are microseconds since the begin of the cut. trace_json.c says which events, and in
 * which order.
 *
 *   X     a bar on a lane whose bars do not overlap: CPU, loop, worker, batch of queries
 *   b e   begin and end, with one id: what overlaps (requests, queries)
 *   C     a counter's new value
 *   M     names of lanes and groups
 */
#ifndef TRACE_TRACE_EVENT_H
#define TRACE_TRACE_EVENT_H

#include "common/buf.h"
#include "common/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_LANES_MAX = 65536 };

/* Where events go to. */
struct trace_writer {
    struct buf *out;
    uint64_t from; /* clock_ns() that is time 0 */
    const char *(*route_name)(const void *arg, unsigned number);
    const void *arg;
    bool begun;                               /* an event is written already */
    unsigned char named[TRACE_LANES_MAX / 8]; /* bit: this lane has its name already */
};

enum trace_counter {
    TRACE_RUNNING,     /* CPUs occupied by our processes: more than 1 is parallelism */
    TRACE_IN_PROGRESS, /* tasks begun and not ended: more than 1 is concurrency */
};

/* Names and order of the groups of lanes. */
void trace_event_groups(struct trace_writer *);
/* A span of any kind but SPAN_CPU. `number`: its own in the ring. */
void trace_event_span(struct trace_writer *, uint64_t number, const struct span *);
/* A SPAN_CPU: who was on this CPU. */
void trace_event_slice(struct trace_writer *, const struct span *);
void trace_event_counter(struct trace_writer *, enum trace_counter, uint64_t at, unsigned value);

#endif
