/*
 * What a kernel is: one CPU-heavy computation as a row in a table plus pure functions. Kernels know
 * nothing of processes, sockets or HTTP; the same code runs in a worker or, where loop_ok says so,
 * on the loop thread (executors loop and loop-blocking). Tour 8/9.
 *
 *   plan    parameters, wanted sections -> number of tasks of stage 0, size of the shared area
 *   run     one task: reads parameters and area, writes its own part of the area and a small result
 *   next    all tasks of a stage are done -> number of tasks of the next stage, or 0: finished
 *   answer  the finished job -> pieces of the reply body
 *
 * plan, next and answer run in the front end and must be cheap (well under a millisecond). run
 * calls task_tick() every few microseconds to every ~65 us of work and returns at once (with any
 * value) when it says so: then the client has gone. The result must not depend on how many tasks
 * or workers there were: same bytes. A process computes one task at a time, on one thread: a kernel
 * may keep tables and scratch room in static memory of its file.
 */
#ifndef KERNELS_KERNEL_H
#define KERNELS_KERNEL_H

#include "common/param.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KERNEL_SMALL_MAX = 128,   /* octets of a task's small result */
    KERNEL_TASKS_MAX = 16384, /* tasks of one stage */
    KERNEL_PIECES_MAX = 4096, /* pieces of a reply body */
    KERNEL_TEXT_LEAST = 4096, /* octets of text that answer() may count on */
};

/* One task, as run() sees it. */
struct task {
    const int64_t *params; /* values in the order of kernel->params */
    unsigned stage;
    unsigned index;  /* 0 .. count - 1 */
    unsigned count;  /* tasks of this stage */
    unsigned worker; /* who computes: worker i is i + 1, the loop is 0; only `overlay` may look */
    unsigned char *area; /* shared by all tasks of the job; NULL when area_size is 0 */
    size_t area_size;
    unsigned char small[KERNEL_SMALL_MAX]; /* the small result: goes back with the message */
    size_t small_len;
    bool (*tick)(void *); /* see task_tick() */
    void *tick_arg;
};

/* Say that the task lives; true: stop, nobody wants the result any more. */
static inline bool
task_tick(struct task *t)
{
    return t->tick != NULL && t->tick(t->tick_arg);
}

struct kernel_plan {
    unsigned tasks;   /* of stage 0 */
    size_t area_size; /* octets shared by all tasks; 0: none. Zeroed at the start */
};

/* One small result as the front end keeps it. */
struct small {
    unsigned char data[KERNEL_SMALL_MAX];
    size_t len;
};

/* The job between and after its stages, as next() and answer() see it. Results come from a worker:
 * trust no length or offset in them; return -1 when they can't be right. */
struct kernel_job {
    const int64_t *params;
    unsigned stage;            /* the stage that has just ended */
    unsigned tasks;            /* its number of tasks */
    const struct small *small; /* its small results, in task order */
    unsigned char *area;
    size_t area_size;
    void *state; /* kernel->state_size octets, zeroed at the start: next() keeps sums here */
};

/* A piece of the reply body: in the area, or `text` formatted by answer(). */
struct kernel_piece {
    const void *data;
    size_t len;
};

struct kernel_answer {
    struct kernel_piece *pieces; /* room for KERNEL_PIECES_MAX */
    unsigned count;
    char *text; /* scratch for answer(): room for text_size octets, pieces may point into it */
    size_t text_size; /* at least KERNEL_TEXT_LEAST */
};

struct kernel {
    const char *name;         /* "primes" */
    const char *path;         /* "/cpu/primes" */
    const char *help;         /* one sentence */
    const char *example;      /* query string of the curl line in /help: "n=300000000&sections=2" */
    const char *content_type; /* "application/json": answer() gives members of the reply object,
                                 without braces; anything else: the whole body */
    const struct param *params; /* own ones; sections and run are added by the generic endpoint */
    bool loop_ok;               /* may run on the loop thread: only generated or built-in input */
    bool sections;              /* takes the parameter sections (all but test kernels) */
    size_t state_size;

    /* Work units of a job, for cutting it: tasks are sized so that one takes a few milliseconds by
     * the cost per unit that was measured before. `unit_ns` is the first guess of that cost. */
    double (*units)(const int64_t *params);
    double unit_ns;

    /* sections >= 1: cut stage 0 into exactly so many tasks if possible (fewer only when there is
     * not enough to cut, e.g. rows). Returns 0, or -1: these parameters do not go together; then a
     * sentence for the client is in `why`. */
    int (*plan)(const int64_t *params, unsigned sections, struct kernel_plan *out, char *why,
                size_t why_size);
    /* Computes. 0 fine, -1: the input is not valid (a sentence in small). */
    int (*run)(struct task *);
    /* Tasks of the next stage; 0 finished; -1 the results can't be right. */
    int (*next)(struct kernel_job *);
    /* 0, or -1 the results can't be right. */
    int (*answer)(const struct kernel_job *, struct kernel_answer *);
};

/* All kernels, NULL-terminated; the number in this table is the kernel's number in messages. */
extern const struct kernel *const kernel_table[];

#endif
