/*
 * /events: what all its readers share; see events.c.
 */
#ifndef ENDPOINTS_EVENTS_H
#define ENDPOINTS_EVENTS_H

#include "trace/feed.h"

#include <sys/queue.h>

struct buf;
struct reader;
struct runner;
TAILQ_HEAD(reader_list, reader);

struct events {
    struct feed *feed;          /* NULL until somebody reads */
    struct reader_list waiting; /* who has read all, who has waited longest first */
    struct reader *leader;      /* waits for the moment of the next batch; NULL: nobody does */
    unsigned readers;
};

void events_open(struct events *);
void events_close(struct events *);

/* events_tell.c: what is there at this moment; the line of an id; the first event. */
void events_take_now(const struct runner *, uint64_t at, struct feed_now *);
void events_add_id(struct buf *, const struct runner *, uint64_t number);
void events_add_hello(struct buf *, const struct runner *);

#endif
