/*
 * gate: at most max_in_progress requests are begun and not answered; the rest wait in order of
 * arrival, at most max_queue of them. With max_in_progress = 1 the server does one thing at a
 * time: that is what the comparison starts from. Operations (ROUTE_OPS) pass.
 */
#include "common/clock.h"
#include "request/resume.h"
#include "request/runner.h"

#include <stdio.h>

static bool
has_place(const struct runner *rn)
{
    return rn->conf->max_in_progress == 0 || rn->gate_held < rn->conf->max_in_progress;
}

bool
gate_enter(struct req *r)
{
    struct runner *rn = r->runner;

    if ((r->route->flags & ROUTE_OPS) != 0 || rn->conf->max_in_progress == 0)
        return true;
    if (rn->gate_waiting == 0 && has_place(rn)) {
        rn->gate_held++;
        r->gate_held = true;
        return true;
    }
    if (rn->gate_waiting >= rn->conf->max_queue) {
        rn->gate_refused++;
        r->failed = FAIL_BUSY;
        snprintf(r->why, sizeof(r->why), "%u requests are waiting already", rn->gate_waiting);
        return false;
    }
    TAILQ_INSERT_TAIL(&rn->gate, r, queue);
    rn->gate_waiting++;
    r->at_gate = true;
    return false;
}

void
gate_forget(struct req *r)
{
    if (!r->at_gate)
        return;
    r->at_gate = false;
    TAILQ_REMOVE(&r->runner->gate, r, queue);
    r->runner->gate_waiting--;
}

void
gate_open(struct runner *rn)
{
    while (rn->gate_waiting > 0 && has_place(rn)) {
        struct req *r = TAILQ_FIRST(&rn->gate);
        uint64_t now = clock_ns();

        gate_forget(r);
        rn->gate_held++;
        r->gate_held = true;
        r->gate_ns = now - r->start_ns;
        if (req_recorded(r))
            span_add(rn->ring, SPAN_GATE, LANE_REQUEST, r->id, 0, r->start_ns, now);
        req_resume_later(r);
    }
}

void
gate_leave(struct req *r)
{
    if (!r->gate_held)
        return;
    r->gate_held = false;
    r->runner->gate_held--;
}
