/*
 * jobs: the front end's side of the workers. A job is one kernel with parameters; it is cut into
 * tasks, and an executor runs them: the pool of workers, or the loop thread itself. Tour 7/9.
 *
 *   job_start() -> stage 0: tasks -> next() -> stage 1: tasks -> ... -> done, job_answer()
 *
 * A free worker takes the next task of the job with the least service so far. See ARCHITECTURE 6.
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "common/conf.h"
#include "common/span.h"
#include "common/ticket.h"
#include "kernels/kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct buf;
struct jobs;
struct job_work;
struct slices;

enum executor { EXEC_WORKERS, EXEC_LOOP, EXEC_LOOP_BLOCKING };
extern const char *const executor_names[]; /* "workers", "loop", "loop-blocking", NULL */

/* A job as its waiter keeps it, usually in the request's arena. Zeroed before job_start(). */
struct job {
    struct ticket ticket;
    struct job_work *work; /* jobs' side; NULL before start and after release */
    unsigned tasks;        /* of all stages that have been planned, so far */
    unsigned workers;      /* distinct workers that ran tasks of it */
    unsigned cpus;         /* distinct CPUs that they said they were on */
    uint64_t started_ns, begun_ns, ended_ns;
    char why[160]; /* a sentence, when plan or run refused (FAIL_JOB_INPUT) */
};

/* How the workers reach the front end: the supervisor passes them over the control socket. */
struct worker_seat {
    unsigned index;
    int pid;
    int socket_fd; /* SEQPACKET, our end */
    int page_fd;   /* the shared page, to be mapped */
};

/* kill_worker: asks the supervisor (the parent, so that no other pid can be hit) to SIGKILL. */
struct jobs *jobs_open(struct event_base *, const struct conf *, struct span_ring *,
                       void (*kill_worker)(void *arg, unsigned index, int pid), void *arg);
/* Releases all jobs; no waiter is called. The workers see EOF. */
void jobs_close(struct jobs *);
/* The loop thread's CPU slices: ticked while a job computes on the loop. NULL (as at the start):
 * none. */
void jobs_watch_loop(struct jobs *, struct slices *);

/* A worker is there (takes the descriptors) / has died (wait status). */
void jobs_worker_up(struct jobs *, const struct worker_seat *);
void jobs_worker_down(struct jobs *, unsigned index, int pid, int wait_status);

/* Starts. params: values in the order of kernel->params, copied. sections 0: auto, by measured
 * cost. Never calls back before it returns; done arrives from the loop (loop-blocking too: at the
 * end of the turn). */
void job_start(struct jobs *, struct job *, const struct kernel *, const int64_t *params,
               unsigned sections, enum executor);

/* After FAIL_NONE: the pieces of the reply body; they live until job_release(). 0, or -1 when the
 * results can't be right. */
int job_answer(struct job *, const struct kernel_piece **pieces, unsigned *count);

/* Nobody waits any more: tasks not begun are dropped, running ones see the flag. Frees. Safe on a
 * job that is done or was never started. */
void job_release(struct job *);

/* Called by the front end at the end of each loop turn: tells waiters, hands out tasks. True: there
 * is more to do at once (do not sleep). */
bool jobs_turn_end(struct jobs *);
/* What is to be computed on the loop itself: is there some; one task of a `loop` job, or one whole
 * `loop-blocking` job. Called when all else of the turn has been sent, since nothing happens
 * meanwhile. True: there is more to do at once. */
bool jobs_are_here(const struct jobs *);
bool jobs_compute_here(struct jobs *);

unsigned jobs_workers(const struct jobs *); /* alive now */
/* The members of /status's "workers" object (array of workers with pid, state, CPU, tasks done,
 * restarts; queue; cost per unit of each kernel), braces included. */
void jobs_status_json(const struct jobs *, struct buf *);

#endif
