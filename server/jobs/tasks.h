/*
 * tasks: how an executor gets a task of a job and hands back what became of it.
 *
 *   job_task_take() -> job_task_begin() -> job_task_done()
 *                 \                    \-> job_task_stop() -> job_task_died() or job_task_return()
 *                  \-> job_task_return()
 *
 * An executor never looks whether a result is still wanted: that is done here.
 */
#ifndef JOBS_TASKS_H
#define JOBS_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job_work;

/* A task to be run: new, or once more after its worker died. */
struct job_task {
    unsigned stage, index;
    unsigned deaths;   /* of workers that ran it */
    uint64_t guess_ns; /* charged to the job for it */
};

/* What became of a task that ran to its end. */
struct job_result {
    bool failed;       /* the kernel refused its input; a sentence in small */
    uint64_t ended_ns; /* clock_ns() */
    uint64_t cpu_ns, switches;
    unsigned cpu;
    unsigned who; /* 1 + worker; 0: the loop */
    const unsigned char *small;
    size_t small_len;
};

/* The next task of an open job that offers some. */
void job_task_take(struct job_work *, struct job_task *out);
/* It begins to run / does not run any more, and has not ended. */
void job_task_begin(struct job_work *, uint64_t now);
void job_task_stop(struct job_work *, uint64_t now);
/* One of these ends what job_task_take() began; the job may be freed by it:
 * nobody is to blame, another executor may run it; */
void job_task_return(struct job_work *, const struct job_task *);
/* its worker died of it: once more, or the job is over; */
void job_task_died(struct job_work *, const struct job_task *, uint64_t now);
/* it ran to its end. */
void job_task_done(struct job_work *, const struct job_task *, const struct job_result *);

#endif
