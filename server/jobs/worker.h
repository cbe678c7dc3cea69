/*
 * worker: one worker as the front end sees it. It holds two tasks at most: one runs, one waits, so
 * that it never idles while the loop is busy.
 *
 *               up                give
 *   WORKER_NONE ---> WORKER_IDLE <-----> WORKER_BUSY
 *        ^                |  last task done   |
 *        |                v                   v
 *        +--------- WORKER_LOST: its socket is closed; it will be dead in a moment
 *        |                v                   v
 *        '---------- WORKER_DOOMED: stuck, wrong message, not dead; its death was asked for
 *
 * Tasks come back in the order in which they were given, so the first slot is the one that runs.
 * The front end trusts no octet of a worker: a wrong message dooms it. What a dead worker held goes
 * back to the jobs; the task that its page names as running is blamed.
 */
#ifndef JOBS_WORKER_H
#define JOBS_WORKER_H

#include "jobs/jobs.h"
#include "jobs/tasks.h"

struct event;
struct worker_page;

enum worker_state { WORKER_NONE, WORKER_IDLE, WORKER_BUSY, WORKER_LOST, WORKER_DOOMED };
enum { WORKER_SLOTS = 2 };

/* A task waits behind another one only if that one is over soon. */
#define WORKER_SOON_NS (20 * NS_PER_MS)

struct slot {
    struct job_work *work;
    struct job_task task;
    uint64_t sent_ns;
};

/* A job whose area this worker has mapped. */
struct worker_area {
    uint64_t job;
    bool over; /* TASK_DROP could not be sent yet */
};

struct worker {
    struct jobs *jobs;
    unsigned index;
    enum worker_state state;
    int pid, fd;
    struct worker_page *page;
    struct event *readable, *writable;
    bool full; /* its socket takes nothing at present */

    struct slot slots[WORKER_SLOTS]; /* the first one runs */
    unsigned nslots;
    struct worker_area *areas;
    unsigned nareas, areas_room;

    uint64_t up_ns, last_end_ns;
    uint64_t slices_read;
    uint64_t heartbeat; /* as seen last */
    uint64_t silent_ns; /* busy, and the heartbeat stood still; or lost, and not dead */
    uint64_t tasks;     /* done by this process */
    uint64_t tasks_before, ups;
    unsigned cpu; /* where it was last */
};

struct worker *worker_new(struct jobs *, unsigned index);
void worker_free(struct worker *);

/* Takes the descriptors. 0, or -1: this worker can't be used (its death was asked for). */
MUST_CHECK int worker_up(struct worker *, const struct worker_seat *, uint64_t now);
/* Drains its last messages, then gives back what it held. */
void worker_down(struct worker *, int wait_status, uint64_t now);

/* Its socket is closed. */
void worker_lose(struct worker *);
/* It is asked to be killed; what it holds goes back when it is dead. */
void worker_doom(struct worker *, const char *why);

/* The only way from one state to another. */
void worker_move(struct worker *, enum worker_state);
bool worker_is_alive(const struct worker *);
const char *worker_state_name(const struct worker *);

#endif
