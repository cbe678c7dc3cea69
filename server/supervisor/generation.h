/*
 * A generation: one front end, the seats of its workers, and the control socket between it and us.
 * There is one, except while a reload puts a new one beside the old, which drains.
 *
 *   STARTING --CTL_READY--> SERVING --drain--> DRAINING
 *       |                      |                  |          front end is gone
 *       +----------------------+------------------+--------> ENDING --workers gone--> GONE
 *
 * Nothing here decides what a death means for the server: the supervisor looks at the state.
 */
#ifndef SUPERVISOR_GENERATION_H
#define SUPERVISOR_GENERATION_H

#include "supervisor/backoff.h"
#include "supervisor/children.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct seat;

enum generation_state {
    GENERATION_STARTING, /* forked; CTL_READY has not come */
    GENERATION_SERVING,  /* accepts connections */
    GENERATION_DRAINING, /* finishes what it has, then exits */
    GENERATION_ENDING,   /* the front end is gone; its workers see EOF, or are killed */
    GENERATION_GONE,     /* no process is left: to be freed */
};

struct generation {
    struct generation *next; /* the supervisor's list */
    enum generation_state state;
    unsigned number;
    pid_t front;
    int front_status; /* ENDING, GONE: as waitpid() gave it */
    int control_fd;   /* -1: closed */
    bool drain_told;  /* CTL_DRAIN is in the control socket */
    uint64_t started_ns, front_ended_ns;
    uint64_t deadline_ns; /* what is then still there is killed; 0: none */
    const char *worker_path;
    struct backoff pool; /* of its workers */
    unsigned nseats;
    struct seat *seats;
};

/* What a generation is started with. args: all but control_fd, which is set here; copied by the
 * fork, so it need not live on. */
struct generation_plan {
    front_function front;
    struct front_args args;
    const char *worker_path; /* must live on */
};

/* Forks the front end and starts its workers. NULL with errno: there is no front end. */
struct generation *generation_start(const struct generation_plan *);
/* Only when GONE. */
void generation_free(struct generation *);

/* Tell the front end to finish; SIGKILL at deadline_ns. From STARTING and SERVING; else nothing. */
void generation_drain(struct generation *, uint64_t deadline_ns);
/* SIGKILL to all that is left of it. */
void generation_kill(struct generation *);

/* Was `pid`, which has been reaped, one of its processes? */
MUST_CHECK bool generation_reap(struct generation *, pid_t pid, int status);
/* Messages from the front end are there. */
void generation_on_readable(struct generation *);
/* poll() events that its control socket waits for. */
short generation_events(const struct generation *);

/* Does all that is due at `now`: news to the front end, workers for empty seats, deadlines. Returns
 * when to be called again (0: no time, only events). */
uint64_t generation_tick(struct generation *, uint64_t now);

#endif
