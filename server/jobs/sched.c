/*
 * sched: see sched.h. Runs in the front end. A binary heap of the jobs that have tasks to hand out,
 * and a list of all active ones; the list is only walked when a job enters (1,024 at most).
 */
#include "jobs/sched.h"

#include "common/log.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

void
sched_init(struct sched *s)
{
    *s = (struct sched){0};
    TAILQ_INIT(&s->active);
}

void
sched_fini(struct sched *s)
{
    free(s->heap);
    *s = (struct sched){0};
}

static bool
before(const struct sched_entry *a, const struct sched_entry *b)
{
    if (a->service_ns != b->service_ns)
        return a->service_ns < b->service_ns;
    return a->order < b->order;
}

static void
put(struct sched *s, unsigned place, struct sched_entry *e)
{
    s->heap[place] = e;
    e->place = place + 1;
}

/* Moves e from `place`, which is free, to where it belongs. */
static void
settle(struct sched *s, unsigned place, struct sched_entry *e)
{
    while (place > 0 && before(e, s->heap[(place - 1) / 2])) {
        put(s, place, s->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        unsigned child = 2 * place + 1;

        if (child + 1 < s->count && before(s->heap[child + 1], s->heap[child]))
            child++;
        if (child >= s->count || !before(s->heap[child], e))
            break;
        put(s, place, s->heap[child]);
        place = child;
    }
    put(s, place, e);
}

void
sched_enter(struct sched *s, struct sched_entry *e)
{
    const struct sched_entry *other;

    *e = (struct sched_entry){.order = ++s->orders};
    other = TAILQ_FIRST(&s->active);
    if (other != NULL)
        e->service_ns = other->service_ns;
    TAILQ_FOREACH(other, &s->active, active) {
        if (other->service_ns < e->service_ns)
            e->service_ns = other->service_ns;
    }
    TAILQ_INSERT_TAIL(&s->active, e, active);
}

void
sched_leave(struct sched *s, struct sched_entry *e)
{
    sched_withdraw(s, e);
    TAILQ_REMOVE(&s->active, e, active);
}

void
sched_offer(struct sched *s, struct sched_entry *e)
{
    if (e->place > 0)
        return;
    if (s->count == s->room) {
        s->room = s->room > 0 ? 2 * s->room : 16;
        s->heap = xrealloc(s->heap, s->room * sizeof(struct sched_entry *));
    }
    settle(s, s->count++, e);
}

void
sched_withdraw(struct sched *s, struct sched_entry *e)
{
    unsigned place;
    struct sched_entry *last;

    if (e->place == 0)
        return;
    place = e->place - 1;
    assert(s->heap[place] == e);
    e->place = 0;
    last = s->heap[--s->count];
    if (last != e)
        settle(s, place, last);
}

void
sched_charge(struct sched *s, struct sched_entry *e, int64_t ns)
{
    if (ns < 0 && e->service_ns < (uint64_t)-ns)
        e->service_ns = 0;
    else
        e->service_ns += (uint64_t)ns;
    if (e->place > 0)
        settle(s, e->place - 1, e);
}

struct sched_entry *
sched_least(const struct sched *s)
{
    return s->count > 0 ? s->heap[0] : NULL;
}
