/*
 * Inside request/: the one door out of a request's life.
 */
#ifndef REQUEST_FINISH_H
#define REQUEST_FINISH_H

struct req;
struct runner;

/* The request is over, answered or not: cancels what it has started, counts it, frees all of it. */
void finish(struct req *);
/* End of a loop turn: the requests that were answered within it go into the counts and, together,
 * into one span. */
void finish_turn(struct runner *);

#endif
