/*
 * Works: what a request has started and waits for. For request/ itself; the starters are in req.h.
 */
#ifndef REQUEST_WORK_H
#define REQUEST_WORK_H

struct req;

/* Cancels those not done, frees what the others hold. */
void work_release_all(struct req *);

#endif
