/*
 * job: the life of a job, from stage to stage. Runs in the front end.
 *
 *   stage 0: tasks, all done -> next() -> stage 1: tasks, all done -> ... -> next() says 0: over
 *
 * A job ends once, by job_end(), whatever the reason. Its waiter is told later, by jobs_tell(),
 * when nothing else is half done: the waiter may release the job then and there. A job whose waiter
 * has gone is freed when the last executor has handed its task back.
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/states.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct state_row job_states[] = {
    [JOB_OPEN] = {"open", STATE_BIT(JOB_OVER) | STATE_BIT(JOB_LEFT)},
    [JOB_OVER] = {"over", STATE_BIT(JOB_TOLD) | STATE_BIT(JOB_LEFT)},
    [JOB_TOLD] = {"told", STATE_BIT(JOB_LEFT)},
    [JOB_LEFT] = {"left", 0},
};

/* What a task of a later stage is thought to take until one was seen. */
#define STAGE_GUESS_NS NS_PER_MS

/* From one state to the next, and from one list to the next with it. */
static void
job_move(struct job_work *w, enum job_state to)
{
    struct jobs *jobs = w->jobs;

    states_check("job", job_states, w->state, to);
    switch (w->state) {
    case JOB_OPEN:
        TAILQ_REMOVE(&jobs->open, w, link);
        jobs->nopen--;
        break;
    case JOB_OVER:
        TAILQ_REMOVE(&jobs->over, w, link);
        break;
    case JOB_TOLD:
        TAILQ_REMOVE(&jobs->told, w, link);
        break;
    case JOB_LEFT:
        break;
    }
    w->state = to;
    switch (to) {
    case JOB_OVER:
        TAILQ_INSERT_TAIL(&jobs->over, w, link);
        break;
    case JOB_LEFT:
        TAILQ_INSERT_TAIL(&jobs->left, w, link);
        break;
    case JOB_TOLD:
        TAILQ_INSERT_TAIL(&jobs->told, w, link);
        break;
    case JOB_OPEN:
        break;
    }
}

static struct sched *
sched_of(const struct job_work *w)
{
    switch (w->executor) {
    case EXEC_WORKERS:
        return &w->jobs->pool;
    case EXEC_LOOP:
        return &w->jobs->loop;
    case EXEC_LOOP_BLOCKING:
        break;
    }
    return NULL;
}

/* Out of its executor's queue, for ever. */
static void
unqueue(struct job_work *w)
{
    if (!w->queued)
        return;
    w->queued = false;
    if (w->executor == EXEC_LOOP_BLOCKING)
        TAILQ_REMOVE(&w->jobs->blocking, w, turn);
    else
        sched_leave(sched_of(w), &w->sched);
}

void
job_offer(struct job_work *w)
{
    struct sched *s = sched_of(w);

    if (s == NULL)
        return;
    if (w->next < w->count || w->nagain > 0)
        sched_offer(s, &w->sched);
    else
        sched_withdraw(s, &w->sched);
}

void
job_charge(struct job_work *w, int64_t ns)
{
    struct sched *s = sched_of(w);

    if (s != NULL)
        sched_charge(s, &w->sched, ns);
}

/* Its tasks that run are no longer wanted. */
static void
show_cancel(const struct job_work *w)
{
    const struct jobs *jobs = w->jobs;

    for (unsigned i = 0; w->held > 0 && i < jobs->nworkers; i++) {
        if (jobs->workers[i] != NULL)
            worker_show_cancel(jobs->workers[i]);
    }
}

void
job_destroy(struct job_work *w)
{
    struct jobs *jobs = w->jobs;

    for (unsigned i = 0; w->area.fd >= 0 && i < jobs->nworkers; i++) {
        if (jobs->workers[i] != NULL)
            worker_drop_area(jobs->workers[i], w->id);
    }
    job_area_close(&w->area);
    memory_give(w->memory);
    free(w->again);
    free(w->small);
    free(w->answer);
    free(w);
}

void
job_free_if_left(struct job_work *w)
{
    if (w->state != JOB_LEFT || w->held > 0)
        return;
    TAILQ_REMOVE(&w->jobs->left, w, link);
    job_destroy(w);
}

void
job_record_queue(const struct job_work *w, uint64_t end)
{
    if (w->recorded)
        span_add(w->jobs->ring, SPAN_QUEUE, LANE_REQUEST, w->request, 0, w->waiter->started_ns,
                 end);
}

