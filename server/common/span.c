/*
 * span: see span.h. Two rings of fixed size; runs in the front end, loop thread only.
 *
 * CPU slices of one process come in order, since it drains its own; those of several processes come
 * mixed and some milliseconds late. So each slice knows the one before it of the same process, and
 * who wants to see all of them in order merges the processes (span_sweep.c). What a process is said
 * to have done here holds whatever a worker writes into its page: its slices never overlap.
 *
 *   slices  [w1][w1][loop][w2][w1][loop][w2] ...   latest: w1 -> 4, loop -> 5, w2 -> 6
 *             ^---'         ^--------------'       back: distances
 *
 * A process that computes hands out its running slice every few milliseconds; such pieces are put
 * together again, up to SLICE_GROWS_NS, so that a minute of slices fits into the ring.
 */
#include "common/span_inside.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdlib.h>

enum { SPANS_PER_SECOND = 4000, SPANS_ABOVE = 1000, SLICES_MIN = 4096 };
#define SLICE_GROWS_NS (20 * NS_PER_MS)

const char *const span_kind_names[] = {
    [SPAN_REQUEST] = "request", [SPAN_GATE] = "gate", [SPAN_QUEUE] = "queue",
    [SPAN_LOOP] = "loop",       [SPAN_TURN] = "turn", [SPAN_QUERY] = "query",
    [SPAN_BATCH] = "batch",     [SPAN_LOCK] = "lock", [SPAN_TASK] = "task",
    [SPAN_CPU] = "cpu",
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
    ring->requests.one_in = ring->others.one_in = 1;
    ring->requests.allowed = ring->others.allowed = SPANS_PER_SECOND;
    ring_open(&ring->spans, octets);
    ring_open(&ring->slices, octets / 8);
    ring->back = xcalloc(ring->slices.mask + 1, sizeof(*ring->back));
    return ring;
}

void
span_ring_free(struct span_ring *ring)
{
    free(ring->spans.spans);
    free(ring->slices.spans);
    free(ring->back);
    free(ring);
}

/* ---- one in how many ---- */

static void
thinning_note(struct thinning *t)
{
    const unsigned i = t->second % SPAN_SECONDS;

    if (t->past[i].second != t->second)
        t->past[i].most = 0;
    t->past[i].second = t->second;
    if (t->past[i].most < t->one_in)
        t->past[i].most = t->one_in;
}

/* The most in the seconds from `first` to `last`. */
static unsigned
thinning_most(const struct thinning *t, uint64_t first, uint64_t last)
{
    unsigned most = 1;

    for (unsigned i = 0; i < SPAN_SECONDS; i++)
        if (t->past[i].second >= first && t->past[i].second <= last && t->past[i].most > most)
            most = t->past[i].most;
    return most;
}

/* A second is over: as many spans as it would have had decide how many the next one gets. */
static void
thinning_next_second(struct thinning *t, uint64_t second)
{
    uint64_t wanted = t->wanted + t->recorded * t->one_in;

    t->one_in = second == t->second + 1 ? (unsigned)(wanted / SPANS_PER_SECOND) + 1 : 1;
    t->allowed = SPANS_PER_SECOND + SPANS_ABOVE;
    t->second = second;
    t->recorded = t->wanted = 0;
    thinning_note(t);
}

/* The rate has risen within the second: fewer at once. */
static void
thinning_double(struct thinning *t)
{
    t->wanted += t->recorded * t->one_in;
    t->recorded = 0;
    t->allowed = SPANS_ABOVE;
    t->one_in *= 2;
    thinning_note(t);
}

static bool
thinning_choose(struct thinning *t, uint64_t now)
{
    uint64_t second = now / NS_PER_S;

    if (second != t->second)
        thinning_next_second(t, second);
    else if (t->recorded >= t->allowed)
        thinning_double(t);
    if (++t->turn < t->one_in)
        return false;
    t->turn = 0;
    return true;
}

bool
span_ring_sample(struct span_ring *ring, uint64_t now)
{
    return ring->record && thinning_choose(&ring->requests, now);
}

unsigned
span_ring_sampling(const struct span_ring *ring)
{
    return ring->requests.one_in;
}

void
span_ring_sampled(const struct span_ring *ring, uint64_t from, uint64_t to, unsigned *requests,
                  unsigned *others)
{
    *requests = thinning_most(&ring->requests, from / NS_PER_S, to / NS_PER_S);
    *others = thinning_most(&ring->others, from / NS_PER_S, to / NS_PER_S);
}

/* ---- recording ---- */

/* Does it go on where the process' newest slice ended? Then that one grows. What the process is
 * said to have done already is cut off its start. */
static bool
slice_continues(struct span_ring *ring, struct span *s)
{
    uint64_t latest = ring->latest[s->arg];
    struct span *before;

    if (latest <= ring_first(&ring->slices))
        return false; /* there is none (any more) */
    before = &ring->slices.spans[(latest - 1) & ring->slices.mask];
    if (s->start < before->end)
        s->start = before->end;
    if (s->start >= s->end)
        return true;
    if (s->start != before->end || s->lane != before->lane ||
        s->end - before->start > SLICE_GROWS_NS)
        return false;
    before->end = s->end;
    return true;
}

static void
add_slice(struct span_ring *ring, struct span *s)
{
    uint64_t number = ring->slices.next;

    if (s->arg >= SPAN_PROCESSES || s->lane < LANE_CPU || s->lane >= LANE_CPU + SPAN_CPUS ||
        s->start == s->end || slice_continues(ring, s))
        return;
    ring->back[number & ring->slices.mask] = ring->latest[s->arg] > ring_first(&ring->slices)
                                                 ? (uint32_t)(number + 1 - ring->latest[s->arg])
                                                 : 0;
    ring_add(&ring->slices, s);
    ring->latest[s->arg] = number + 1;
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
    if (kind == SPAN_CPU) {
        add_slice(ring, &s);
        return;
    }
    if (request != 0)
        ring->requests.recorded++;
    else if (thinning_choose(&ring->others, s.end))
        ring->others.recorded++;
    else
        return;
    ring_add(&ring->spans, &s);
}

/* ---- reading ---- */

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
