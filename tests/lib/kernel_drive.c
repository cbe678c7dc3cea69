/*
 * See kernel_drive.h. Memory that runs out ends the program.
 */
#include "kernel_drive.h"

#include "common/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *
zeroed(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    assert(p != NULL);
    return p;
}

static void
begin_stage(struct drive *d, unsigned stage, unsigned tasks)
{
    assert(stage < sizeof(d->cpu_ns) / sizeof(d->cpu_ns[0]));
    assert(tasks > 0 && tasks <= KERNEL_TASKS_MAX);
    free(d->small);
    d->stage = stage;
    d->tasks = tasks;
    d->small = zeroed(tasks, sizeof(*d->small));
}

int
drive_open(struct drive *d, const struct kernel *kernel, const int64_t *params, unsigned sections)
{
    struct kernel_plan plan = {0};

    *d = (struct drive){.kernel = kernel, .params = params, .sections = sections};
    if (kernel->plan(params, sections, &plan, d->why, sizeof(d->why)) != 0)
        return -1;
    begin_stage(d, 0, plan.tasks);
    d->area_size = plan.area_size;
    if (d->area_size > 0)
        d->area = zeroed(1, d->area_size);
    d->state = zeroed(1, kernel->state_size);
    return 0;
}

static void
run_task(struct drive *d, unsigned index)
{
    struct task task = {
        .params = d->params,
        .stage = d->stage,
        .index = index,
        .count = d->tasks,
        .worker = 1 + (d->workers > 0 ? index % d->workers : 0),
        .area = d->area,
        .area_size = d->area_size,
        .tick = d->tick,
        .tick_arg = d->tick_arg,
    };
    uint64_t begin = clock_thread_cpu_ns(), took;

    if (d->kernel->run(&task) != 0)
        d->failed++;
    took = clock_thread_cpu_ns() - begin;
    d->cpu_ns[d->stage] += took;
    if (took > d->longest_ns[d->stage])
        d->longest_ns[d->stage] = took;
    assert(task.small_len <= KERNEL_SMALL_MAX);
    memcpy(d->small[index].data, task.small, task.small_len);
    d->small[index].len = task.small_len;
}

void
drive_stage(struct drive *d)
{
    for (unsigned i = 0; i < d->tasks; i++)
        run_task(d, d->backwards ? d->tasks - 1 - i : i);
}

static struct kernel_job
as_job(const struct drive *d)
{
    return (struct kernel_job){
        .params = d->params,
        .stage = d->stage,
        .tasks = d->tasks,
        .small = d->small,
        .area = d->area,
        .area_size = d->area_size,
        .state = d->state,
    };
}

int
drive_next(struct drive *d)
{
    struct kernel_job job = as_job(d);
    int tasks = d->kernel->next(&job);

    if (tasks > 0)
        begin_stage(d, d->stage + 1, (unsigned)tasks);
    return tasks;
}

int
drive_answer(struct drive *d)
{
    struct kernel_job job = as_job(d);
    struct kernel_answer *a = &d->answer;
    size_t at = 0;

    free(a->pieces);
    free(a->text);
    a->pieces = zeroed(KERNEL_PIECES_MAX, sizeof(*a->pieces));
    if (a->text_size == 0)
        a->text_size = KERNEL_TEXT_LEAST;
    a->text = zeroed(1, a->text_size);
    if (d->kernel->answer(&job, a) != 0)
        return -1;
    assert(a->count <= KERNEL_PIECES_MAX);
    d->len = 0;
    for (unsigned i = 0; i < a->count; i++)
        d->len += a->pieces[i].len;
    free(d->body);
    d->body = zeroed(1, d->len + 1);
    for (unsigned i = 0; i < a->count; at += a->pieces[i].len, i++)
        memcpy(d->body + at, a->pieces[i].data, a->pieces[i].len);
    return 0;
}

void
drive_close(struct drive *d)
{
    free(d->small);
    free(d->area);
    free(d->state);
    free(d->answer.pieces);
    free(d->answer.text);
    free(d->body);
}

int
drive_all(struct drive *d, const struct kernel *kernel, const int64_t *params, unsigned sections)
{
    int more;

    if (drive_open(d, kernel, params, sections) != 0)
        return -1;
    do {
        drive_stage(d);
        more = drive_next(d);
    } while (more > 0);
    return more != 0 || d->failed > 0 ? -1 : drive_answer(d);
}
