/*
 * kept: see kept.h and endpoints.h.
 */
#include "endpoints/kept.h"

#include "common/clock.h"
#include "common/log.h"
#include "endpoints/endpoints.h"

#include <stdlib.h>

struct endpoints *
endpoints_open(void)
{
    struct endpoints *kept = xcalloc(1, sizeof(*kept));

    kept->random = clock_ns() | 1;
    events_open(&kept->events);
    return kept;
}

void
endpoints_close(struct endpoints *kept)
{
    burst_log_close(&kept->bursts);
    events_close(&kept->events);
    free(kept);
}
