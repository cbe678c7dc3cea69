/*
 * trace_json: see trace_json.h. Runs in the front end, a piece at a time: each phase takes up to a
 * few hundred events from where it was and leaves the rest to the next piece.
 *
 *   look -> CPU slices -> running -> spans -> in progress -> end
 *
 * First is looked how far back all of it can be shown (window.h); time 0 is there. CPU slices and
 * the counter "running" are swept from the end of the cut backwards, spans are read from the oldest
 * on. What is overwritten while a slow reader reads is counted as left out.
 */
#include "trace/trace_json.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/span_sweep.h"
#include "trace/edges.h"
#include "trace/trace_event.h"
#include "trace/window.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_A_PIECE = 400 };

enum phase {
    PHASE_LOOK,
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
    struct trace_window window;
    uint64_t next; /* number of a span, or of a point of the course */
    unsigned written, slices, left_out;
    struct span_sweep sweep;
    uint64_t occupied[SPAN_CPUS]; /* lane of a CPU -> down to when slices are written; 0: none */
    struct span_running running;
    bool running_known; /* running_now is what the earliest stretch so far had */
    unsigned running_now;
    struct edges tasks; /* of one request */
    unsigned tasks_now;
    uint64_t request_from; /* it is in progress from here on */
};

struct trace_json *
trace_json_new(const struct span_ring *ring, const struct trace_cut *cut)
{
    struct trace_json *t = xcalloc(1, sizeof(*t));

    t->ring = ring;
    t->cut = *cut;
    t->writer.route_name = cut->route_name;
    t->writer.arg = cut->arg;
    trace_window_begin(&t->window, ring, &t->cut);
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
look(struct trace_json *t)
{
    if (trace_window_more(&t->window))
        return;
    t->writer.from = t->request_from = t->window.from;
    t->next = t->window.first;
    buf_add_text(t->writer.out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    trace_event_groups(&t->writer);
    span_sweep_begin(&t->sweep, t->ring, t->window.from, t->cut.to);
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
            span_running_begin(&t->running, t->ring, t->window.from, t->cut.to);
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
                trace_event_counter(&t->writer, TRACE_RUNNING, t->window.from, t->running_now);
            t->phase = PHASE_SPANS;
            return;
        }
        if (t->running_known && lanes != t->running_now)
            trace_event_counter(&t->writer, TRACE_RUNNING, to, t->running_now);
        t->running_now = lanes;
        t->running_known = true;
    }
}

/* Of one request: it is in progress as long as it is there and not at the gate, and as often as it
 * has tasks, if that is more. */
static void
note_in_progress(struct trace_json *t, const struct span *s)
{
    switch ((enum span_kind)s->kind) {
    case SPAN_TASK:
    case SPAN_QUERY:
        edges_put(&t->tasks, s->start, s->end);
        break;
    case SPAN_GATE:
        t->request_from = s->end;
        break;
    case SPAN_REQUEST:
        edges_put(&t->tasks, s->start > t->request_from ? s->start : t->request_from, s->end);
        break;
    case SPAN_QUEUE:
    case SPAN_LOOP:
    case SPAN_TURN:
    case SPAN_BATCH:
    case SPAN_LOCK:
    case SPAN_CPU:
    case SPAN_KINDS:
        break;
    }
}

static void
begin_in_progress(struct trace_json *t)
{
    t->next = t->cut.course != NULL ? course_find(t->cut.course, t->window.from) : 0;
    t->phase = PHASE_IN_PROGRESS;
}

static void
write_spans(struct trace_json *t)
{
    enum { LOOKED_AT_A_PIECE = 40000 };
    unsigned added = 0;
    struct span s;

    for (unsigned looked = 0; looked < LOOKED_AT_A_PIECE && added < EVENTS_A_PIECE; looked++) {
        uint64_t number = t->next++;

        if (number >= t->window.last) {
            begin_in_progress(t);
            return;
        }
        if (!span_ring_get(t->ring, number, &s)) {
            t->left_out += (unsigned)(span_ring_first(t->ring) - number);
            t->next = span_ring_first(t->ring);
            continue;
        }
        if (!trace_window_has(&t->window, &s))
            continue;
        if (t->written == TRACE_SPANS_MAX) {
            t->left_out++;
            continue;
        }
        trace_event_span(&t->writer, number, &s);
        if (t->cut.course == NULL && s.request != 0)
            note_in_progress(t, &s);
        t->written++;
        added++;
    }
}

/* The request itself does not count beside its tasks. */
static bool
write_from_spans(struct trace_json *t)
{
    unsigned covering, tasks;
    uint64_t at;

    if (!edges_next(&t->tasks, &at, &covering))
        return false;
    tasks = covering > 1 ? covering - 1 : covering;
    if (tasks != t->tasks_now)
        trace_event_counter(&t->writer, TRACE_IN_PROGRESS, at, tasks);
    t->tasks_now = tasks;
    return true;
}

/* The next point of the course: its peak, and what the count was from then on. */
static bool
write_from_course(struct trace_json *t)
{
    const struct course *course = t->cut.course;
    struct course_point p;
    bool before;

    if (t->next < course_first(course))
        t->next = course_first(course);
    if (!course_get(course, t->next++, &p) || p.at >= t->cut.to)
        return false;
    before = p.at < t->window.from;
    if (!before && p.peak > p.value)
        trace_event_counter(&t->writer, TRACE_IN_PROGRESS, p.at, p.peak);
    trace_event_counter(&t->writer, TRACE_IN_PROGRESS, before ? t->window.from : p.at, p.value);
    return true;
}

static void
write_in_progress(struct trace_json *t)
{
    for (unsigned n = 0; n < EVENTS_A_PIECE; n++) {
        if (!(t->cut.course != NULL ? write_from_course(t) : write_from_spans(t))) {
            t->phase = PHASE_END;
            return;
        }
    }
}

static void
write_end(struct trace_json *t)
{
    unsigned requests, others;

    span_ring_sampled(t->ring, t->window.from, t->cut.to, &requests, &others);
    buf_add_text(t->writer.out, "],\n\"otherData\":{\"asked_ms\":");
    buf_add_ms(t->writer.out, t->cut.to - t->cut.from);
    buf_add_text(t->writer.out, ",\"covers_ms\":");
    buf_add_ms(t->writer.out, t->cut.to - t->window.from);
    buf_addf(t->writer.out,
             ",\"spans\":%u,\"cpu_slices\":%u,\"left_out\":%u,\"requests_recorded\":\"1 of %u\","
             "\"turns_and_batches_recorded\":\"1 of %u\"}}\n",
             t->written, t->slices, t->left_out, requests, others);
    t->phase = PHASE_OVER;
}

bool
trace_json_more(struct trace_json *t, struct buf *out)
{
    t->writer.out = out;
    switch (t->phase) {
    case PHASE_LOOK:
        look(t);
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