void
job_end(struct job_work *w, enum failure failure, const char *why, ...)
{
    struct job *job = w->waiter;
    struct jobs *jobs = w->jobs;
    va_list args;

    va_start(args, why);
    vsnprintf(job->why, sizeof(job->why), why, args);
    va_end(args);
    job->ended_ns = clock_ns();
    if (job->begun_ns == 0) {
        job->ticket.usage.queue_ns = job->ended_ns - job->started_ns;
        job_record_queue(w, job->ended_ns);
    }
    unqueue(w);
    job_move(w, JOB_OVER);
    w->failure = failure;
    w->ended = ++jobs->counts.ended;
    if (failure != FAIL_NONE)
        jobs->counts.failed++;
    else
        cost_learn(&jobs->costs[w->kernel_number], w->units, w->stage0_cpu_ns);
    for (; w->begun > 0; w->begun--)
        job->ticket.hooks->ended(&job->ticket, job->ended_ns);
    show_cancel(w);
}

void
job_end_late(struct job_work *w)
{
    job_end(w, FAIL_JOB_LATE,
            "the computation took longer than job_timeout: %u of %u tasks of stage %u were done",
            w->done, w->count, w->stage);
}

bool
jobs_tell(struct jobs *jobs)
{
    const uint64_t last = jobs->counts.ended; /* those that end meanwhile: next time */
    struct job_work *w;
    bool told = false;

    while ((w = TAILQ_FIRST(&jobs->over)) != NULL && w->ended <= last) {
        struct ticket *t = &w->waiter->ticket;

        job_move(w, JOB_TOLD);
        told = true;
        t->hooks->done(t, w->failure); /* w may be gone now */
    }
    return told;
}

void
job_release(struct job *job)
{
    struct job_work *w = job->work;

    if (w == NULL)
        return;
    if (w->state == JOB_OPEN)
        w->jobs->counts.left++;
    unqueue(w);
    w->waiter = NULL;
    job->work = NULL;
    job_move(w, JOB_LEFT);
    show_cancel(w);
    job_free_if_left(w);
}

/* ---- stages ---- */

static struct kernel_job
job_as_kernel_sees_it(struct job_work *w)
{
    return (struct kernel_job){
        .params = w->params,
        .stage = w->stage,
        .tasks = w->count,
        .small = w->small,
        .area = w->area.data,
        .area_size = w->area.size,
        .state = w->state_of_kernel,
    };
}

static bool
make_small_room(struct job_work *w, unsigned tasks)
{
    size_t more;

    if (tasks > w->small_room) {
        more = (tasks - w->small_room) * sizeof(struct small);
        if (!memory_take(more))
            return false;
        w->memory += more;
        w->small = xrealloc(w->small, tasks * sizeof(struct small));
        w->small_room = tasks;
    }
    return true;
}

void
job_stage_done(struct job_work *w)
{
    struct kernel_job view = job_as_kernel_sees_it(w);
    int tasks = w->kernel->next(&view);

    if (tasks < 0 || tasks > KERNEL_TASKS_MAX) {
        log_errorx("job %" PRIu64 ": the results of %s, stage %u, can't be right", w->id,
                   w->kernel->name, w->stage);
        job_end(w, FAIL_JOB_DIED, "the results of the workers can't be right");
    } else if (tasks == 0) {
        job_end(w, FAIL_NONE, "%s", "");
    } else if (!make_small_room(w, (unsigned)tasks)) {
        job_end(w, FAIL_MEMORY, "no memory is left for stage %u of the job", w->stage + 1);
    } else {
        w->stage++;
        w->count = (unsigned)tasks;
        w->next = w->done = 0;
        w->task_ns = STAGE_GUESS_NS;
        w->waiter->tasks += w->count;
        job_offer(w);
    }
}

int
job_answer(struct job *job, const struct kernel_piece **pieces, unsigned *count)
{
    struct job_work *w = job->work;
    struct kernel_job view = job_as_kernel_sees_it(w);

    assert(w->state == JOB_TOLD && w->failure == FAIL_NONE);
    if (w->answer == NULL) {
        w->answer = xmalloc(sizeof(*w->answer));
        w->answer->answer = (struct kernel_answer){.pieces = w->answer->pieces,
                                                   .text = w->answer->text,
                                                   .text_size = sizeof(w->answer->text)};
        if (w->kernel->answer(&view, &w->answer->answer) != 0) {
            free(w->answer);
            w->answer = NULL;
            return -1;
        }
    }
    assert(w->answer->answer.count <= KERNEL_PIECES_MAX);
    *pieces = w->answer->pieces;
    *count = w->answer->answer.count;
    return 0;
}
