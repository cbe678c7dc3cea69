/*
 * What /trace.json and /trace.svg have in common: which part of the trace is wanted, and slots that
 * keep many traces at once from holding up everybody else: whoever wants to make a piece gets the
 * next free slot, and a slot is about twice as long as a piece takes.
 */
#ifndef ENDPOINTS_TRACE_CUT_H
#define ENDPOINTS_TRACE_CUT_H

#include "common/attr.h"
#include "endpoints/burst_log.h"
#include "request/req.h"
#include "trace/window.h"

/* The first rows of both tables of parameters. */
enum { TRACE_SECONDS, TRACE_REQUEST, TRACE_BURST, TRACE_CUT_PARAMS };
#define TRACE_CUT_ROWS                                                                             \
    [TRACE_SECONDS] = {.name = "seconds",                                                          \
                       .kind = PARAM_INT,                                                          \
                       .min = 1,                                                                   \
                       .max = 60,                                                                  \
                       .def = 5,                                                                   \
                       .unit = "s",                                                                \
                       .help = "how far back"},                                                    \
    [TRACE_REQUEST] = {.name = "request",                                                          \
                       .kind = PARAM_TEXT,                                                         \
                       .max = 40,                                                                  \
                       .help = "only this request: its X-Request-Id, or the number in it"},        \
    [TRACE_BURST] = {.name = "burst",                                                              \
                     .kind = PARAM_TEXT,                                                           \
                     .max = 40,                                                                    \
                     .help = "only the requests of this burst: the number in its summary"}

/* What a cut's functions look at; lives as long as the cut. */
struct trace_source {
    uint64_t request;
    struct burst_record *burst; /* kept by us as long as it is read */
    const struct runner *runner;
};

/* The cut that the parameters ask for. -1: *refusal is the answer. */
MUST_CHECK int trace_cut_take(struct req *, struct trace_source *, struct trace_cut *,
                              struct next *refusal);
/* The cut of one burst: "65f1c2a0-17" or "17". */
MUST_CHECK int trace_cut_burst(struct req *, const char *id, struct trace_source *,
                               struct trace_cut *, struct next *refusal);
void trace_source_release(struct trace_source *);

/* Goes on with `step` in a slot of its own. */
struct next trace_wait_slot(struct req *, req_step *step);

#endif
