/*
 * What a timeline is drawn from: the CPU slices and spans of one cut, the requests that get a row,
 * and the two counts over time. Gathered by the same walk that writes /trace.json; how it looks is
 * no matter of this file. Bounded by what a cut may carry (window.h): PICTURE_OCTETS at most.
 */
#ifndef TRACE_PICTURE_H
#define TRACE_PICTURE_H

#include "common/span.h"
#include "trace/walk.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PICTURE_ROWS = 48,      /* requests that get a row: those that took longest */
    PICTURE_CPUS = 16,      /* CPUs that get a lane */
    PICTURE_COLUMNS = 1280, /* the counts are known for so many parts of the time */
    PICTURE_OCTETS = (TRACE_SPANS_MAX + TRACE_SLICES_MAX) * 40 + 64 * 1024,
};

struct picture_row {
    uint64_t request;
    uint64_t start, end; /* within the window */
    uint32_t route;
    uint64_t cpu_ns, db_ns, queue_ns; /* by the parts that are drawn; filled by bars.c */
};

struct picture {
    struct trace_walk walk;
    uint64_t from, to; /* clock_ns(): all of this time is there */

    struct span *slices; /* SPAN_CPU, latest end first */
    unsigned nslices, slices_room;
    struct span *spans; /* all others, about by their end */
    unsigned nspans, spans_room;

    struct picture_row rows[PICTURE_ROWS]; /* in the order in which the requests began */
    unsigned nrows, requests;              /* requests there were */
    unsigned cpus[PICTURE_CPUS], ncpus;    /* numbers of the CPUs that have a lane, rising */
    bool cpu_used[PICTURE_CPUS];
    unsigned cpus_left_out;

    /* The most in each column of the time. */
    unsigned in_progress[PICTURE_COLUMNS], running[PICTURE_COLUMNS];
    unsigned in_progress_max, running_max;

    /* ---- its own ---- */
    uint64_t running_until, tasks_since;
    unsigned tasks_now;
};

/* The cut is copied; its course and arg live as long as the picture. */
void picture_init(struct picture *, const struct span_ring *, const struct trace_cut *);
/* Gathers the next piece. False: all is there. */
bool picture_more(struct picture *);
/* Lanes for at least so many CPUs (those with the lowest numbers), though none of ours was there.
 */
void picture_show_cpus(struct picture *, unsigned count);
/* The row of a request, or -1. */
int picture_row_of(const struct picture *, uint64_t request);
/* The lane of a CPU, or -1. */
int picture_lane_of(const struct picture *, unsigned cpu);
/* "/db/sleep" */
const char *picture_path(const struct picture *, const struct picture_row *);
void picture_fini(struct picture *);

#endif
