/*
 * Inside request/: how its parts wake the driver.
 */
#ifndef REQUEST_RESUME_H
#define REQUEST_RESUME_H

#include <stdbool.h>

struct req;
struct runner;

/* Something that the request waits for has happened: goes on with it now if it can go on. */
void req_resume(struct req *);
/* The same at the end of this loop turn / no more. */
void req_resume_later(struct req *);
void req_not_ready(struct req *);
/* Runs the request as far as it goes; true: it is over, and its memory recycled. */
bool req_drive(struct req *);
/* The request outlives the octets it came in: copies its head. */
void req_keep(struct req *);
/* Decides, once per request, whether its spans are recorded. */
bool req_recorded(struct req *);

/* Own work on the loop is accounted from here on: what was before was somebody else's. */
void runner_mark(struct runner *);
/* The loop goes on with this request: counts a loop switch if another one ran before. */
void runner_switch(struct req *);

/* gate.c: max_in_progress. True: it may begin now; false: it waits, or was refused (r->failed). */
bool gate_enter(struct req *);
void gate_leave(struct req *);
/* Takes a waiting request out of the queue: its client has gone. */
void gate_forget(struct req *);
/* Lets as many through as there are places; they are resumed at the end of the turn. */
void gate_open(struct runner *);

#endif
