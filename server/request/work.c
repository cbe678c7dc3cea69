/*
 * work: the starters, and the hooks by which db and jobs call up. A work belongs to its request's
 * arena; after work_release_all() the rooms below know nothing of it any more.
 *
 *   req_query() --> db_start() ..... began, ended: counts ..... done: work_done() -> req_resume()
 */
#include "request/work.h"

#include "common/clock.h"
#include "request/count.h"
#include "request/resume.h"
#include "request/runner.h"

#include <assert.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <string.h>

#define CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Time as a work: not cancelled by anybody but the end of its request. */
struct delay {
    struct work work;
    uint64_t due_ns;
    struct event timer;
};

static void
work_begin(struct req *r, struct work *w, enum work_kind kind)
{
    w->req = r;
    w->kind = kind;
    w->soft = false;
    w->done = false;
    w->failure = FAIL_NONE;
    w->older = r->works;
    r->works = w;
    r->waiting++;
}

static void
work_done(struct work *w, struct usage *used, enum failure failure, const char *why)
{
    struct req *r = w->req;

    assert(!w->done);
    w->done = true;
    w->failure = failure;
    r->waiting--;
    r->usage.queue_ns += used->queue_ns;
    r->usage.db_ns += used->db_ns;
    r->usage.unseen_ns += used->unseen_ns;
    r->usage.cpu_ns += used->cpu_ns;
    r->usage.tasks += used->tasks;
    r->usage.kernel_switches += used->kernel_switches;
    if (failure != FAIL_NONE && !w->soft && r->failed == FAIL_NONE) {
        r->failed = failure;
        snprintf(r->why, sizeof(r->why), "%s", why);
    }
    req_resume(r);
}

/* One task of this work begins or ends. Where none of it or all of it runs now, its request waits
 * for something else than before. */
static void
change_running(struct req *r, struct ticket *t, int delta, uint64_t now)
{
    t->in_progress = (uint32_t)((int)t->in_progress + delta);
    if (t->in_progress == (delta > 0 ? 1 : 0))
        r->state_ns = now;
    count_task(r, delta, now);
}

static void
change_queries(struct runner *rn, int delta, uint64_t now)
{
    rn->queries = (unsigned)((int)rn->queries + delta);
    course_set(rn->queries_course, now, rn->queries);
}

static void
on_query_began(struct ticket *t, uint64_t now)
{
    struct req *r = CONTAINER(t, struct query, q.ticket)->work.req;

    change_queries(r->runner, 1, now);
    change_running(r, t, 1, now);
}

static void
on_query_ended(struct ticket *t, uint64_t now)
{
    struct req *r = CONTAINER(t, struct query, q.ticket)->work.req;

    change_queries(r->runner, -1, now);
    change_running(r, t, -1, now);
}

/* An answer is read in the turn after the one in which it came: if that one computed, nobody knows
 * when. */
static uint64_t
unseen(const struct runner *rn, uint64_t db_ns)
{
    uint64_t from;

    if (rn->deaf_to == 0)
        return 0;
    from = clock_ns() - db_ns;
    if (from < rn->deaf_from)
        from = rn->deaf_from;
    return rn->deaf_to > from ? rn->deaf_to - from : 0;
}

static void
on_query_done(struct ticket *t, enum failure failure)
{
    struct query *query = CONTAINER(t, struct query, q.ticket);

    t->usage.unseen_ns = unseen(query->work.req->runner, t->usage.db_ns);
    work_done(&query->work, &t->usage, failure, query->q.error);
}

static const struct ticket_hooks query_hooks = {on_query_began, on_query_ended, on_query_done};

/* A task that runs on the loop is the loop going on with another request. */
static void
on_compute_began(struct ticket *t, uint64_t now)
{
    struct compute *c = CONTAINER(t, struct compute, job.ticket);

    if (c->executor != EXEC_WORKERS)
        runner_switch(c->work.req);
    change_running(c->work.req, t, 1, now);
}

static void
on_compute_ended(struct ticket *t, uint64_t now)
{
    change_running(CONTAINER(t, struct compute, job.ticket)->work.req, t, -1, now);
}

static void
on_compute_done(struct ticket *t, enum failure failure)
{
    struct compute *c = CONTAINER(t, struct compute, job.ticket);

    /* time that the executors spent on the loop is in the tasks' CPU time already */
    runner_mark(c->work.req->runner);
    c->work.req->runner->kernel_switches += t->usage.kernel_switches;
    work_done(&c->work, &t->usage, failure, c->job.why);
}

