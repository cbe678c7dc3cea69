/*
 * What a request waits for at this moment, for the live page; since r->state_ns.
 */
#ifndef REQUEST_WAITS_H
#define REQUEST_WAITS_H

struct req;

enum req_waits {
    WAITS_GATE,   /* for its turn (max_in_progress) */
    WAITS_QUEUE,  /* for a database connection or a worker */
    WAITS_DB,     /* PostgreSQL works on a query of it */
    WAITS_CPU,    /* a task of it is computed */
    WAITS_LOOP,   /* for the loop to go on with it, or for a moment to come */
    WAITS_CLIENT, /* for the client: to send a body, to take the answer */
};
extern const char *const req_waits_names[]; /* "gate", "queue", "db", "cpu", "loop", "client" */

/* Where it waits for several things: what comes first of cpu, db, queue. */
enum req_waits req_waits_for(const struct req *);

#endif
