/*
 * Which requests belonged to which burst, and how many of its tasks were in progress when: kept for
 * the last bursts, for /trace.json?burst=ID and /trace.svg.
 */
#ifndef ENDPOINTS_BURST_LOG_H
#define ENDPOINTS_BURST_LOG_H

#include "common/course.h"

#include <stdbool.h>
#include <stdint.h>

enum { BURSTS_KEPT = 32 };

struct burst_record {
    uint64_t id; /* number of the request that was the burst */
    uint64_t from, to;
    double factor;
    struct course *course; /* its tasks in progress */
    unsigned users;        /* the log, and who reads it */
    unsigned count;
    uint64_t requests[]; /* rising */
};

struct burst_log {
    struct burst_record *records[BURSTS_KEPT];
    unsigned next;
};

/* The course is the log's from then on; `requests` is copied. The oldest burst is forgotten. */
void burst_log_add(struct burst_log *, const struct burst_record *, const uint64_t *requests);
/* NULL: not (any more) known. The caller gives it back with burst_record_release(). */
struct burst_record *burst_log_find(struct burst_log *, uint64_t id);
void burst_record_release(struct burst_record *); /* NULL: nothing happens */
bool burst_record_has(const struct burst_record *, uint64_t request);
void burst_log_close(struct burst_log *);

#endif
