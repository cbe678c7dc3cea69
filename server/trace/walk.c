/*
 * walk: see walk.h. Runs in the front end. Each phase tells up to a few hundred things from where
 * it was and leaves the rest to the next piece.
 *
 * First is looked how far back all of it can be shown (window.h). CPU slices and the count of CPUs
 * that run are swept from the end of the cut backwards, spans are read from the oldest on.
 */
#include "trace/walk.h"

#include "common/clock.h"

#include <string.h>

enum { A_PIECE = 400 };

void
trace_walk_init(struct trace_walk *w, const struct span_ring *ring, const struct trace_cut *cut,
                const struct trace_sink *sink, void *arg)
{
    memset(w, 0, sizeof(*w));
    w->ring = ring;
    w->cut = *cut;
    w->sink = sink;
    w->arg = arg;
    trace_window_begin(&w->window, ring, &w->cut);
}

void
trace_walk_fini(struct trace_walk *w)
{
    edges_fini(&w->tasks);
}

static void
look(struct trace_walk *w)
{
    if (trace_window_more(&w->window))
        return;
    w->request_from = w->window.from;
    w->next = w->window.first;
    w->sink->begin(w->arg, w->window.from);
    span_sweep_begin(&w->sweep, w->ring, w->window.from, w->cut.to);
    w->phase = WALK_SLICES;
}

/* Two processes can't have had one CPU at once: by ticks it may look so for some microseconds, and
 * then the later slice has it. */
static void
tell_slices(struct trace_walk *w)
{
    struct span s;

    for (unsigned n = 0; n < A_PIECE; n++) {
        uint64_t *occupied;

        if (w->slices == TRACE_SLICES_MAX || !span_sweep_next(&w->sweep, &s)) {
            w->left_out += w->slices == TRACE_SLICES_MAX || w->sweep.overwritten;
            span_running_begin(&w->running, w->ring, w->window.from, w->cut.to);
            w->phase = WALK_RUNNING;
            return;
        }
        occupied = &w->occupied[s.lane - LANE_CPU];
        if (*occupied != 0 && s.end > *occupied)
            s.end = *occupied;
        if (s.start >= s.end)
            continue;
        *occupied = s.start;
        w->sink->slice(w->arg, &s);
        w->slices++;
    }
}

/* Stretches come latest first; those that follow each other with the same number are one. */
static void
tell_running(struct trace_walk *w)
{
    uint64_t from, to;
    unsigned lanes;

    for (unsigned n = 0; n < A_PIECE; n++) {
        if (!span_running_next(&w->running, &from, &to, &lanes)) {
            if (w->running_known)
                w->sink->running(w->arg, w->window.from, w->running_now);
            w->phase = WALK_SPANS;
            return;
        }
        if (w->running_known && lanes != w->running_now)
            w->sink->running(w->arg, to, w->running_now);
        w->running_now = lanes;
        w->running_known = true;
    }
}

/* Of one request: it is in progress as long as it is there and not at the gate, and as often as it
 * has tasks, if that is more. */
static void
note_in_progress(struct trace_walk *w, const struct span *s)
{
    switch ((enum span_kind)s->kind) {
    case SPAN_TASK:
    case SPAN_QUERY:
        edges_put(&w->tasks, s->start, s->end);
        break;
    case SPAN_GATE:
        w->request_from = s->end;
        break;
    case SPAN_REQUEST:
        edges_put(&w->tasks, s->start > w->request_from ? s->start : w->request_from, s->end);
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
begin_in_progress(struct trace_walk *w)
{
    w->next = w->cut.course != NULL ? course_find(w->cut.course, w->window.from) : 0;
    w->phase = WALK_IN_PROGRESS;
}

static void
tell_spans(struct trace_walk *w)
{
    enum { LOOKED_AT_A_PIECE = 40000 };
    unsigned added = 0;
    struct span s;

    for (unsigned looked = 0; looked < LOOKED_AT_A_PIECE && added < A_PIECE; looked++) {
        uint64_t number = w->next++;

        if (number >= w->window.last) {
            begin_in_progress(w);
            return;
        }
        if (!span_ring_get(w->ring, number, &s)) {
            w->left_out += (unsigned)(span_ring_first(w->ring) - number);
            w->next = span_ring_first(w->ring);
            continue;
        }
        if (!trace_window_has(&w->window, &s))
            continue;
        if (w->spans == TRACE_SPANS_MAX) {
            w->left_out++;
            continue;
        }
        w->sink->span(w->arg, number, &s);
        if (w->cut.course == NULL && s.request != 0)
            note_in_progress(w, &s);
        w->spans++;
        added++;
    }
}

/* The request itself does not count beside its tasks. */
static bool
tell_from_spans(struct trace_walk *w)
{
    unsigned covering, tasks;
    uint64_t at;

    if (!edges_next(&w->tasks, &at, &covering))
        return false;
    tasks = covering > 1 ? covering - 1 : covering;
    if (tasks != w->tasks_now)
        w->sink->in_progress(w->arg, at, tasks);
    w->tasks_now = tasks;
    return true;
}

/* The next point of the course: its peak, and what the count was from then on. */
static bool
tell_from_course(struct trace_walk *w)
{
    const struct course *course = w->cut.course;
    struct course_point p;
    bool before;

    if (w->next < course_first(course))
        w->next = course_first(course);
    if (!course_get(course, w->next++, &p) || p.at >= w->cut.to)
        return false;
    before = p.at < w->window.from;
    if (!before && p.peak > p.value)
        w->sink->in_progress(w->arg, p.at, p.peak);
    w->sink->in_progress(w->arg, before ? w->window.from : p.at, p.value);
    return true;
}

static void
tell_in_progress(struct trace_walk *w)
{
    for (unsigned n = 0; n < A_PIECE; n++) {
        if (!(w->cut.course != NULL ? tell_from_course(w) : tell_from_spans(w))) {
            w->phase = WALK_DONE;
            return;
        }
    }
}

bool
trace_walk_more(struct trace_walk *w)
{
    switch (w->phase) {
    case WALK_LOOK:
        look(w);
        break;
    case WALK_SLICES:
        tell_slices(w);
        break;
    case WALK_RUNNING:
        tell_running(w);
        break;
    case WALK_SPANS:
        tell_spans(w);
        break;
    case WALK_IN_PROGRESS:
        tell_in_progress(w);
        break;
    case WALK_DONE:
        break;
    }
    return w->phase != WALK_DONE;
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
