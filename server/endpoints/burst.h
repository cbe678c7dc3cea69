/*
 * Inside /burst: the parts of a burst. plan: what was asked -> a list of requests; run (burst.c):
 * begins them, at most at_once at a time; why: the summary and its reason.
 */
#ifndef ENDPOINTS_BURST_H
#define ENDPOINTS_BURST_H

#include "common/buf.h"
#include "common/course.h"
#include "common/ticket.h"
#include "request/origin.h"
#include "request/req.h"

enum { BURST_MAX = 500, BURST_KINDS_MAX = 64 };

/* One address of the burst and how often it is asked. */
struct burst_kind {
    const char *path; /* with its query string */
    unsigned count;
    struct http_head *head;
};

/* One request of the burst, as the burst keeps it. */
struct burst_child {
    struct burst *burst;
    struct burst_kind *kind;
    struct origin origin;
    struct req *req; /* while it is in progress */
    bool begun;
    uint64_t octets;
};

struct burst {
    struct req *r;
    struct burst_kind kinds[BURST_KINDS_MAX];
    unsigned nkinds;
    struct burst_child *children;
    unsigned count, at_once;
    uint64_t gap_ns;
    const char *run; /* appended to addresses that take it; NULL: as each says */

    enum failure refusal; /* why there is no burst */
    char refused[200];

    unsigned started, finished, failed;
    struct course *course; /* of in_progress; NULL: the log has it */
    struct buf lines;      /* finished requests, not yet sent */
    uint64_t start_ns, end_ns;
    uint64_t *ids; /* numbers of its requests, for the trace */
    unsigned requests, requests_max, in_progress, in_progress_max;
    uint64_t switches_at;
    uint64_t slow_waited_at; /* queries that had waited for a slow connection before it */
    /* sums over its requests, for factor and why */
    struct usage usage;
    uint64_t loop_ns, gate_ns, lock_ns, longest_ns;
    unsigned ran_on; /* bit e: some computed by executor e */
};

/* plan.c: reads body or parameters, checks every address. 0, or -1 with refusal and refused. */
MUST_CHECK int burst_plan(struct burst *);

/* burst.c: number of the burst that this request belongs to; 0: none. */
uint64_t burst_of(const struct req *);

/* why.c: time worked for its requests, divided by the time that passed. */
double burst_factor(const struct burst *);
/* The last line. running_max is taken from the trace of CPU slices. */
void burst_summary(const struct burst *, struct buf *);

#endif
