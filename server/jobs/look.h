/*
 * look: the page that a worker shares with the front end, read with distrust.
 */
#ifndef JOBS_LOOK_H
#define JOBS_LOOK_H

#include <stdint.h>

struct worker;

/* Every so often: takes slices of a busy one; no heartbeat for POOL_STUCK_NS (POOL_START_NS while
 * it starts) dooms it, and so does a lost one that does not die. */
void worker_look(struct worker *, uint64_t elapsed, uint64_t now);
/* CPU slices that it has written since the last time go into the trace. */
void worker_take_slices(struct worker *, uint64_t now);
/* The slot whose task the page names as running; -1: none. */
int worker_named_slot(const struct worker *);
/* Some job is no longer wanted: shows it to the worker if it has a task of it. */
void worker_show_cancel(struct worker *);

#endif
