/*
 * The counts of what is in progress. A request that has begun and waits is in progress; it counts
 * as one task of its own, or as many as it has queries and sections begun and not ended, if that is
 * more. So six waiting queries are 6, one picture in two sections is 2, and eight requests whose
 * computations take turns on the loop are 8. Exact, never sampled. For request/ itself.
 */
#ifndef REQUEST_COUNT_H
#define REQUEST_COUNT_H

#include <stdint.h>

struct req;

/* The request is in progress from now on / no more. Times are clock_ns(), for the course of the
 * count in the trace; the latest look at the clock will do. */
void count_begin(struct req *, uint64_t now);
void count_end(struct req *, uint64_t now);
/* One of its tasks begins / has ended. */
void count_task(struct req *, int delta, uint64_t now);
/* Most tasks in progress, of all requests, at any moment since this one began. */
unsigned count_max_since_begin(const struct req *);

#endif
