/*
 * A front end's side of the workers on a real event loop, for tests. Its workers are either held by
 * the test itself, which reads their tasks and answers as it likes, or real ones in processes of
 * their own.
 */
#ifndef TESTS_JOB_WORLD_H
#define TESTS_JOB_WORLD_H

#include "common/page.h"
#include "common/wire.h"
#include "jobs/jobs.h"

#include <event2/event.h>

enum { WORLD_WORKERS = 4, WORLD_KILLS = 32 };

struct held_worker {
    int fd; /* the worker's end; -1: none */
    struct worker_page *page;
    int pid; /* of a real one; else invented */
    bool real;
};

struct world {
    struct conf conf;
    struct event_base *base;
    struct span_ring *ring;
    struct jobs *jobs;
    struct held_worker workers[WORLD_WORKERS];
    int next_pid;
    bool small_sockets; /* of workers added from now on: a few messages fill them */
    struct {
        unsigned index;
        int pid;
    } kills[WORLD_KILLS]; /* that were asked for */
    unsigned nkills;
};

/* A job and what its waiter heard. */
struct waiter {
    struct job job;
    unsigned began, ended, done;
    enum failure failure;
    bool release;                  /* when done is called */
    void (*then)(struct waiter *); /* called by done */
};

void world_open(struct world *);
void world_close(struct world *);

/* A worker held by the test / a process that serves tasks. */
void world_add_held(struct world *, unsigned index);
void world_add_real(struct world *, unsigned index);
/* It is dead, and the front end hears of it. A real one is killed. */
void world_lose(struct world *, unsigned index, int wait_status);
/* A real one has died by itself, or was killed: reaps it and tells the front end. */
void world_reap(struct world *, unsigned index);

/* One turn of the loop that does not sleep / turns until the job is done. */
bool world_turn(struct world *);
void world_wait(struct world *, const struct waiter *);
/* Turns until at least `n` kills were asked for. */
void world_wait_kills(struct world *, unsigned n);

/* Starts a job with one parameter. */
void world_start(struct world *, struct waiter *, const struct kernel *, int64_t n,
                 unsigned sections, enum executor);
/* The body of its answer as text. */
const char *world_answer(struct waiter *);

/* The next message at a held worker's end; false: there is none. */
bool held_receive(struct world *, unsigned index, struct task_message *, int *area_fd);
/* The next message, which must be TASK_RUN; its page names it as running. */
struct task_message held_run(struct world *, unsigned index);
/* Nothing came. */
void held_expect_nothing(struct world *, unsigned index);
/* Answers a TASK_RUN with a number as small result / sends any message. */
void held_done(struct world *, unsigned index, const struct task_message *run, uint64_t number);
void held_send(struct world *, unsigned index, const struct task_message *);

#endif
