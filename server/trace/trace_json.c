/*
 * trace_json: see trace_json.h. Runs in the front end, a piece at a time: each phase takes up to a
 * few hundred events from where it was and leaves the rest to the next piece.
 *
 *   begin -> CPU slices -> running -> spans -> in progress -> end
 *
 * CPU slices and the counter "running" are swept from the end of the cut backwards; spans are read
 * from the number that the ring had when it was asked. What is overwritten meanwhile is counted as
 * left out. The counter "in progress" is made of the spans that were written; where some are
 * missing it would be wrong, and is left out.
 */
#include "trace/trace_json.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/span_sweep.h"
#include "trace/edges.h"
#include "trace/trace_event.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_A_PIECE = 400 };

enum phase {
    PHASE_BEGIN,
    PHASE_SLICES,
    PHASE_RUNNING,
    PHASE_SPANS,
    PHASE_IN_PROGRESS,
    PHASE_END,
    PHASE_OVER,
};

struct trace_json {
    const struct span_ring *ring;
    struct trace_cut cut;
    struct trace_writer writer;
    enum phase phase;
    uint64_t next, last; /* span numbers */
    unsigned written, slices, left_out;
    struct span_sweep sweep;
    uint64_t occupied[SPAN_CPUS]; /* lane of a CPU -> down to when slices are written; 0: none */
    struct span_running running;
    bool running_known; /* running_now is what the earliest stretch so far had */
    unsigned running_now;
    struct edges tasks;
};

struct trace_json *
trace_json_new(const struct span_ring *ring, const struct trace_cut *cut)
{
    struct trace_json *t = xcalloc(1, sizeof(*t));

    t->ring = ring;
    t->cut = *cut;
    t->writer.from = cut->from;
    t->writer.route_name = cut->route_name;
    t->writer.arg = cut->arg;
    t->next = span_ring_first(ring);
    t->last = span_ring_next(ring);
    return t;
}

void
trace_json_free(struct trace_json *t)
{
    if (t == NULL)
        return;
    edges_fini(&t->tasks);
    free(t);
}

static void
write_begin(struct trace_json *t)
{
    buf_add_text(t->writer.out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    trace_event_groups(&t->writer);
    span_sweep_begin(&t->sweep, t->ring, t->cut.from, t->cut.to);
    t->phase = PHASE_SLICES;
}

/* Two processes can't have had one CPU at once: by ticks it may look so for some microseconds, and
 * then the later slice has it. */
static void
write_slices(struct trace_json *t)
{
    struct span s;

    for (unsigned n = 0; n < EVENTS_A_PIECE; n++) {
        uint64_t *occupied;

        if (t->slices == TRACE_SLICES_MAX || !span_sweep_next(&t->sweep, &s)) {
            t->left_out += t->slices == TRACE_SLICES_MAX || t->sweep.overwritten;
            span_running_begin(&t->running, t->ring, t->cut.from, t->cut.to);
            t->phase = PHASE_RUNNING;
            return;
        }
        occupied = &t->occupied[s.lane - LANE_CPU];
        if (*occupied != 0 && s.end > *occupied)
            s.end = *occupied;
        if (s.start >= s.end)
            continue;
        *occupied = s.start;
        trace_event_slice(&t->writer, &s);
        t->slices++;
    }
}

/* Stretches come latest first; those that follow each other with the same number are one. */
static void
write_running(struct trace_json *t)
{
    uint64_t from, to;
    unsigned lanes;

    for (unsigned n = 0; n < EVENTS_A_PIECE; n++) {
        if (!span_running_next(&t->running, &from, &to, &lanes)) {
            if (t->running_known)
                trace_event_counter(&t->writer, TRACE_RUNNING, t->cut.from, t->running_now);
            t->phase = PHASE_SPANS;
            return;
        }
        if (t->running_known && lanes != t->running_now)
            trace_event_counter(&t->writer, TRACE_RUNNING, to, t->running_now);
        t->running_now = lanes;
        t->running_known = true;
    }
}

static bool
is_wanted(const struct trace_json *t, const struct span *s)
{
    if (s->end <= t->cut.from || s->start >= t->cut.to)
        return false;
    return t->cut.belongs == NULL || s->request == 0 || t->cut.belongs(t->cut.arg, s->request);
}

/* What counts as a task in progress: a section, a query, own work on the loop. */
static bool
is_task(const struct span *s)
{
    return s->kind == SPAN_TASK || s->kind == SPAN_QUERY || s->kind == SPAN_LOOP;
}

static void
write_spans(struct trace_json *t)
{
    enum { LOOKED_AT_A_PIECE = 40000 };
    unsigned added = 0;
    struct span s;

    for (unsigned looked = 0;
         looked < LOOKED_AT_A_PIECE && added < EVENTS_A_PIECE && t->next < t->last; looked++) {
        uint64_t number = t->next++;

        if (!span_ring_get(t->ring, number, &s)) {
            t->next = span_ring_first(t->ring);
            t->left_out++;
            continue;
        }
        if (!is_wanted(t, &s))
            continue;
        if (t->written == TRACE_SPANS_MAX) {
            t->left_out++;
            continue;
        }
        trace_event_span(&t->writer, number, &s);
        if (is_task(&s))
            edges_put(&t->tasks, s.start, s.end);
        t->written++;
        added++;
    }
    if (t->next >= t->last)
        t->phase =
            span_ring_sampling(t->ring) == 1 && t->left_out == 0 ? PHASE_IN_PROGRESS : PHASE_END;
}

static void
write_in_progress(struct trace_json *t)
{
    unsigned covering;
    uint64_t at;

    for (unsigned n = 0; n < EVENTS_A_PIECE; n++) {
        if (!edges_next(&t->tasks, &at, &covering)) {
            t->phase = PHASE_END;
            return;
        }
        trace_event_counter(&t->writer, TRACE_IN_PROGRESS, at, covering);
    }
}

static void
write_end(struct trace_json *t)
{
    buf_addf(t->writer.out,
             "],\n\"otherData\":{\"covers_ms\":%.1f,\"spans\":%u,\"cpu_slices\":%u,\"left_out\":%u,"
             "\"requests_recorded\":\"1 of %u\"}}\n",
             (double)(t->cut.to - t->cut.from) / 1e6, t->written, t->slices, t->left_out,
             span_ring_sampling(t->ring));
    t->phase = PHASE_OVER;
}

bool
trace_json_more(struct trace_json *t, struct buf *out)
{
    t->writer.out = out;
    switch (t->phase) {
    case PHASE_BEGIN:
        write_begin(t);
        break;
    case PHASE_SLICES:
        write_slices(t);
        break;
    case PHASE_RUNNING:
        write_running(t);
        break;
    case PHASE_SPANS:
        write_spans(t);
        break;
    case PHASE_IN_PROGRESS:
        write_in_progress(t);
        break;
    case PHASE_END:
        write_end(t);
        break;
    case PHASE_OVER:
        break;
    }
    return t->phase != PHASE_OVER;
}

bool
trace_find_request(const struct span_ring *ring, uint64_t request, uint64_t *from, uint64_t *to)
{
    uint64_t first = span_ring_first(ring);
    struct span s;

    for (uint64_t number = span_ring_next(ring); number > first; number--) {
        if (span_ring_get(ring, number - 1, &s) && s.kind == SPAN_REQUEST && s.request == request) {
            *from = s.start;
            *to = s.end;
            return true;
        }
    }
    return false;
}
