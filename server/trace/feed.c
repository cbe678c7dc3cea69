/*
 * feed: see feed.h. Here: when a batch is made, for which time, and which are kept. Runs in the
 * front end; owns the texts.
 */
#include "trace/feed.h"

#include "common/log.h"
#include "trace/feed_inside.h"

#include <stdlib.h>
#include <string.h>

/* Behind by more than this, what was missed is told in pieces of CATCH_UP_NS. */
#define BEHIND_NS   (4 * FEED_EVERY_NS)
#define CATCH_UP_NS (2 * FEED_EVERY_NS)

/* Slices come up to 30 ms late: batches go on being made for so long. */
#define TAIL_NS (100 * NS_PER_MS)

/* A timer may be a little early. */
#define EARLY_NS (5 * NS_PER_MS)

struct feed *
feed_new(const struct feed_source *source)
{
    struct feed *f = xcalloc(1, sizeof(*f));

    f->source = *source;
    f->first = f->next = 1;
    f->tasks.course = source->tasks;
    f->queries.course = source->queries;
    return f;
}

/* ---- which are kept ---- */

static struct feed_batch *
slot(const struct feed *f, uint64_t number)
{
    return (struct feed_batch *)&f->batches[number % FEED_BATCHES_MAX];
}

static void
forget_first(struct feed *f)
{
    struct feed_batch *b = slot(f, f->first++);

    f->octets -= b->len;
    free(b->text);
    b->text = NULL;
}

static void
keep(struct feed *f, uint64_t from, uint64_t to)
{
    struct feed_batch *b;

    while (f->first < f->next &&
           (f->octets + f->text.len > FEED_OCTETS_MAX || f->next - f->first == FEED_BATCHES_MAX ||
            slot(f, f->first)->to + FEED_KEPT_NS < to))
        forget_first(f);
    b = slot(f, f->next);
    *b = (struct feed_batch){.number = f->next, .from = from, .to = to, .len = f->text.len};
    b->text = xmalloc(b->len);
    memcpy(b->text, f->text.data, b->len);
    f->octets += b->len;
    f->next++;
}

void
feed_free(struct feed *f)
{
    if (f == NULL)
        return;
    while (f->first < f->next)
        forget_first(f);
    buf_fini(&f->text);
    free(f);
}

uint64_t
feed_first(const struct feed *f)
{
    return f->first;
}

uint64_t
feed_next(const struct feed *f)
{
    return f->next;
}

const struct feed_batch *
feed_get(const struct feed *f, uint64_t number)
{
    return number >= f->first && number < f->next ? slot(f, number) : NULL;
}

uint64_t
feed_to(const struct feed *f)
{
    return f->to;
}

uint64_t
feed_us(const struct feed *f, uint64_t ns)
{
    return ns > f->source.start_ns ? (ns - f->source.start_ns) / NS_PER_US : 0;
}

/* ---- when ---- */

/* What was recorded before is not told any more. */
static void
skip(struct feed *f, uint64_t now)
{
    while (f->first < f->next)
        forget_first(f);
    if (f->to != 0)
        f->first = ++f->next; /* who has read the last one has missed something */
    f->to = now;
    f->spans = span_ring_next(f->source.ring);
    f->slices = span_ring_cpu_next(f->source.ring);
    f->tasks.next = course_next(f->tasks.course);
    f->queries.next = course_next(f->queries.course);
    f->tasks.last = f->queries.last = (struct course_point){0};
    if (f->tasks.next > 0)
        (void)course_get(f->tasks.course, f->tasks.next - 1, &f->tasks.last);
    if (f->queries.next > 0)
        (void)course_get(f->queries.course, f->queries.next - 1, &f->queries.last);
    memset(f->latest, 0, sizeof(f->latest));
    f->allowance = FEED_SPANS_MAX;
}

void
feed_begin(struct feed *f, uint64_t now)
{
    f->wanted = true;
    if (f->to == 0 || now - f->to > FEED_AWAY_NS)
        skip(f, now);
}

bool
feed_is_due(struct feed *f, uint64_t now, bool busy)
{
    const uint64_t spans = span_ring_next(f->source.ring), tasks = course_next(f->tasks.course);

    if (busy || spans != f->seen_spans || tasks != f->seen_tasks)
        f->active = now;
    f->seen_spans = spans;
    f->seen_tasks = tasks;
    if (now - f->to < FEED_EVERY_NS - EARLY_NS)
        return false;
    return f->wanted || now - f->active < TAIL_NS || now - f->to >= FEED_QUIET_NS - EARLY_NS;
}

/* When the first thing that has not been told happened. */
static uint64_t
first_pending(const struct feed *f, uint64_t now)
{
    uint64_t first = now;
    struct course_point p;
    struct span s;

    if (span_ring_get(f->source.ring, f->spans, &s) && s.end < first)
        first = s.end;
    if (course_get(f->tasks.course, f->tasks.next, &p) && p.at < first)
        first = p.at;
    return first;
}

/* Up to where the next batch reaches. */
static uint64_t
next_end(const struct feed *f, uint64_t now)
{
    uint64_t to = f->to + CATCH_UP_NS, first;

    if (now - f->to <= BEHIND_NS)
        return now;
    first = first_pending(f, now);
    if (to < first)
        to = first;
    return to + FEED_EVERY_NS < now ? to : now;
}

bool
feed_make(struct feed *f, const struct feed_now *now)
{
    const uint64_t from = f->to, to = next_end(f, now->at);

    f->wanted = false;
    feed_write(f, now, to);
    f->to = to;
    keep(f, from, to);
    return to < now->at;
}
