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
#include "trace/window.h"

#include <stdbool.h>
#include <stdint.h>

struct trace_json;

/* The cut is copied; its course and arg live as long as the trace. */
struct trace_json *trace_json_new(const struct span_ring *, const struct trace_cut *);
/* Adds the next piece; false: that was the last one. */
bool trace_json_more(struct trace_json *, struct buf *out);
void trace_json_free(struct trace_json *);

#endif
