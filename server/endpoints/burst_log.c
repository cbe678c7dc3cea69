/*
 * burst_log: see burst_log.h. Loop thread only. A record that is being read outlives its place in
 * the log.
 */
#include "endpoints/burst_log.h"

#include "common/log.h"

#include <stdlib.h>
#include <string.h>

void
burst_log_add(struct burst_log *log, const struct burst_record *burst, const uint64_t *requests)
{
    struct burst_record **place = &log->records[log->next++ % BURSTS_KEPT];
    const size_t octets = burst->count * sizeof(*requests);

    burst_record_release(*place);
    *place = xmalloc(sizeof(**place) + octets);
    **place = *burst;
    (*place)->users = 1;
    memcpy((*place)->requests, requests, octets);
}

struct burst_record *
burst_log_find(struct burst_log *log, uint64_t id)
{
    for (unsigned i = 0; i < BURSTS_KEPT; i++) {
        struct burst_record *r = log->records[i];

        if (r != NULL && r->id == id) {
            r->users++;
            return r;
        }
    }
    return NULL;
}

void
burst_record_release(struct burst_record *r)
{
    if (r == NULL || --r->users > 0)
        return;
    course_free(r->course);
    free(r);
}

static int
by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

bool
burst_record_has(const struct burst_record *r, uint64_t request)
{
    return bsearch(&request, r->requests, r->count, sizeof(request), by_number) != NULL;
}

void
burst_log_close(struct burst_log *log)
{
    for (unsigned i = 0; i < BURSTS_KEPT; i++)
        burst_record_release(log->records[i]);
}
