/*
 * What feed.c and feed_write.c share: the feed itself and its cursors. For these two files only.
 */
#ifndef TRACE_FEED_INSIDE_H
#define TRACE_FEED_INSIDE_H

#include "common/buf.h"
#include "common/span_inside.h"
#include "trace/feed.h"

/* How far a course was told. Its last point may change while its millisecond lasts. */
struct feed_course {
    const struct course *course;
    uint64_t next; /* number of the first point not told */
    struct course_point last;
};

/* The newest slice of a process that was told; it may grow. */
struct feed_slice {
    uint64_t number; /* 1 + its number; 0: none */
    uint64_t end;
};

struct feed {
    struct feed_source source;
    struct feed_batch batches[FEED_BATCHES_MAX];
    uint64_t first, next;
    size_t octets; /* of all that are there */
    uint64_t to;   /* up to here they cover the time */
    uint64_t active;
    bool wanted;                     /* somebody new waits for one */
    uint64_t seen_spans, seen_tasks; /* feed_is_due(): what there was at its last call */

    /* cursors */
    uint64_t spans, slices;
    struct feed_slice latest[SPAN_PROCESSES];
    struct feed_course tasks, queries;
    double allowance; /* spans that may be told; see FEED_SPANS_PER_SECOND */
    struct buf text;
};

/* Writes the event for the time from f->to to `to`, moves the cursors. */
void feed_write(struct feed *, const struct feed_now *, uint64_t to);

#endif
