/*
 * finish: the end of a request. Every request passes here exactly once, answered or not.
 *
 * Requests answered in the very turn in which they were parsed cost no look at the clock of their
 * own: they share one span per turn, and the turn's length so far as their latency (an upper
 * bound).
 */
#include "request/finish.h"

#include "common/clock.h"
#include "common/memory.h"
#include "request/count.h"
#include "request/resume.h"
#include "request/runner.h"
#include "request/work.h"

#include <stdlib.h>

enum { FREE_MAX = 1024 };

/* Its answer is on its way: counters, latency, spans. now = 0: it shares its turn's. */
static void
count_answer(struct req *r, uint64_t now)
{
    struct runner *rn = r->runner;
    struct route_count *c = r->count;

    if (r->failed == FAIL_CLIENT_GONE) {
        c->gone++;
        rn->failures[FAIL_CLIENT_GONE]++;
    } else {
        rn->answered++;
        c->answered[r->status >= 100 && r->status < 600 ? r->status / 100 : 5]++;
    }
    if (now == 0) {
        rn->turn_answered++;
        if (c->turn++ == 0) {
            c->turn_next = rn->turn_routes;
            rn->turn_routes = c;
        }
        return;
    }
    histogram_record(&c->latency, now - r->start_ns);
    if (!req_recorded(r))
        return;
    span_add(rn->ring, SPAN_LOOP, LANE_LOOP, r->id, r->steps, rn->turn_mark, now);
    span_add(rn->ring, SPAN_REQUEST, LANE_REQUEST, r->id, (uint32_t)(c - rn->routes.counts),
             r->start_ns, now);
}

void
finish(struct req *r)
{
    struct runner *rn = r->runner;
    const bool timed = r->kept || r->origin->ops->tally != NULL;
    uint64_t now;

    work_release_all(r);
    if (r->route->cleanup != NULL && r->state != NULL)
        r->route->cleanup(r);
    now = timed ? clock_ns() : 0;
    count_end(r, now);
    gate_forget(r);
    gate_leave(r);
    req_not_ready(r);
    if (r->memory > 0)
        memory_give(r->memory);
    buf_fini(&r->whole);
    count_answer(r, now);
    if (timed) {
        r->loop_ns += now - rn->turn_mark;
        rn->turn_mark = now;
    }
    if (r->origin->ops->over != NULL)
        r->origin->ops->over(r);
    arena_reset(&r->arena);
    TAILQ_REMOVE(&rn->all, r, all);
    if (rn->free_count < FREE_MAX) {
        rn->free_count++;
        TAILQ_INSERT_HEAD(&rn->free, r, all);
    } else {
        free(r);
    }
}

void
finish_turn(struct runner *rn)
{
    uint64_t now;

    if (rn->turn_answered == 0)
        return;
    now = clock_ns();
    while (rn->turn_routes != NULL) {
        struct route_count *c = rn->turn_routes;

        rn->turn_routes = c->turn_next;
        histogram_record_many(&c->latency, now - rn->turn_start, c->turn);
        c->turn = 0;
    }
    span_add(rn->ring, SPAN_TURN, LANE_LOOP, 0, rn->turn_answered, rn->turn_start, now);
    rn->turn_answered = 0;
}
