/*
 * runner: see runner.h. Here is the driver: it calls the present step of a request, looks at what
 * the step returned, and either goes on at once or leaves the request waiting until req_resume().
 *
 *              .--------------- NEXT_STEP ----------------.
 *              v                                          |
 *   begin -> step -> NEXT_WAIT   all works done ----------|
 *              |  -> NEXT_BODY   a piece, or the end -----|
 *              |  -> NEXT_DRAINED  output was taken ------|
 *              |  -> NEXT_WAKE   req_wake() --------------'
 *              |  -> NEXT_DONE   -> finish: counts, spans, free list
 *              '  -> NEXT_FAIL   -> fail table -> finish
 *
 * A failure noticed while the request waits sets r->failed; the driver answers it before any
 * further step runs, so that steps see success only.
 */
#include "request/runner.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "request/count.h"
#include "request/fail.h"
#include "request/finish.h"
#include "request/resume.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* First own work of this loop turn? Then time runs from here. */
void
runner_turn_begin(struct runner *rn)
{
    if (rn->turn_start == 0)
        rn->turn_start = rn->turn_mark = clock_ns();
}

void
runner_mark(struct runner *rn)
{
    runner_turn_begin(rn);
    rn->turn_mark = clock_ns();
}

void
runner_switch(struct req *r)
{
    struct runner *rn = r->runner;

    if (rn->last_run == r->id || (r->route->flags & ROUTE_UNSEEN) != 0)
        return;
    rn->last_run = r->id;
    rn->loop_switches++;
}

/* All own work on the loop since the last look at the clock was for this request. */
static void
account_loop(struct req *r)
{
    struct runner *rn = r->runner;
    uint64_t now = clock_ns();

    r->loop_ns += now - rn->turn_mark;
    if (r->recorded)
        span_add(rn->ring, SPAN_LOOP, LANE_LOOP, r->id, r->steps, rn->turn_mark, now);
    rn->turn_mark = now;
}

bool
req_recorded(struct req *r)
{
    if (!r->sampled) {
        r->sampled = true;
        r->recorded =
            (r->route->flags & ROUTE_UNSEEN) == 0 &&
            (r->origin->ops->tally != NULL || span_ring_sample(r->runner->ring, r->start_ns));
    }
    return r->recorded;
}

/* One piece of the body into `whole`, memory accounted. */
static int
gather_piece(struct req *r, const void *data, size_t len)
{
    if (!memory_take(len)) {
        r->failed = FAIL_MEMORY;
        return -1;
    }
    r->memory += len;
    buf_add(&r->whole, data, len);
    return 0;
}

/* Pulls what there is of the body; true: the step can run (or the request has failed). */
static bool
pull_body(struct req *r)
{
    const struct runner *rn = r->runner;
    uint64_t limit =
        r->route->body_limit > 0 ? (uint64_t)r->route->body_limit : (uint64_t)rn->conf->max_body;
    const void *data;
    size_t len;

    for (;;) {
        switch (r->origin->ops->body(r, limit, &data, &len, &r->failed)) {
        case HTTP_BODY_PIECE:
            if (r->whole_body) {
                if (gather_piece(r, data, len) != 0)
                    return true;
                continue;
            }
            r->body = data;
            r->body_len = len;
            return true;
        case HTTP_BODY_MORE:
            return false;
        case HTTP_BODY_END:
            r->body_end = true;
            r->body_len = 0;
            if (r->whole_body) {
                buf_add_char(&r->whole, '\0');
                r->body = r->whole.data;
                r->body_len = r->whole.len - 1;
            }
            return true;
        case HTTP_BODY_FAILED:
            if (r->failed == FAIL_BODY_TOO_LARGE)
                snprintf(r->why, sizeof(r->why), "the body may have %llu octets%s",
                         (unsigned long long)limit,
                         r->route->body_limit > 0 ? " at this address" : "");
            return true;
        }
    }
}

