/*
 * pool: what the parts of jobs/ share. One struct jobs per front end.
 *
 *   job.c    a job's life          tasks.c  its tasks            area.c  its memory
 *   start.c  how a job begins      sched.c  which job next       cost.c  how to cut
 *   pool.c   tasks to workers      worker.c one worker           look.c  its page
 *   local.c  tasks on the loop     message.c ... its messages    jobs.c  the doors
 *   grudge.c whose like is refused                               status.c for people
 */
#ifndef JOBS_POOL_H
#define JOBS_POOL_H

#include "jobs/cost.h"
#include "jobs/grudge.h"
#include "jobs/jobs.h"
#include "jobs/look.h"
#include "jobs/message.h"
#include "jobs/sched.h"
#include "jobs/tasks.h"
#include "jobs/work.h"
#include "jobs/worker.h"

struct event;
struct slices;

enum {
    JOBS_OPEN_MAX = 1024,
    POOL_WORKERS_MAX = 256,
    POOL_ILL_DEATHS = 5, /* so many deaths without a task to blame ... */
};
#define POOL_ILL_WINDOW_NS (5 * NS_PER_S) /* ... within this time ... */
#define POOL_ILL_REST_NS   (5 * NS_PER_S) /* ... and no job is taken for so long */
#define POOL_TICK_NS       (10 * NS_PER_MS)
#define POOL_STUCK_NS      (2 * NS_PER_S)  /* no heartbeat in a task */
#define POOL_START_NS      (10 * NS_PER_S) /* the same before it has reached its loop */

struct jobs_counts {
    uint64_t jobs, ended, failed, left; /* left: released before they were over */
    uint64_t tasks, dropped, again;     /* done; done but not wanted; run once more */
    uint64_t deaths, idle_deaths, stuck, wrong_messages;
};

struct jobs {
    struct event_base *base;
    const struct conf *conf;
    struct span_ring *ring;
    struct slices *loop_slices;
    void (*kill_worker)(void *arg, unsigned index, int pid);
    void *kill_arg;
    struct event *tick, *wake;
    bool ticking;
    uint64_t ticked_ns;

    uint64_t next_id;
    struct work_list open, over, told, left; /* open: nearest deadline first */
    unsigned nopen;
    struct sched pool, loop;   /* open jobs of EXEC_WORKERS, EXEC_LOOP */
    struct work_list blocking; /* of EXEC_LOOP_BLOCKING, first come first served */
    struct cost *costs;        /* by number of the kernel */
    unsigned nkernels;
    struct grudges grudges;

    struct worker *workers[POOL_WORKERS_MAX]; /* NULL: never was one */
    unsigned nworkers;                        /* 1 + the highest index seen */
    uint64_t idle_deaths_ns[POOL_ILL_DEATHS]; /* a ring */
    uint64_t ill_until_ns;
    struct jobs_counts counts;
};

/* Something is to be done at the end of this turn: see that there is one. */
void pool_wake(struct jobs *);
/* See that deadlines and pages are looked at every POOL_TICK_NS, while there is a job. */
void pool_watch(struct jobs *);
/* Hands out tasks while a worker can take one. */
void pool_hand_out(struct jobs *);
/* A worker died, and no task is to blame. */
void pool_idle_death(struct jobs *, uint64_t now);
/* The workers keep dying by themselves. */
bool pool_is_ill(const struct jobs *, uint64_t now);
/* For cutting: the workers that there are, or would be. At least 1. */
unsigned pool_size(const struct jobs *);

/* One task of a loop job, and one whole blocking job. */
void local_turn(struct jobs *);

#endif
