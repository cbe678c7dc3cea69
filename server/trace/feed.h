/*
 * The feed of the live page: what was recorded, as a row of batches, each made once for all who
 * read it. Numbers that follow each other cover times that follow each other.
 *
 *   span ring, slices, courses --cursors--> feed_make() --> [17][18][19][20]   at most 2 MiB or 30
 * s first        next
 *
 * Nothing is made but by feed_make(), which costs well under a millisecond: when nobody has called
 * it for some time, the next calls make up for it in pieces (the rings are the memory), so that who
 * comes back soon finds all. A batch has at most FEED_SPANS_MAX spans, and all together some 3,900
 * a second: of more, whole requests are chosen; what is left out is counted.
 */
#ifndef TRACE_FEED_H
#define TRACE_FEED_H

#include "common/attr.h"
#include "common/clock.h"
#include "common/course.h"
#include "common/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FEED_SPANS_MAX = 400,
    FEED_SLICES_MAX = 400,
    FEED_OPEN_MAX = 100,
    FEED_SPANS_PER_SECOND = 3900,
    FEED_BATCHES_MAX = 1024,
    FEED_OCTETS_MAX = 2 << 20,
};
#define FEED_EVERY_NS (50 * NS_PER_MS)  /* between two batches */
#define FEED_QUIET_NS (500 * NS_PER_MS) /* the same, while nothing is recorded */
#define FEED_KEPT_NS  (30 * NS_PER_S)
#define FEED_AWAY_NS  (10 * NS_PER_S) /* so far back is made up for */

struct feed;

struct feed_source {
    const struct span_ring *ring;
    const struct course *tasks, *queries;
    uint64_t start_ns; /* time 0 of all that is told */
    uint64_t epoch;    /* first part of the ids */
};

/* A request that is there now. */
struct feed_request {
    uint64_t id, start, since, burst; /* clock_ns(); burst: 0 none */
    unsigned route;
    const char *waits; /* a word */
};

/* What is not in the rings: as it is now. */
struct feed_now {
    uint64_t at; /* clock_ns() */
    struct feed_request open[FEED_OPEN_MAX];
    unsigned nopen, open_left_out;
    unsigned requests, tasks, queries, gate, workers;
    uint64_t answered, loop_switches, kernel_switches, loop_busy_ns, lag_ns; /* in all */
    bool db_up;
};

/* One event, as it goes to a client. */
struct feed_batch {
    uint64_t number;
    uint64_t from, to; /* clock_ns() */
    char *text;
    size_t len;
};

struct feed *feed_new(const struct feed_source *);
void feed_free(struct feed *); /* NULL: nothing happens */

/* Somebody reads from now on, and wants a batch soon. What is older than FEED_AWAY_NS is left out;
 * a number is left out then, too. */
void feed_begin(struct feed *, uint64_t now);
/* Is it time for a batch? `busy`: requests are there. */
bool feed_is_due(struct feed *, uint64_t now, bool busy);
/* Makes the next batch. True: it does not reach to now yet, call again soon. */
bool feed_make(struct feed *, const struct feed_now *);

/* Batches numbered from 1; [feed_first, feed_next) are there. */
uint64_t feed_first(const struct feed *);
uint64_t feed_next(const struct feed *);
/* NULL: it is not there. Valid until feed_make(). */
const struct feed_batch *feed_get(const struct feed *, uint64_t number);
/* Up to here batches were made. */
uint64_t feed_to(const struct feed *);
/* Microseconds since the start. */
uint64_t feed_us(const struct feed *, uint64_t ns);

#endif
