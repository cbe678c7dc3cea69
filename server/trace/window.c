/*
 * window: see window.h. Runs in the front end. Both rings are looked at from the end of the window
 * backwards: first the slices, then the spans; each may move the begin nearer.
 *
 *   cut->from                     from                                cut->to
 *      |.....can't be shown whole...|==== all slices, spans, counts =====|
 *
 * Spans lie in the ring in the order of their ends, about: one may have been recorded some
 * milliseconds late. So the look goes on a while after the first one that ends too early.
 */
#include "trace/window.h"

#include "common/clock.h"

enum { SLICES_A_PIECE = 1000, SPANS_A_PIECE = 40000 };

/* So many fewer than may be shown: some are recorded a little late, while this is looked at. */
enum { SPARE = 500 };

/* A span is recorded at most so long after its end. */
#define LATE_NS NS_PER_S

void
trace_window_begin(struct trace_window *w, const struct span_ring *ring,
                   const struct trace_cut *cut)
{
    struct course_point oldest;

    w->ring = ring;
    w->cut = cut;
    w->from = cut->from;
    w->first = w->last = span_ring_next(ring);
    w->slices = w->spans = 0;
    w->slices_done = false;
    if (cut->course != NULL && course_first(cut->course) > 0 &&
        course_get(cut->course, course_first(cut->course), &oldest) && oldest.at > w->from)
        w->from = oldest.at;
    span_sweep_begin(&w->sweep, ring, w->from, cut->to);
}

static void
begin_later(struct trace_window *w, uint64_t from)
{
    if (from > w->from)
        w->from = from < w->cut->to ? from : w->cut->to;
}

static void
look_at_slices(struct trace_window *w)
{
    struct span s;

    for (unsigned n = 0; n < SLICES_A_PIECE; n++) {
        if (!span_sweep_next(&w->sweep, &s)) {
            w->slices_done = true;
            return;
        }
        if (w->sweep.overwritten || ++w->slices > TRACE_SLICES_MAX - SPARE) {
            begin_later(w, w->sweep.overwritten ? s.start : s.end);
            w->slices_done = true;
            return;
        }
    }
}

bool
trace_window_has(const struct trace_window *w, const struct span *s)
{
    if (s->end <= w->from || s->start >= w->cut->to)
        return false;
    return w->cut->belongs == NULL || s->request == 0 || w->cut->belongs(w->cut->arg, s->request);
}

/* False: there is no need to look further back. */
static bool
look_at_spans(struct trace_window *w)
{
    const uint64_t oldest = span_ring_first(w->ring);
    struct span s;

    for (unsigned n = 0; n < SPANS_A_PIECE; n++) {
        if (w->first <= oldest) {
            if (oldest > 0 && span_ring_get(w->ring, oldest, &s))
                begin_later(w, s.end);
            return false;
        }
        if (!span_ring_get(w->ring, w->first - 1, &s) || s.end + LATE_NS < w->from)
            return false;
        w->first--;
        if (trace_window_has(w, &s) && ++w->spans == TRACE_SPANS_MAX - SPARE) {
            begin_later(w, s.end);
            return false;
        }
    }
    return true;
}

bool
trace_window_more(struct trace_window *w)
{
    if (w->slices_done)
        return look_at_spans(w);
    look_at_slices(w);
    return true;
}
