/*
 * span_sweep: see span_sweep.h. Runs in the front end, loop thread only; the structures are the
 * caller's.
 *
 * Each process has a cursor that goes back from slice to slice; a heap says whose is next. For a
 * CPU lane it is enough to remember down to which moment it is occupied: slices come by their end,
 * latest first, so a slice that ends after that moment makes the lane's stretch longer, and one
 * that ends before it begins another.
 *
 *   lane 0   ....[=====]......[=========]      at the end of a slice, going back, the lanes whose
 *   lane 1   ........[===========]......       moment lies before it are the ones that run
 *                                <--- sweep
 */
#include "common/span_sweep.h"

#include <string.h>

static const struct span *
slice_at(const struct span_ring *ring, uint64_t number)
{
    return &ring->slices.spans[number & ring->slices.mask];
}

/* The heap's invariant from the top down. */
static void
sift_down(struct span_sweep *s)
{
    struct span_sweep_entry e = s->heap[0];
    unsigned i = 0, child;

    while ((child = 2 * i + 1) < s->count) {
        if (child + 1 < s->count && s->heap[child + 1].end > s->heap[child].end)
            child++;
        if (s->heap[child].end <= e.end)
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = e;
}

static void
push(struct span_sweep *s, uint64_t number)
{
    struct span_sweep_entry e = {slice_at(s->ring, number)->end, number};
    unsigned i, above;

    for (i = s->count++; i > 0; i = above) {
        above = (i - 1) / 2;
        if (s->heap[above].end >= e.end)
            break;
        s->heap[i] = s->heap[above];
    }
    s->heap[i] = e;
}

/* The slice before this one of the same process, if it reaches into the window. */
static bool
go_back(struct span_sweep *s, uint64_t *number)
{
    uint32_t distance = s->ring->back[*number & s->ring->slices.mask];

    if (distance == 0)
        return false;
    if (*number - distance < ring_first(&s->ring->slices)) {
        s->overwritten |= slice_at(s->ring, *number)->start > s->from;
        return false;
    }
    *number -= distance;
    return slice_at(s->ring, *number)->end > s->from;
}

void
span_sweep_begin(struct span_sweep *s, const struct span_ring *ring, uint64_t from, uint64_t to)
{
    s->ring = ring;
    s->from = from;
    s->to = to;
    s->overwritten = false;
    s->count = 0;
    for (unsigned i = 0; i < SPAN_PROCESSES; i++) {
        uint64_t number = ring->latest[i] - 1;
        bool found =
            ring->latest[i] > ring_first(&ring->slices) && slice_at(ring, number)->end > from;

        while (found && slice_at(ring, number)->start >= to)
            found = go_back(s, &number);
        if (found)
            push(s, number);
    }
}

bool
span_sweep_next(struct span_sweep *s, struct span *out)
{
    while (s->count > 0) {
        uint64_t number = s->heap[0].number;
        bool there = number >= ring_first(&s->ring->slices);

        if (there)
            *out = *slice_at(s->ring, number);
        else
            s->overwritten = true;
        if (there && go_back(s, &number))
            s->heap[0] = (struct span_sweep_entry){slice_at(s->ring, number)->end, number};
        else
            s->heap[0] = s->heap[--s->count];
        sift_down(s);
        if (!there)
            continue;
        if (out->start < s->from)
            out->start = s->from;
        if (out->end > s->to)
            out->end = s->to;
        return true;
    }
    return false;
}

/* ---- the most at one instant ---- */

unsigned
span_ring_running_max(const struct span_ring *ring, uint64_t start, uint64_t end, uint64_t *busy_ns)
{
    uint64_t since[SPAN_CPUS], busy = 0;
    unsigned most = 0, cpus = 0;
    struct span_sweep sweep;
    struct span s;

    span_sweep_begin(&sweep, ring, start, end);
    while (span_sweep_next(&sweep, &s)) {
        unsigned cpu = s.lane - LANE_CPU, running = 0;

        while (cpus <= cpu)
            since[cpus++] = UINT64_MAX;
        busy += s.start < since[cpu] ? (s.end < since[cpu] ? s.end : since[cpu]) - s.start : 0;
        if (s.start < since[cpu])
            since[cpu] = s.start;
        for (unsigned i = 0; i < cpus; i++)
            running += since[i] < s.end;
        if (running > most)
            most = running;
    }
    if (busy_ns != NULL)
        *busy_ns = busy;
    return most;
}

/* ---- how many, over time ---- */

static void
next_slice(struct span_running *r)
{
    if (!span_sweep_next(&r->sweep, &r->slice))
        r->slice.start = r->slice.end = 0;
}

void
span_running_begin(struct span_running *r, const struct span_ring *ring, uint64_t from, uint64_t to)
{
    span_sweep_begin(&r->sweep, ring, from, to);
    r->at = to;
    r->count = 0;
    next_slice(r);
}

/* The slice makes its lane's stretch longer, or begins one. */
static void
occupy(struct span_running *r, const struct span *slice)
{
    unsigned i = 0;

    while (i < r->count && r->lanes[i].lane != slice->lane)
        i++;
    if (i == r->count && r->count < sizeof(r->lanes) / sizeof(r->lanes[0]))
        r->lanes[r->count++] = (struct span_running_lane){slice->start, slice->lane};
    else if (i < r->count && slice->start < r->lanes[i].since)
        r->lanes[i].since = slice->start;
}

/* The next moment, going back, at which a lane becomes occupied or free; the window's begin after
 * the last one. */
static uint64_t
next_change(const struct span_running *r)
{
    uint64_t at = r->slice.end > r->sweep.from ? r->slice.end : r->sweep.from;

    for (unsigned i = 0; i < r->count; i++)
        if (r->lanes[i].since > at)
            at = r->lanes[i].since;
    return at;
}

bool
span_running_next(struct span_running *r, uint64_t *from, uint64_t *to, unsigned *lanes)
{
    while (r->at > r->sweep.from) {
        uint64_t change = next_change(r);

        if (change < r->at) {
            *from = change;
            *to = r->at;
            *lanes = r->count;
            r->at = change;
            return true;
        }
        /* slices first: one that goes on where its lane's stretch began keeps the lane occupied */
        while (r->slice.end > r->slice.start && r->slice.end >= r->at) {
            occupy(r, &r->slice);
            next_slice(r);
        }
        for (unsigned i = 0; i < r->count;)
            if (r->lanes[i].since >= r->at)
                r->lanes[i] = r->lanes[--r->count];
            else
                i++;
    }
    return false;
}
