/*
 * The CPU part of /work: burns so many milliseconds of CPU time, cut into sections of equal time.
 * Runs in a worker or on the loop.
 *
 * What counts is the CPU time of the thread: while another process has the CPU, this clock stands
 * still, so four such tasks on one CPU take four times as long, as real work does.
 *
 * It has no path of its own: the endpoint /work waits in the database first and starts it then.
 */
#include "kernels/spin.h"

#include "common/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ROUNDS = 4000, /* between two looks at the clock: about 10 us */
};

enum { PARAM_CPU_MS };

static const struct param spin_params[] = {
    [PARAM_CPU_MS] = {.name = "cpu_ms",
                      .min = 0,
                      .max = 10000,
                      .def = 100,
                      .unit = "ms",
                      .help = "CPU time to burn, all sections together"},
    {.name = NULL},
};

/* What a task says in its small result. */
struct burnt {
    uint64_t ns;
    uint64_t number; /* what it computed: something that no compiler can leave out */
};

static double
spin_units(const int64_t *params)
{
    return (double)params[PARAM_CPU_MS];
}

/* A millisecond each at least; no work at all is one task that has nothing to do. */
static int
spin_plan(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
          size_t why_size)
{
    unsigned most = (unsigned)params[PARAM_CPU_MS];

    (void)why;
    (void)why_size;
    if (most == 0)
        most = 1;
    out->tasks = sections < most ? sections : most;
    out->area_size = 0;
    return 0;
}

/* The section's share of the time, in ns; all of them add up to the whole. */
static uint64_t
spin_share(const int64_t *params, uint64_t index, uint64_t count)
{
    uint64_t ns = (uint64_t)params[PARAM_CPU_MS] * NS_PER_MS;

    return ns * (index + 1) / count - ns * index / count;
}

/* Marsaglia's xorshift: each step needs the one before, so it can't be done side by side. */
static uint64_t
spin_step(uint64_t number)
{
    number ^= number << 13;
    number ^= number >> 7;
    number ^= number << 17;
    return number;
}

static int
spin_run(struct task *t)
{
    uint64_t share = spin_share(t->params, t->index, t->count);
    uint64_t begin = clock_thread_cpu_ns();
    struct burnt burnt = {.number = t->index + 1};

    t->small_len = 0;
    while (burnt.ns < share) {
        for (int i = 0; i < ROUNDS; i++)
            burnt.number = spin_step(burnt.number);
        if (task_tick(t))
            return 0;
        burnt.ns = clock_thread_cpu_ns() - begin;
    }
    memcpy(t->small, &burnt, sizeof(burnt));
    t->small_len = sizeof(burnt);
    return 0;
}

/* A task that burnt less than its share lies; none burns a minute more. */
static int
spin_next(struct kernel_job *job)
{
    uint64_t *sum = job->state;

    for (unsigned i = 0; i < job->tasks; i++) {
        uint64_t share = spin_share(job->params, i, job->tasks);
        struct burnt burnt;

        if (job->small[i].len != sizeof(burnt))
            return -1;
        memcpy(&burnt, job->small[i].data, sizeof(burnt));
        if (burnt.ns < share || burnt.ns > share + 60 * NS_PER_S)
            return -1;
        *sum += burnt.ns;
    }
    return 0;
}

static int
spin_answer(const struct kernel_job *job, struct kernel_answer *out)
{
    const uint64_t *sum = job->state;
    int len = snprintf(out->text, out->text_size, "\"cpu_ms\":%" PRId64 ",\"burnt_ms\":%.1f",
                       job->params[PARAM_CPU_MS], (double)*sum / NS_PER_MS);

    if (len < 0 || (size_t)len >= out->text_size)
        return -1;
    out->pieces[0] = (struct kernel_piece){out->text, (size_t)len};
    out->count = 1;
    return 0;
}

const struct kernel kernel_spin = {
    .name = "spin",
    .path = NULL,
    .help = "burns CPU time: the computing part of /work",
    .example = "",
    .content_type = "application/json",
    .params = spin_params,
    .loop_ok = true,
    .sections = true,
    .state_size = sizeof(uint64_t),
    .units = spin_units,
    .unit_ns = 1e6,
    .plan = spin_plan,
    .run = spin_run,
    .next = spin_next,
    .answer = spin_answer,
};
