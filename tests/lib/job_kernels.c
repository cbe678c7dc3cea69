/*
 * Kernels for tests: see job_kernels.h. This is the kernel_table of the programs that link it.
 */
#include "job_kernels.h"

#include "common/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct param one_param[] = {{.name = "n", .kind = PARAM_INT}, {0}};

static double
units_of_n(const int64_t *params)
{
    return (double)params[0];
}

/* As many tasks as sections, but not more than n; no area. */
static int
plan_sections(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
              size_t why_size)
{
    (void)why;
    (void)why_size;
    out->tasks = (int64_t)sections < params[0] ? sections : (unsigned)params[0];
    return 0;
}

static int
next_none(struct kernel_job *job)
{
    (void)job;
    return 0;
}

static uint64_t
small_as_number(const struct small *s)
{
    uint64_t number = 0;

    if (s->len == sizeof(number))
        memcpy(&number, s->data, sizeof(number));
    return number;
}

static void
number_as_small(struct task *t, uint64_t number)
{
    memcpy(t->small, &number, sizeof(number));
    t->small_len = sizeof(number);
}

static int
answer_sum(const struct kernel_job *job, struct kernel_answer *a)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < job->tasks; i++)
        sum += small_as_number(&job->small[i]);
    a->pieces[0] = (struct kernel_piece){
        a->text, (size_t)snprintf(a->text, a->text_size, "%llu", (unsigned long long)sum)};
    a->count = 1;
    return 0;
}

/* ---- sum ---- */

static int
run_sum(struct task *t)
{
    const uint64_t n = (uint64_t)t->params[0];
    const uint64_t from = n * t->index / t->count, to = n * (t->index + 1) / t->count;
    uint64_t sum = 0;

    for (uint64_t i = from; i < to; i++) {
        sum += i + 1;
        if (i % 1024 == 0 && task_tick(t))
            break;
    }
    number_as_small(t, sum);
    return 0;
}

/* ---- area ---- */

static int
plan_area(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
          size_t why_size)
{
    out->area_size = (size_t)params[0];
    return plan_sections(params, sections, out, why, why_size);
}

static int
run_area(struct task *t)
{
    const size_t from = t->area_size * t->index / t->count;
    const size_t to = t->area_size * (t->index + 1) / t->count;
    uint64_t sum = 0;

    for (size_t i = from; i < to; i++) {
        if (t->stage == 0)
            t->area[i] = (unsigned char)(i % 251);
        else
            sum += t->area[i];
    }
    number_as_small(t, sum);
    return 0;
}

static int
next_area(struct kernel_job *job)
{
    return job->stage == 0 ? 3 : 0;
}

static int
answer_area(const struct kernel_job *job, struct kernel_answer *a)
{
    if (answer_sum(job, a) != 0)
        return -1;
    a->pieces[1] = (struct kernel_piece){job->area, job->area_size < 4 ? job->area_size : 4};
    a->count = 2;
    return 0;
}

static int
plan_wide(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
          size_t why_size)
{
    (void)sections;
    out->area_size = (size_t)params[0] << 20;
    return plan_sections(params, 1, out, why, why_size);
}

/* ---- those that go wrong ---- */

static int
run_spin(struct task *t)
{
    const uint64_t end = clock_ns() + (uint64_t)t->params[0] * NS_PER_MS;

    while (clock_ns() < end && !task_tick(t)) {
    }
    return 0;
}

static int
run_crash(struct task *t)
{
    _exit(t->params[0] > 0 ? 3 : 4);
}

static int
run_hang(struct task *t)
{
    while (t->params[0] > 0)
        pause();
    return 0;
}

static int
run_nothing(struct task *t)
{
    number_as_small(t, t->worker);
    return 0;
}

static int
plan_refuse(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
            size_t why_size)
{
    (void)params;
    (void)sections;
    (void)out;
    snprintf(why, why_size, "these parameters do not go together");
    return -1;
}

static int
run_bad(struct task *t)
{
    static const char why[] = "this is no picture";

    memcpy(t->small, why, sizeof(why) - 1);
    t->small_len = sizeof(why) - 1;
    return -1;
}

static int
next_wrong(struct kernel_job *job)
{
    (void)job;
    return -1;
}

#define KERNEL(title, may, plan_, run_, next_, answer_)                                            \
    const struct kernel kernel_##title = {                                                         \
        .name = #title,                                                                            \
        .path = "/test/" #title,                                                                   \
        .params = one_param,                                                                       \
        .loop_ok = (may),                                                                          \
        .sections = true,                                                                          \
        .units = units_of_n,                                                                       \
        .unit_ns = 1.0,                                                                            \
        .plan = (plan_),                                                                           \
        .run = (run_),                                                                             \
        .next = (next_),                                                                           \
        .answer = (answer_),                                                                       \
    }

KERNEL(sum, true, plan_sections, run_sum, next_none, answer_sum);
KERNEL(area, true, plan_area, run_area, next_area, answer_area);
KERNEL(spin, true, plan_sections, run_spin, next_none, answer_sum);
KERNEL(crash, false, plan_sections, run_crash, next_none, answer_sum);
KERNEL(hang, false, plan_sections, run_hang, next_none, answer_sum);
KERNEL(refuse, true, plan_refuse, run_nothing, next_none, answer_sum);
KERNEL(bad, true, plan_sections, run_bad, next_none, answer_sum);
KERNEL(wrong, true, plan_sections, run_nothing, next_wrong, answer_sum);
KERNEL(wide, true, plan_wide, run_nothing, next_none, answer_sum);
KERNEL(workers_only, false, plan_sections, run_nothing, next_none, answer_sum);

const struct kernel *const kernel_table[] = {
    &kernel_sum, &kernel_area,  &kernel_spin, &kernel_crash,        &kernel_hang, &kernel_refuse,
    &kernel_bad, &kernel_wrong, &kernel_wide, &kernel_workers_only, NULL,
};
