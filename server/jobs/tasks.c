/*
 * tasks: what becomes of each task of a job. Runs in the front end.
 *
 *   offered -> taken -> begun -> done           the last one done ends the stage
 *      ^         |        |
 *      '- return-+- died -'                     a second death ends the job; its like is refused
 *
 * Executors know nothing of this; they take a task and hand back what became of it. A result that
 * nobody wants any more is counted and dropped here.
 */
#include "jobs/pool.h"

#include "common/log.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void
job_task_take(struct job_work *w, struct job_task *out)
{
    assert(w->state == JOB_OPEN);
    if (w->nagain > 0)
        *out = w->again[--w->nagain];
    else
        *out = (struct job_task){.stage = w->stage, .index = w->next++};
    assert(out->index < w->count);
    out->guess_ns = w->task_ns;
    job_charge(w, (int64_t)out->guess_ns);
    w->held++;
    job_offer(w);
}

void
job_task_begin(struct job_work *w, uint64_t now)
{
    struct job *job = w->waiter;

    if (w->state != JOB_OPEN)
        return;
    if (job->begun_ns == 0) {
        job->begun_ns = now;
        job->ticket.usage.queue_ns = now - job->started_ns;
        job_record_queue(w, now);
    }
    w->begun++;
    job->ticket.hooks->began(&job->ticket, now);
}

void
job_task_stop(struct job_work *w, uint64_t now)
{
    if (w->state != JOB_OPEN)
        return;
    w->begun--;
    w->waiter->ticket.hooks->ended(&w->waiter->ticket, now);
}

void
job_task_return(struct job_work *w, const struct job_task *task)
{
    w->held--;
    if (w->state != JOB_OPEN) {
        job_free_if_left(w);
        return;
    }
    if (w->nagain == w->again_room) {
        w->again_room = w->again_room > 0 ? 2 * w->again_room : 4;
        w->again = xrealloc(w->again, w->again_room * sizeof(*w->again));
    }
    w->again[w->nagain++] = *task;
    job_charge(w, -(int64_t)task->guess_ns);
    job_offer(w);
}

void
job_task_died(struct job_work *w, const struct job_task *task, uint64_t now)
{
    struct job_task again = *task;

    again.deaths++;
    if (w->state == JOB_OPEN && again.deaths > 1) {
        grudge_add(&w->jobs->grudges, w->kernel_number, w->params, w->nparams, now);
        log_errorx("job %" PRIu64 ": %s: two workers died with task %u of stage %u", w->id,
                   w->kernel->name, task->index, task->stage);
        job_end(w, FAIL_JOB_DIED, "two workers died while they computed task %u of %u",
                task->index + 1, w->count);
    } else if (w->state == JOB_OPEN) {
        w->jobs->counts.again++;
    }
    job_task_return(w, &again);
}

static void
note_who_and_where(struct job_work *w, const struct job_result *r)
{
    const unsigned worker = r->who - 1; /* the loop is none */

    if (r->who > 0 && (w->workers[worker / 64] >> (worker % 64) & 1) == 0) {
        w->workers[worker / 64] |= 1ULL << (worker % 64);
        w->waiter->workers++;
    }
    if (r->cpu / 64 < sizeof(w->cpus) / sizeof(*w->cpus) &&
        (w->cpus[r->cpu / 64] >> (r->cpu % 64) & 1) == 0) {
        w->cpus[r->cpu / 64] |= 1ULL << (r->cpu % 64);
        w->waiter->cpus++;
    }
}

static void
account(struct job_work *w, const struct job_task *task, const struct job_result *r)
{
    struct usage *u = &w->waiter->ticket.usage;

    u->cpu_ns += r->cpu_ns;
    u->kernel_switches += r->switches;
    u->tasks++;
    if (task->stage == 0)
        w->stage0_cpu_ns += r->cpu_ns;
    job_charge(w, (int64_t)r->cpu_ns - (int64_t)task->guess_ns);
    w->task_ns = (3 * w->task_ns + r->cpu_ns) / 4 + 1;
    note_who_and_where(w, r);
}

void
job_task_done(struct job_work *w, const struct job_task *task, const struct job_result *r)
{
    struct small *small;

    w->jobs->counts.tasks++;
    w->held--;
    if (w->state != JOB_OPEN) {
        w->jobs->counts.dropped++;
        job_free_if_left(w);
        return;
    }
    job_task_stop(w, r->ended_ns);
    assert(task->stage == w->stage && task->index < w->count && r->small_len <= KERNEL_SMALL_MAX);
    account(w, task, r);
    small = &w->small[task->index];
    memcpy(small->data, r->small, r->small_len);
    small->len = r->small_len;
    if (r->failed)
        job_end(w, FAIL_JOB_INPUT, "%.*s", (int)r->small_len, (const char *)r->small);
    else if (++w->done == w->count)
        job_stage_done(w);
}
