/*
 * start: how a job comes into being. Runs in the front end.
 *
 *   admit: is there anybody to compute it?  ->  plan: how many tasks, how much memory  ->  queue
 *
 * Whatever goes wrong here is told like everything else: from the loop, never by job_start().
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

const char *const executor_names[] = {
    [EXEC_WORKERS] = "workers",
    [EXEC_LOOP] = "loop",
    [EXEC_LOOP_BLOCKING] = "loop-blocking",
    [EXEC_LOOP_BLOCKING + 1] = NULL,
};

/* Octets of a job that do not depend on its size: many small jobs count too. */
#define JOB_OCTETS (sizeof(struct job_work) + sizeof(struct job_answer_room))

static unsigned
number_of(const struct jobs *jobs, const struct kernel *kernel)
{
    for (unsigned i = 0; i < jobs->nkernels; i++) {
        if (kernel_table[i] == kernel)
            return i;
    }
    fatalx("kernel %s is not in the table", kernel->name);
}

static struct job_work *
work_new(struct jobs *jobs, struct job *job, const struct kernel *kernel, const int64_t *params)
{
    struct job_work *w = xcalloc(1, sizeof(*w) + kernel->state_size);

    w->waiter = job;
    w->jobs = jobs;
    w->id = ++jobs->next_id;
    w->request = job->ticket.request;
    w->recorded = job->ticket.recorded != 0;
    w->state = JOB_OPEN;
    w->kernel = kernel;
    w->kernel_number = number_of(jobs, kernel);
    w->area.fd = -1;
    while (kernel->params[w->nparams].name != NULL)
        w->nparams++;
    assert(w->nparams <= PARAM_MAX);
    memcpy(w->params, params, w->nparams * sizeof(*params));
    w->units = kernel->units(w->params);
    w->deadline_ns = job->started_ns + (uint64_t)jobs->conf->job_timeout * NS_PER_MS;
    return w;
}

/* May it run at all? Otherwise it is over. */
static bool
admit(struct job_work *w, uint64_t now)
{
    struct jobs *jobs = w->jobs;

    if (jobs->nopen > JOBS_OPEN_MAX) {
        job_end(w, FAIL_JOBS_FULL, "%d jobs are in progress", JOBS_OPEN_MAX);
    } else if (w->executor != EXEC_WORKERS) {
        if (w->kernel->loop_ok)
            return true;
        job_end(w, FAIL_JOB_INPUT, "%s needs workers: it can't run on the loop", w->kernel->name);
    } else if (jobs->conf->workers == 0) {
        job_end(w, FAIL_NO_WORKERS, "this server has no workers (workers = 0)");
    } else if (pool_is_ill(jobs, now)) {
        job_end(w, FAIL_NO_WORKERS, "the workers keep dying by themselves");
    } else if (grudge_is_held(&jobs->grudges, w->kernel_number, w->params, w->nparams, now)) {
        job_end(w, FAIL_JOB_REFUSED, "the same job killed two workers within the last minute");
    } else {
        return true;
    }
    return false;
}

static bool
take_memory(struct job_work *w, const struct kernel_plan *plan)
{
    const size_t small = plan->tasks * sizeof(struct small);
    const size_t octets = JOB_OCTETS + small + plan->area_size;

    if (octets < plan->area_size || !memory_take(octets))
        goto fail;
    w->memory = octets;
    if (plan->area_size > 0 &&
        job_area_open(&w->area, plan->area_size, w->executor == EXEC_WORKERS) != 0) {
        log_warn("job %" PRIu64 ": %zu octets", w->id, plan->area_size);
        goto fail;
    }
    w->small = xcalloc(plan->tasks, sizeof(struct small));
    w->small_room = plan->tasks;
    return true;

fail:
    job_end(w, FAIL_MEMORY, "the job needs %zu octets, and %zu of %zu are in use", octets,
            memory_used(), memory_limit());
    return false;
}

/* Cuts it into tasks; otherwise it is over. */
static bool
make_plan(struct job_work *w, unsigned sections)
{
    const uint64_t guess = cost_guess(&w->jobs->costs[w->kernel_number], w->units);
    struct kernel_plan plan = {0};
    char why[sizeof(w->waiter->why)] = "";

    if (sections == 0)
        sections = cost_sections(guess, w->executor == EXEC_WORKERS ? pool_size(w->jobs) : 1);
    if (w->kernel->plan(w->params, sections, &plan, why, sizeof(why)) != 0) {
        job_end(w, FAIL_JOB_INPUT, "%s", why);
        return false;
    }
    assert(plan.tasks > 0 && plan.tasks <= KERNEL_TASKS_MAX);
    if (!take_memory(w, &plan))
        return false;
    w->count = plan.tasks;
    w->task_ns = guess / plan.tasks + 1;
    w->waiter->tasks = plan.tasks;
    return true;
}

static void
queue(struct job_work *w)
{
    struct jobs *jobs = w->jobs;

    switch (w->executor) {
    case EXEC_WORKERS:
        sched_enter(&jobs->pool, &w->sched);
        sched_offer(&jobs->pool, &w->sched);
        break;
    case EXEC_LOOP:
        sched_enter(&jobs->loop, &w->sched);
        sched_offer(&jobs->loop, &w->sched);
        break;
    case EXEC_LOOP_BLOCKING:
        TAILQ_INSERT_TAIL(&jobs->blocking, w, turn);
        break;
    }
    w->queued = true;
}

void
job_start(struct jobs *jobs, struct job *job, const struct kernel *kernel, const int64_t *params,
          unsigned sections, enum executor executor)
{
    struct job_work *w;

    assert(job->work == NULL);
    job->started_ns = clock_ns();
    w = job->work = work_new(jobs, job, kernel, params);
    w->executor = executor;
    TAILQ_INSERT_TAIL(&jobs->open, w, link);
    jobs->nopen++;
    jobs->counts.jobs++;
    if (admit(w, job->started_ns) && make_plan(w, sections)) {
        queue(w);
        pool_watch(jobs);
    }
    pool_wake(jobs);
}
