/*
 * burst_log: see burst_log.h. Loop thread only; some 130 KiB at most.
 */
#include "endpoints/burst_log.h"

#include "common/log.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT = 32 };

static struct burst_record records[KEPT];
static unsigned next_record;

void
burst_log_add(const struct burst_record *burst)
{
    struct burst_record *r = &records[next_record++ % KEPT];

    free(r->requests);
    *r = *burst;
    r->requests = xmalloc(burst->count * sizeof(*r->requests));
    memcpy(r->requests, burst->requests, burst->count * sizeof(*r->requests));
}

const struct burst_record *
burst_log_find(uint64_t id)
{
    for (unsigned i = 0; i < KEPT; i++)
        if (records[i].id == id && records[i].count > 0)
            return &records[i];
    return NULL;
}

static int
by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

bool
burst_log_has(const struct burst_record *r, uint64_t request)
{
    return bsearch(&request, r->requests, r->count, sizeof(request), by_number) != NULL;
}
