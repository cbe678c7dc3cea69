/*
 * What endpoints keep from one request to the next, of one front end: reached by
 * r->runner->endpoints. Everything else that an endpoint knows hangs off its request.
 */
#ifndef ENDPOINTS_KEPT_H
#define ENDPOINTS_KEPT_H

#include "endpoints/burst_log.h"
#include "endpoints/events.h"
#include "endpoints/world.h"

#include <stdint.h>

enum { LOCK_KEYS = 64 };

struct endpoints {
    uint64_t random; /* state of random_below() */
    /* /db/lock: number of the request that held each lock last; 0: nobody since the start, or
     * nobody knows, since a client left before its answer */
    uint64_t lock_holder[LOCK_KEYS + 1];
    uint64_t trace_slot_ns; /* /trace.json: when the next piece may be made */
    struct burst_log bursts;
    struct events events;
    /* /cached-queries: cached[i] has the id i + 1 */
    struct world cached[WORLD_ROWS];
    unsigned ncached;
};

#endif
