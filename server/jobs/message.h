/*
 * message: what the front end and a worker say to each other: tasks there, results back.
 */
#ifndef JOBS_MESSAGE_H
#define JOBS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

struct job_work;
struct worker;

/* Takes `most` of its messages; stops when there are no more, or it is doomed. */
void worker_read(struct worker *, unsigned most);
/* Its socket has room again. */
void worker_resume(struct worker *);
/* Can it take a task beside `held` that it has? */
bool worker_takes(const struct worker *, unsigned held);
/* Sends the job's next task. False: the socket is full, the task has gone back. */
bool worker_give(struct worker *, struct job_work *, uint64_t now);
/* The job's area is no longer needed. */
void worker_drop_area(struct worker *, uint64_t job);

#endif
