/*
 * trace_json: see trace_json.h. Runs in the front end, a piece at a time: what walk.c tells is
 * written as events at once; time 0 is the begin of what can be shown whole.
 */
#include "trace/trace_json.h"

#include "common/clock.h"
#include "common/log.h"
#include "trace/trace_event.h"
#include "trace/walk.h"

#include <stdlib.h>

struct trace_json {
    struct trace_walk walk;
    struct trace_writer writer;
    bool ended;
};

static void
json_begin(void *arg, uint64_t from)
{
    struct trace_json *t = arg;

    t->writer.from = from;
    buf_add_text(t->writer.out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    trace_event_groups(&t->writer);
}

static void
json_slice(void *arg, const struct span *s)
{
    struct trace_json *t = arg;

    trace_event_slice(&t->writer, s);
}

static void
json_running(void *arg, uint64_t at, unsigned lanes)
{
    struct trace_json *t = arg;

    trace_event_counter(&t->writer, TRACE_RUNNING, at, lanes);
}

static void
json_span(void *arg, uint64_t number, const struct span *s)
{
    struct trace_json *t = arg;

    trace_event_span(&t->writer, number, s);
}

static void
json_in_progress(void *arg, uint64_t at, unsigned tasks)
{
    struct trace_json *t = arg;

    trace_event_counter(&t->writer, TRACE_IN_PROGRESS, at, tasks);
}

static const struct trace_sink json_sink = {
    .begin = json_begin,
    .slice = json_slice,
    .running = json_running,
    .span = json_span,
    .in_progress = json_in_progress,
};

struct trace_json *
trace_json_new(const struct span_ring *ring, const struct trace_cut *cut)
{
    struct trace_json *t = xcalloc(1, sizeof(*t));

    t->writer.route_name = cut->route_name;
    t->writer.arg = cut->arg;
    trace_walk_init(&t->walk, ring, cut, &json_sink, t);
    return t;
}

void
trace_json_free(struct trace_json *t)
{
    if (t == NULL)
        return;
    trace_walk_fini(&t->walk);
    free(t);
}

static void
write_end(struct trace_json *t)
{
    const struct trace_walk *w = &t->walk;
    unsigned requests, others;

    span_ring_sampled(w->ring, w->window.from, w->cut.to, &requests, &others);
    buf_add_text(t->writer.out, "],\n\"otherData\":{\"asked_ms\":");
    buf_add_ms(t->writer.out, w->cut.to - w->cut.from);
    buf_add_text(t->writer.out, ",\"covers_ms\":");
    buf_add_ms(t->writer.out, w->cut.to - w->window.from);
    buf_addf(t->writer.out,
             ",\"spans\":%u,\"cpu_slices\":%u,\"left_out\":%u,\"requests_recorded\":\"1 of %u\","
             "\"turns_and_batches_recorded\":\"1 of %u\"}}\n",
             w->spans, w->slices, w->left_out, requests, others);
    t->ended = true;
}

bool
trace_json_more(struct trace_json *t, struct buf *out)
{
    t->writer.out = out;
    if (!t->ended && !trace_walk_more(&t->walk))
        write_end(t);
    return !t->ended;
}
