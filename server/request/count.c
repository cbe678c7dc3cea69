/*
 * count: see count.h. Runs in the front end; the numbers live in struct runner.
 */
#include "request/count.h"

#include "common/maxtrack.h"
#include "request/runner.h"

#include <assert.h>

static void
change_tasks(struct req *r, int delta, uint64_t now)
{
    struct runner *rn = r->runner;

    rn->in_progress = (unsigned)((int)rn->in_progress + delta);
    if (rn->in_progress > rn->in_progress_max)
        rn->in_progress_max = rn->in_progress;
    maxtrack_set(rn->progress, rn->in_progress);
    course_set(rn->course, now, rn->in_progress);
    if (r->origin->ops->tally != NULL)
        r->origin->ops->tally(r, delta, now);
}

void
count_begin(struct req *r, uint64_t now)
{
    struct runner *rn = r->runner;

    if (r->counted || (r->route->flags & ROUTE_OPS) != 0)
        return;
    r->counted = true;
    rn->requests++;
    if (rn->requests > rn->requests_max)
        rn->requests_max = rn->requests;
    change_tasks(r, r->open_tasks > 1 ? (int)r->open_tasks : 1, now);
    r->mark_at = maxtrack_mark(rn->progress);
}

void
count_end(struct req *r, uint64_t now)
{
    if (!r->counted)
        return;
    r->counted = false;
    r->runner->requests--;
    change_tasks(r, r->open_tasks > 1 ? -(int)r->open_tasks : -1, now);
}

void
count_task(struct req *r, int delta, uint64_t now)
{
    unsigned before = r->open_tasks > 1 ? r->open_tasks : 1;
    unsigned after;

    assert(delta > 0 || r->open_tasks > 0);
    r->open_tasks = (unsigned)((int)r->open_tasks + delta);
    after = r->open_tasks > 1 ? r->open_tasks : 1;
    if (r->counted && after != before)
        change_tasks(r, (int)after - (int)before, now);
}

unsigned
count_max_since_begin(const struct req *r)
{
    if (!r->counted)
        return r->runner->in_progress > 0 ? r->runner->in_progress : 1;
    return maxtrack_max_since(r->runner->progress, r->mark_at);
}
