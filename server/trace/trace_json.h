/*
 * What ran, as Chrome trace events (JSON): opens in ui.perfetto.dev. Written in pieces of well
 * under a millisecond, so that the loop goes on meanwhile.
 *
 *   lanes that are drawn: CPUs (who was on them), the loop, connections to PostgreSQL, workers;
 *   requests and queries are "async" events, since they overlap
 *   the two counts: running, in progress
 */
#ifndef TRACE_TRACE_JSON_H
#define TRACE_TRACE_JSON_H

#include "common/buf.h"
#include "common/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_SPANS_MAX = 20000, TRACE_SLICES_MAX = 8000 };

/* What is wanted of the ring. */
struct trace_cut {
    uint64_t from, to; /* clock_ns() */
    /* Does this request belong to it? NULL: all do. Spans of no request always do. */
    bool (*belongs)(const void *arg, uint64_t request);
    const char *(*route_name)(const void *arg, unsigned number);
    const void *arg;
};

struct trace_json;

struct trace_json *trace_json_new(const struct span_ring *, const struct trace_cut *);
/* Adds the next piece; false: that was the last one. */
bool trace_json_more(struct trace_json *, struct buf *out);
void trace_json_free(struct trace_json *);

/* When this request began and ended, from its own span; false: it is not in the ring. */
bool trace_find_request(const struct span_ring *, uint64_t request, uint64_t *from, uint64_t *to);

#endif
