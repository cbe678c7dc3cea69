/*
 * cost: what one unit of a kernel's work costs on this machine, learned from the jobs that were run
 * here; and into how many tasks a job is cut when its client did not say (sections = auto).
 *
 * Pure arithmetic; one struct cost per kernel.
 */
#ifndef JOBS_COST_H
#define JOBS_COST_H

#include <stdint.h>

/* A task that is cut by us shall take this long: short enough that jobs take turns, long enough
 * that the 60 us of a message between two cores do not matter. */
#define COST_TASK_NS (4000ULL * 1000)
/* Below this a task is not worth its messages, even if a worker is free for it. */
#define COST_TASK_LEAST_NS (100ULL * 1000)

struct cost {
    double unit_ns;
    uint64_t jobs; /* that it was learned from */
};

void cost_init(struct cost *, double first_guess_ns);

/* A whole job of so many units took so much CPU time. Long jobs teach more than short ones, whose
 * time is mostly their fixed part. */
void cost_learn(struct cost *, double units, uint64_t cpu_ns);

/* CPU time that a job of so many units will take: 1 ns to 1 h. */
uint64_t cost_guess(const struct cost *, double units);

/* Tasks for a job of so much CPU time: about COST_TASK_NS each, at least one for each worker (but
 * COST_TASK_LEAST_NS), at most KERNEL_TASKS_MAX. */
unsigned cost_sections(uint64_t guess_ns, unsigned workers);

#endif
