/*
 * /test/crash: a kernel that goes wrong in as many ways as a kernel can; tests ask for it. Built
 * only with -DTEST_KERNELS, so no server that is installed has it.
 *
 * One of `tasks` tasks, number `at`, misbehaves the first `times` times that it is run, and is
 * good after that: the count of its runs lies in the area, which outlives the worker. So a test
 * can have a task that dies once and succeeds elsewhere, or one that always dies. All other tasks
 * are good: a good task returns its number.
 */
#include "kernels/crash.h"

#ifdef TEST_KERNELS

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARAM_MODE, PARAM_TIMES, PARAM_TASKS, PARAM_AT };

enum crash_mode { SEGV, ABORT, EXIT, HOLD, SPIN, WRONG, REFUSE };

static const char *const crash_modes[] = {
    [SEGV] = "segv",     /* writes where no memory is */
    [ABORT] = "abort",   /* as a failed assert does */
    [EXIT] = "exit",     /* leaves, as if all were well */
    [HOLD] = "hold",     /* runs on without a tick: stuck */
    [SPIN] = "spin",     /* runs on, ticking, until it is cancelled */
    [WRONG] = "wrong",   /* a result that can't be right */
    [REFUSE] = "refuse", /* says that the input is not valid */
    NULL,
};

static const struct param crash_params[] = {
    [PARAM_MODE] = {.name = "mode",
                    .kind = PARAM_CHOICE,
                    .min = 0,
                    .max = REFUSE,
                    .def = SEGV,
                    .choices = crash_modes,
                    .help = "how it goes wrong"},
    [PARAM_TIMES] = {.name = "times",
                     .min = 0,
                     .max = 100,
                     .def = 100,
                     .help = "how many runs of that task go wrong, then it is good"},
    [PARAM_TASKS] =
        {.name = "tasks", .min = 1, .max = 64, .def = 1, .help = "into how many tasks it is cut"},
    [PARAM_AT] = {.name = "at", .min = 0, .max = 63, .def = 0, .help = "the task that goes wrong"},
    {.name = NULL},
};

static double
crash_units(const int64_t *params)
{
    return (double)params[PARAM_TASKS];
}

static int
crash_plan(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
           size_t why_size)
{
    (void)sections;
    if (params[PARAM_AT] >= params[PARAM_TASKS]) {
        snprintf(why, why_size, "at must be below tasks, which is %d", (int)params[PARAM_TASKS]);
        return -1;
    }
    out->tasks = (unsigned)params[PARAM_TASKS];
    out->area_size = 1; /* runs of task `at` so far */
    return 0;
}

static void
crash_write_nowhere(void)
{
    volatile uintptr_t nowhere = 8;

    *(volatile char *)nowhere = 1;
}

static int
task_misbehave(struct task *t)
{
    static const char why[] = "this input is never valid";
    volatile bool stuck = true;

    switch ((enum crash_mode)t->params[PARAM_MODE]) {
    case SEGV:
        crash_write_nowhere();
        break;
    case ABORT:
        abort();
    case EXIT:
        _exit(0);
    case HOLD:
        while (stuck)
            ;
        break;
    case SPIN:
        while (!task_tick(t))
            ;
        break;
    case WRONG:
        memset(t->small, 0xff, sizeof(t->small));
        t->small_len = sizeof(t->small);
        break;
    case REFUSE:
        memcpy(t->small, why, sizeof(why) - 1);
        t->small_len = sizeof(why) - 1;
        return -1;
    }
    return 0;
}

static int
crash_run(struct task *t)
{
    t->small_len = 0;
    if (t->index == (unsigned)t->params[PARAM_AT] && t->area[0] < t->params[PARAM_TIMES]) {
        t->area[0]++;
        return task_misbehave(t);
    }
    memcpy(t->small, &t->index, sizeof(t->index));
    t->small_len = sizeof(t->index);
    return 0;
}

static int
crash_next(struct kernel_job *job)
{
    for (unsigned i = 0; i < job->tasks; i++) {
        if (job->small[i].len != sizeof(i) || memcmp(job->small[i].data, &i, sizeof(i)) != 0)
            return -1;
    }
    return 0;
}

static int
crash_answer(const struct kernel_job *job, struct kernel_answer *out)
{
    int len = snprintf(out->text, out->text_size, "\"good_tasks\":%u,\"runs_of_the_bad_one\":%d",
                       job->tasks, job->area[0]);

    if (len < 0 || (size_t)len >= out->text_size)
        return -1;
    out->pieces[0] = (struct kernel_piece){out->text, (size_t)len};
    out->count = 1;
    return 0;
}

const struct kernel kernel_crash = {
    .name = "crash",
    .path = "/test/crash",
    .help = "goes wrong, for tests",
    .example = "mode=segv&times=1",
    .content_type = "application/json",
    .params = crash_params,
    .loop_ok = false,
    .sections = false,
    .units = crash_units,
    .unit_ns = 1000,
    .plan = crash_plan,
    .run = crash_run,
    .next = crash_next,
    .answer = crash_answer,
};

#endif
