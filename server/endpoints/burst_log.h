/*
 * Which requests belonged to which burst: kept for the last bursts, for /trace.json?burst=ID.
 */
#ifndef ENDPOINTS_BURST_LOG_H
#define ENDPOINTS_BURST_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct burst_record {
    uint64_t id; /* number of the request that was the burst */
    uint64_t from, to;
    unsigned count;
    uint64_t *requests; /* rising */
};

/* Keeps a copy; the oldest of 32 is forgotten. */
void burst_log_add(const struct burst_record *);
/* NULL: not (any more) known. */
const struct burst_record *burst_log_find(uint64_t id);
bool burst_log_has(const struct burst_record *, uint64_t request);

#endif
