/*
 * A seat is the place of one worker in a generation: the process that sits there now, or the time
 * when the next one is due. It outlives the processes, and the front end knows it by its index.
 *
 *              spawn           tell UP           died            tell DOWN
 *     EMPTY ----------> SPAWNED -------> TAKEN ----------> REAPED ----------> EMPTY
 *       ^                  |               | kill            ^
 *       +------------------+               +----> KILLED ----+
 *          died before the front end was told
 */
#ifndef SUPERVISOR_SEAT_H
#define SUPERVISOR_SEAT_H

#include "common/attr.h"
#include "common/page.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum seat_state {
    SEAT_EMPTY,   /* nobody; the next worker starts at due_ns */
    SEAT_SPAWNED, /* a process runs; the front end's sockets of it are still ours */
    SEAT_TAKEN,   /* the front end has its sockets */
    SEAT_KILLED,  /* as TAKEN, but SIGKILL has been sent */
    SEAT_REAPED,  /* the process is gone; the front end has to be told */
};

struct seat {
    enum seat_state state;
    unsigned index;
    int cpu; /* CPU_ANY: not pinned */
    pid_t pid;
    int status;               /* SEAT_REAPED: as waitpid() gave it */
    int task_fd, page_fd;     /* SEAT_SPAWNED only */
    struct worker_page *page; /* mapped read-only while a process sits here */
    uint64_t due_ns;          /* SEAT_EMPTY */
};

void seat_init(struct seat *, unsigned index, int cpu);

/* EMPTY -> SPAWNED: starts the worker program. 0, -1 errno. */
MUST_CHECK int seat_spawn(struct seat *, const char *worker_path);

/* Has the front end still to be told of this seat? */
bool seat_has_news(const struct seat *);
/* SPAWNED -> TAKEN, REAPED -> EMPTY: tells it. 0, -1 errno (EAGAIN: its socket is full). */
MUST_CHECK int seat_tell(struct seat *, int control_fd);

/* Does a process sit here that has not been reaped? */
bool seat_is_alive(const struct seat *);
/* SIGKILL to the process that sits here, if any. */
void seat_kill(struct seat *);

/* The process has been reaped: SPAWNED -> EMPTY, TAKEN, KILLED -> REAPED. True: it died while it
 * had no task, or before its first one, and not by our SIGKILL: the pool itself may be ill. */
MUST_CHECK bool seat_reap(struct seat *, int status);

/* There is no front end any more to be told: SPAWNED stays until it is reaped, REAPED -> EMPTY. */
void seat_forget_front(struct seat *);

#endif
