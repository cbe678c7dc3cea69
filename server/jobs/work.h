/*
 * work: a job as jobs/ sees it, from its start until nobody needs its results any more.
 *
 *   JOB_OPEN ----> JOB_OVER ----> JOB_TOLD ---.
 *      |  tasks       | waiter       | the    |  job_release()
 *      |  run         | not told     | answer |
 *      '--------------+--------------+--------+--> JOB_LEFT -> freed when no worker has a task of
 * it
 *
 * Its tasks are in tasks.h, the rules of its life in job.c.
 */
#ifndef JOBS_WORK_H
#define JOBS_WORK_H

#include "jobs/area.h"
#include "jobs/jobs.h"
#include "jobs/sched.h"

#include <sys/queue.h>

enum job_state {
    JOB_OPEN, /* tasks to hand out, or running */
    JOB_OVER, /* ended; on the list of those whose waiter is to be told */
    JOB_TOLD, /* its waiter knows; results are kept for job_answer() */
    JOB_LEFT, /* nobody waits: what still runs is drained */
};

struct job_task;

/* Where a kernel writes its answer. */
struct job_answer_room {
    struct kernel_answer answer;
    struct kernel_piece pieces[KERNEL_PIECES_MAX];
    char text[64 * 1024];
};

struct job_work {
    struct job *waiter; /* NULL: nobody */
    struct jobs *jobs;
    uint64_t id;
    uint64_t request; /* for spans, also when its waiter has gone */
    bool recorded;
    enum job_state state;
    enum failure failure;
    enum executor executor;
    const struct kernel *kernel;
    unsigned kernel_number;
    int64_t params[PARAM_MAX];
    unsigned nparams;
    double units;
    uint64_t deadline_ns;

    unsigned stage, count;  /* this stage and its tasks */
    unsigned next, done;    /* handed out for the first time; done */
    unsigned held;          /* in the hands of executors */
    unsigned begun;         /* of those: said to the waiter to run */
    struct job_task *again; /* given back, to be handed out first */
    unsigned nagain, again_room;
    struct small *small; /* of this stage, in task order */
    unsigned small_room;
    struct job_area area;
    size_t memory; /* taken from max_memory */

    bool queued; /* with its executor */
    struct sched_entry sched;
    uint64_t task_ns;       /* what a task of this stage takes, as far as known */
    uint64_t stage0_cpu_ns; /* for learning what a unit costs */
    uint64_t workers[4];    /* who has run tasks of it, a bit each */
    uint64_t cpus[16];
    uint64_t ended;                 /* its number among the ended ones */
    struct job_answer_room *answer; /* NULL: not asked for yet */
    TAILQ_ENTRY(job_work) link;     /* in jobs->open, over, told or left */
    TAILQ_ENTRY(job_work) turn;     /* in jobs->blocking */
    _Alignas(16) unsigned char state_of_kernel[];
};

TAILQ_HEAD(work_list, job_work);

/* Ends an open job for the reason given; its waiter is told by jobs_tell(). */
void job_end(struct job_work *, enum failure, const char *why, ...) PRINTF_LIKE(3, 4);
/* For one reason that two know: its deadline has passed. */
void job_end_late(struct job_work *);
/* Calls back all waiters whose jobs are over. True: there were some. */
bool jobs_tell(struct jobs *);
/* Without a word to anybody: jobs_close() only. */
void job_destroy(struct job_work *);

/* ---- for tasks.c ---- */

/* Tells its executor's queue whether there are tasks to hand out. */
void job_offer(struct job_work *);
/* It was served `ns` more, or less than was guessed. */
void job_charge(struct job_work *, int64_t ns);
/* The time until `end` was spent in the queue. */
void job_record_queue(const struct job_work *, uint64_t end);
/* All tasks of this stage are done: the next one, or over. */
void job_stage_done(struct job_work *);
/* Nobody waits for it, nobody computes for it: frees it. */
void job_free_if_left(struct job_work *);

#endif
