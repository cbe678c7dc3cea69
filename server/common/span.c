/*
 * span: see span.h. Two rings of fixed size; a span's number is how many were recorded before it,
 * its slot that number modulo the size. Runs in the front end, loop thread only.
 */
#include "common/span.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

enum { SPANS_PER_SECOND = 4000, CPU_LANES_MAX = 256, SLICES_MIN = 4096 };

struct ring {
    struct span *spans;
    uint64_t next; /* number of the next one */
    uint64_t mask;
};

struct span_ring {
    struct ring spans, slices;
    bool record;
    /* sampling: spans of the second that runs, and one request in `sampling` is recorded */
    uint64_t second, seen_at;
    unsigned sampling, turn;
};

static void
ring_open(struct ring *r, size_t octets)
{
    size_t count = SLICES_MIN;

    while (count * 2 * sizeof(struct span) <= octets)
        count *= 2;
    r->spans = xcalloc(count, sizeof(struct span));
    r->mask = count - 1;
}

static void
ring_add(struct ring *r, const struct span *s)
{
    r->spans[r->next++ & r->mask] = *s;
}

static uint64_t
ring_first(const struct ring *r)
{
    return r->next > r->mask + 1 ? r->next - r->mask - 1 : 0;
}

static bool
ring_get(const struct ring *r, uint64_t number, struct span *out)
{
    if (number < ring_first(r) || number >= r->next)
        return false;
    *out = r->spans[number & r->mask];
    return true;
}

struct span_ring *
span_ring_new(size_t octets, bool record)
{
    struct span_ring *ring = xcalloc(1, sizeof(*ring));

    ring->record = record;
    ring->sampling = 1;
    ring_open(&ring->spans, octets);
    ring_open(&ring->slices, octets / 8);
    return ring;
}

void
span_ring_free(struct span_ring *ring)
{
    free(ring->spans.spans);
    free(ring->slices.spans);
    free(ring);
}

void
span_add(struct span_ring *ring, enum span_kind kind, unsigned lane, uint64_t request, uint32_t arg,
         uint64_t start, uint64_t end)
{
    struct span s = {
        .start = start,
        .end = end > start ? end : start,
        .request = request,
        .arg = arg,
        .lane = (uint16_t)lane,
        .kind = (uint8_t)kind,
    };

    if (!ring->record)
        return;
    ring_add(kind == SPAN_CPU ? &ring->slices : &ring->spans, &s);
}

/* A second is over: as many spans as it had decide how many requests the next one records. */
static void
next_second(struct span_ring *ring, uint64_t second)
{
    uint64_t recorded = ring->spans.next - ring->seen_at;
    uint64_t wanted = recorded * ring->sampling;

    ring->sampling = second == ring->second + 1 ? (unsigned)(wanted / SPANS_PER_SECOND) + 1 : 1;
    ring->second = second;
    ring->seen_at = ring->spans.next;
}

bool
span_ring_sample(struct span_ring *ring, uint64_t now)
{
    uint64_t second = now / NS_PER_S;

    if (!ring->record)
        return false;
    if (second != ring->second)
        next_second(ring, second);
    else if (ring->spans.next - ring->seen_at > SPANS_PER_SECOND) {
        /* the rate has risen within the second: record fewer at once */
        ring->sampling *= 2;
        ring->seen_at = ring->spans.next - SPANS_PER_SECOND / 2;
    }
    if (++ring->turn < ring->sampling)
        return false;
    ring->turn = 0;
    return true;
}

unsigned
span_ring_sampling(const struct span_ring *ring)
{
    return ring->sampling;
}

uint64_t
span_ring_first(const struct span_ring *ring)
{
    return ring_first(&ring->spans);
}

uint64_t
span_ring_next(const struct span_ring *ring)
{
    return ring->spans.next;
}

bool
span_ring_get(const struct span_ring *ring, uint64_t number, struct span *out)
{
    return ring_get(&ring->spans, number, out);
}

uint64_t
span_ring_cpu_first(const struct span_ring *ring)
{
    return ring_first(&ring->slices);
}

uint64_t
span_ring_cpu_next(const struct span_ring *ring)
{
    return ring->slices.next;
}

bool
span_ring_cpu_get(const struct span_ring *ring, uint64_t number, struct span *out)
{
    return ring_get(&ring->slices, number, out);
}

/* ---- how many CPUs were ours at once ---- */

/* A moment at which a lane becomes occupied (+1) or free (-1). */
struct edge {
    uint64_t at;
    uint16_t lane;
    int16_t change;
};

static int
by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->change - y->change; /* what ends at this instant ends first */
}

/* The slices that touch the window, as edges. Slices of several processes come out of order by some
 * milliseconds, so the search goes back a second further than the window. */
static size_t
collect_edges(const struct ring *r, uint64_t start, uint64_t end, struct edge *out, size_t max)
{
    size_t n = 0;

    for (uint64_t i = r->next; i > ring_first(r) && n + 2 <= max; i--) {
        const struct span *s = &r->spans[(i - 1) & r->mask];

        if (s->end + NS_PER_S < start)
            break;
        if (s->end <= start || s->start >= end || s->end == s->start)
            continue;
        out[n++] = (struct edge){s->start > start ? s->start : start, s->lane & 0xff, 1};
        out[n++] = (struct edge){s->end < end ? s->end : end, s->lane & 0xff, -1};
    }
    return n;
}

unsigned
span_ring_running_max(const struct span_ring *ring, uint64_t start, uint64_t end, uint64_t *busy_ns)
{
    size_t max = 2 * (ring->slices.mask + 1), n;
    struct edge *edges = xmalloc(max * sizeof(*edges));
    int on_lane[CPU_LANES_MAX] = {0};
    unsigned running = 0, most = 0;
    uint64_t last = start, busy = 0;

    n = collect_edges(&ring->slices, start, end, edges, max);
    qsort(edges, n, sizeof(*edges), by_time);
    for (size_t i = 0; i < n; i++) {
        int before = on_lane[edges[i].lane];

        busy += running * (edges[i].at - last);
        last = edges[i].at;
        on_lane[edges[i].lane] += edges[i].change;
        if (before == 0 && edges[i].change > 0)
            running++;
        if (before == 1 && edges[i].change < 0)
            running--;
        if (running > most)
            most = running;
    }
    free(edges);
    if (busy_ns != NULL)
        *busy_ns = busy;
    return most;
}