static const struct ticket_hooks compute_hooks = {on_compute_began, on_compute_ended,
                                                  on_compute_done};

static void
ticket_init(struct req *r, struct ticket *t, const struct ticket_hooks *hooks)
{
    *t = (struct ticket){
        .hooks = hooks,
        .request = r->id,
        .recorded = req_recorded(r) ? 1 : 0,
    };
}

void
req_query(struct req *r, struct query *query, enum db_statement statement,
          const char *const *params, int nparams)
{
    work_begin(r, &query->work, WORK_QUERY);
    memset(&query->q, 0, sizeof(query->q));
    ticket_init(r, &query->q.ticket, &query_hooks);
    db_start(r->runner->db, &query->q, statement, params, nparams, 0);
}

void
req_query_int(struct req *r, struct query *query, enum db_statement statement, int64_t param)
{
    work_begin(r, &query->work, WORK_QUERY);
    memset(&query->q, 0, sizeof(query->q));
    ticket_init(r, &query->q.ticket, &query_hooks);
    db_start_int(r->runner->db, &query->q, statement, param);
}

void
req_compute(struct req *r, struct compute *c, const struct kernel *kernel, const int64_t *params,
            unsigned sections, enum executor executor)
{
    work_begin(r, &c->work, WORK_COMPUTE);
    memset(&c->job, 0, sizeof(c->job));
    c->executor = executor;
    r->ran_on |= 1u << executor;
    ticket_init(r, &c->job.ticket, &compute_hooks);
    job_start(r->runner->jobs, &c->job, kernel, params, sections, executor);
}

static void
delay_arm(struct delay *d, uint64_t ns)
{
    struct timeval tv = {(time_t)(ns / NS_PER_S), (suseconds_t)(ns % NS_PER_S / NS_PER_US)};

    evtimer_add(&d->timer, &tv);
}

/* libevent reads a coarse clock, once in a turn: its timers may be some milliseconds early. */
static void
on_delay(evutil_socket_t fd, short what, void *arg)
{
    struct delay *d = arg;
    struct usage none = {0};
    uint64_t now = clock_ns();

    (void)fd;
    (void)what;
    if (now < d->due_ns) {
        delay_arm(d, d->due_ns - now + NS_PER_US);
        return;
    }
    work_done(&d->work, &none, FAIL_NONE, "");
}

/* One that is over, to be used again: a request may wait very often, and its memory only grows. */
static struct delay *
take_old_delay(struct req *r)
{
    for (struct work *w = r->works; w != NULL; w = w->older) {
        if (w->kind == WORK_DELAY && w->done) {
            req_release(w);
            return CONTAINER(w, struct delay, work);
        }
    }
    return NULL;
}

void
req_delay(struct req *r, uint64_t ns)
{
    struct delay *d = take_old_delay(r);

    if (d == NULL)
        d = arena_zalloc(&r->arena, sizeof(*d));
    work_begin(r, &d->work, WORK_DELAY);
    d->due_ns = clock_ns() + ns;
    evtimer_assign(&d->timer, r->runner->base, on_delay, d);
    delay_arm(d, ns);
}

void
req_soft(struct work *w)
{
    w->soft = true;
}

/* One that nobody waits for any more is not counted further, though PostgreSQL may be at it. */
static void
release_query(struct query *query)
{
    struct ticket *t = &query->q.ticket;

    if (t->in_progress > 0)
        change_queries(query->work.req->runner, -(int)t->in_progress, clock_ns());
    t->in_progress = 0;
    db_release(&query->q);
}

static void
release(struct work *w)
{
    switch (w->kind) {
    case WORK_QUERY:
        release_query(CONTAINER(w, struct query, work));
        break;
    case WORK_COMPUTE:
        job_release(&CONTAINER(w, struct compute, work)->job);
        break;
    case WORK_DELAY:
        evtimer_del(&CONTAINER(w, struct delay, work)->timer);
        break;
    }
}

/* Leaves the list, so that the same memory can be started anew. */
void
req_release(struct work *w)
{
    struct work **link = &w->req->works;

    assert(w->done);
    while (*link != NULL && *link != w)
        link = &(*link)->older;
    if (*link == NULL)
        return; /* released already */
    *link = w->older;
    release(w);
}

void
work_release_all(struct req *r)
{
    struct work *w = r->works;

    r->works = NULL;
    for (; w != NULL; w = w->older)
        release(w);
    r->waiting = 0;
}
