/*
 * cost: see cost.h. Runs in the front end. A moving average, weighted by how long the job was: one
 * of 10 ms of CPU time moves it by a quarter of the way, a long one by half.
 */
#include "jobs/cost.h"

#include "common/clock.h"
#include "kernels/kernel.h"

/* A job of so much CPU time moves the average half as far as a very long one. */
#define COST_HALF_NS 10e6
#define COST_MOST    0.5

/* What is measured comes from workers: believe it only within this factor of what was known. */
#define COST_JUMP_MAX 100.0

void
cost_init(struct cost *c, double first_guess_ns)
{
    *c = (struct cost){.unit_ns = first_guess_ns > 0 ? first_guess_ns : 1.0};
}

void
cost_learn(struct cost *c, double units, uint64_t cpu_ns)
{
    double cpu = (double)cpu_ns, weight, sample;

    if (!(units > 0) || cpu_ns == 0)
        return;
    sample = cpu / units;
    if (sample > c->unit_ns * COST_JUMP_MAX)
        sample = c->unit_ns * COST_JUMP_MAX;
    if (sample < c->unit_ns / COST_JUMP_MAX)
        sample = c->unit_ns / COST_JUMP_MAX;
    weight = COST_MOST * cpu / (cpu + COST_HALF_NS);
    c->unit_ns += (sample - c->unit_ns) * weight;
    c->jobs++;
}

uint64_t
cost_guess(const struct cost *c, double units)
{
    const double most = 3600.0 * (double)NS_PER_S;
    double ns = c->unit_ns * units;

    if (!(ns > 1.0))
        return 1;
    return (uint64_t)(ns < most ? ns : most);
}

unsigned
cost_sections(uint64_t guess_ns, unsigned workers)
{
    uint64_t sections = guess_ns / COST_TASK_NS;
    uint64_t worth = guess_ns / COST_TASK_LEAST_NS;
    uint64_t wanted = worth < workers ? worth : workers;

    if (sections < wanted)
        sections = wanted;
    if (sections < 1)
        sections = 1;
    return sections < KERNEL_TASKS_MAX ? (unsigned)sections : KERNEL_TASKS_MAX;
}
