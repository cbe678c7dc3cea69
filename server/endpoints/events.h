/*
 * /events: what all its readers share; see events.c.
 */
#ifndef ENDPOINTS_EVENTS_H
#define ENDPOINTS_EVENTS_H

#include "trace/feed.h"

#include <sys/queue.h>

struct reader;
TAILQ_HEAD(reader_list, reader);

struct events {
    struct feed *feed;          /* NULL until somebody reads */
    struct reader_list waiting; /* who has read all, who has waited longest first */
    struct reader *leader;      /* waits for the moment of the next batch; NULL: nobody does */
    unsigned readers;
};

void events_open(struct events *);
void events_close(struct events *);

#endif
