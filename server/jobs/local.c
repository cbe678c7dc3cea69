/*
 * local: jobs that compute on the loop thread itself, to show what that means.
 *
 *   loop           one task per loop turn, of the job with the least service: requests take turns
 *                  on one core, nothing gets faster, nobody waits longer than a task
 *   loop-blocking  a whole job at once: everyone waits
 *
 * Runs in the front end, last of all in a turn: answers and queries have left by then. The kernel's
 * ticks keep the CPU slices of the loop thread and stop a job whose time is over; nothing else
 * happens while a task runs.
 */
#include "jobs/pool.h"

#include "common/clock.h"
#include "common/pace.h"
#include "common/slices.h"

#include <sched.h>
#include <stddef.h>
#include <sys/resource.h>

#define WORK_OF(entry) ((struct job_work *)((char *)(entry)-offsetof(struct job_work, sched)))
#define LOCAL_TICK_NS  (40 * NS_PER_US)

struct local_run {
    struct pace pace;
    struct slices *slices;
    uint64_t deadline_ns;
    bool late;
};

static bool
on_task_tick(void *arg)
{
    struct local_run *run = arg;

    if (!pace_tick(&run->pace))
        return run->late;
    if (run->slices != NULL)
        slices_tick(run->slices);
    run->late = run->pace.last >= run->deadline_ns;
    return run->late;
}

static uint64_t
switches_of_thread(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_THREAD, &u) != 0)
        return 0;
    return (uint64_t)u.ru_nvcsw + (uint64_t)u.ru_nivcsw;
}

static void
run_task(struct job_work *w)
{
    const uint64_t start = clock_ns(), cpu = clock_thread_cpu_ns(), switches = switches_of_thread();
    struct local_run run = {.slices = w->jobs->loop_slices, .deadline_ns = w->deadline_ns};
    struct job_task t;
    struct task task = {.params = w->params,
                        .area = w->area.data,
                        .area_size = w->area.size,
                        .tick = on_task_tick,
                        .tick_arg = &run};
    struct job_result result;

    job_task_take(w, &t);
    job_task_begin(w, start);
    task.stage = t.stage;
    task.index = t.index;
    task.count = w->count;
    pace_init(&run.pace, LOCAL_TICK_NS, start);
    result.failed = w->kernel->run(&task) != 0;
    result.cpu_ns = clock_thread_cpu_ns() - cpu;
    result.switches = switches_of_thread() - switches;
    result.cpu = (unsigned)sched_getcpu();
    result.who = 0;
    result.small = task.small;
    result.small_len = task.small_len;
    result.ended_ns = clock_ns();
    if (w->recorded)
        span_add(w->jobs->ring, SPAN_TASK, LANE_LOOP, w->request, t.stage << 24 | t.index, start,
                 result.ended_ns);
    if (run.late)
        job_end_late(w);
    job_task_done(w, &t, &result);
}

void
local_turn(struct jobs *jobs)
{
    struct job_work *blocking = TAILQ_FIRST(&jobs->blocking);
    struct sched_entry *least = sched_least(&jobs->loop);

    if (blocking != NULL) {
        while (blocking->state == JOB_OPEN)
            run_task(blocking);
    }
    if (least != NULL)
        run_task(WORK_OF(least));
}
