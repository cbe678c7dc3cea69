/*
 * Runs a kernel in this process, one task after the other: what the front end and the workers do
 * together, without both. Used by the kernels' tests and benchmarks.
 *
 *   struct drive d;
 *   drive_open(&d, &kernel_primes, params, 7);    plan
 *   drive_stage(&d);                              all tasks of stage 0; now a test may forge
 * d.small drive_next(&d);                               0: finished drive_answer(&d); the body is
 * in d.body drive_close(&d);
 */
#ifndef TESTS_KERNEL_DRIVE_H
#define TESTS_KERNEL_DRIVE_H

#include "kernels/kernel.h"

struct drive {
    const struct kernel *kernel;
    const int64_t *params;
    unsigned sections; /* wanted */
    unsigned stage, tasks;
    struct small *small; /* results of the present stage */
    unsigned char *area;
    size_t area_size;
    void *state;
    struct kernel_answer answer;
    unsigned char *body; /* all pieces in a row, and a 0 behind them */
    size_t len;
    int failed; /* tasks whose run() did not return 0 */
    char why[160];
    uint64_t cpu_ns[4];     /* by stage */
    uint64_t longest_ns[4]; /* the longest task of each stage */
    /* Set between open and stage: the first number of workers (0: none, worker 1 does all), tasks
     * last to first, and what the tasks' ticks do. */
    unsigned workers;
    bool backwards;
    bool (*tick)(void *);
    void *tick_arg;
};

/* 0, or -1: plan() refused, d->why says why (close all the same). */
int drive_open(struct drive *, const struct kernel *, const int64_t *params, unsigned sections);
void drive_stage(struct drive *);
/* What next() said. */
int drive_next(struct drive *);
/* What answer() said. */
int drive_answer(struct drive *);
void drive_close(struct drive *);

/* All of it: 0, or -1 if anything failed. */
int drive_all(struct drive *, const struct kernel *, const int64_t *params, unsigned sections);

#endif