/* Can the step that the request waits for run now? */
static bool
can_go_on(struct req *r)
{
    if (r->failed != FAIL_NONE)
        return true;
    switch (r->wait) {
    case NEXT_STEP:
        return true;
    case NEXT_WAIT:
        return r->waiting == 0;
    case NEXT_BODY:
        return pull_body(r);
    case NEXT_DRAINED:
        return r->origin->ops->part(r, NULL, 0);
    case NEXT_WAKE:
        if (!r->woken)
            return false;
        r->woken = false;
        return true;
    case NEXT_DONE:
    case NEXT_FAIL:
        break;
    }
    return false;
}

static void
answer_failure(struct req *r)
{
    if (r->failed == FAIL_CLIENT_GONE)
        return;
    r->runner->failures[r->failed]++;
    if (r->replying)
        r->origin->ops->abort(r);
    else
        fail_answer(r);
}

void
req_keep(struct req *r)
{
    if (r->kept)
        return;
    r->kept = true;
    r->head = http_head_keep(r->head, &r->arena);
    (void)route_find(&r->runner->routes, r->head->path.p, r->head->path.len, &r->rest);
}

/* It has to wait: from now on it counts as in progress. */
static void
leave_waiting(struct req *r)
{
    req_keep(r);
    (void)req_recorded(r);
    account_loop(r);
    r->state_ns = r->runner->turn_mark;
    count_begin(r, r->runner->turn_mark);
}

/* Runs the request as far as it goes. It may be over, and recycled, when this returns. */
bool
req_drive(struct req *r)
{
    runner_switch(r);
    r->running = true;
    while (can_go_on(r)) {
        struct next n;

        if (r->failed != FAIL_NONE) {
            answer_failure(r);
            finish(r);
            return true;
        }
        r->steps++;
        n = r->step(r);
        r->wait = n.kind;
        r->step = n.step;
        if (n.kind == NEXT_DONE) {
            finish(r);
            return true;
        }
        if (n.kind == NEXT_FAIL)
            assert(r->failed != FAIL_NONE);
    }
    leave_waiting(r);
    r->running = false;
    return false;
}

void
req_resume(struct req *r)
{
    if (r->running)
        return;
    runner_turn_begin(r->runner);
    if (r->at_gate)
        return;
    if (r->failed == FAIL_NONE && r->wait == NEXT_WAIT && r->waiting > 0)
        return; /* the most frequent case: one of many works is done */
    (void)req_drive(r);
}

void
req_resume_later(struct req *r)
{
    struct runner *rn = r->runner;

    if (r->ready)
        return;
    r->ready = true;
    TAILQ_INSERT_TAIL(&rn->ready, r, queue);
    rn->ready_count++;
}

void
req_not_ready(struct req *r)
{
    if (!r->ready)
        return;
    r->ready = false;
    TAILQ_REMOVE(&r->runner->ready, r, queue);
    r->runner->ready_count--;
}

void
req_wake(struct req *r)
{
    r->woken = true;
    if (!r->running)
        req_resume_later(r);
}

void *
req_state_new(struct req *r, size_t size)
{
    r->state = arena_zalloc(&r->arena, size);
    return r->state;
}

struct next
next_step(req_step *step)
{
    return (struct next){NEXT_STEP, step};
}

struct next
wait_all(struct req *r, req_step *step)
{
    (void)r;
    return (struct next){NEXT_WAIT, step};
}

struct next
wait_body(struct req *r, req_step *step)
{
    r->whole_body = false;
    return (struct next){NEXT_BODY, step};
}

struct next
wait_whole_body(struct req *r, req_step *step)
{
    r->whole_body = true;
    return (struct next){NEXT_BODY, step};
}

struct next
wait_wake(struct req *r, req_step *step)
{
    (void)r;
    return (struct next){NEXT_WAKE, step};
}

bool
runner_turn_end(struct runner *rn)
{
    unsigned now_ready = rn->ready_count; /* those made ready meanwhile: in the next turn */

    if (now_ready > 0)
        runner_mark(rn);
    while (now_ready-- > 0 && !TAILQ_EMPTY(&rn->ready)) {
        struct req *r = TAILQ_FIRST(&rn->ready);

        req_not_ready(r);
        req_resume(r);
    }
    gate_open(rn);
    finish_turn(rn);
    rn->turn_start = 0;
    return rn->ready_count > 0;
}
