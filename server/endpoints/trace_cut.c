/*
 * trace_cut: see trace_cut.h.
 */
#include "endpoints/trace_cut.h"

#include "common/clock.h"
#include "endpoints/kept.h"
#include "request/params.h"
#include "request/runner.h"
#include "trace/walk.h"

#include <stdio.h>
#include <string.h>

#define SLOT_NS (500 * NS_PER_US)

struct next
trace_wait_slot(struct req *r, req_step *step)
{
    uint64_t *const next_free = &r->runner->endpoints->trace_slot_ns;
    const uint64_t now = clock_ns(), slot = *next_free > now ? *next_free : now;

    *next_free = slot + SLOT_NS;
    if (slot == now)
        return next_step(step);
    req_delay(r, slot - now);
    return wait_all(r, step);
}

static bool
is_request(const void *arg, uint64_t request)
{
    const struct trace_source *s = arg;

    return request == s->request;
}

static bool
is_of_burst(const void *arg, uint64_t request)
{
    const struct trace_source *s = arg;

    return burst_record_has(s->burst, request);
}

static const char *
route_name(const void *arg, unsigned number)
{
    const struct trace_source *s = arg;

    return number < s->runner->routes.count ? s->runner->routes.rows[number].path : "(no route)";
}

/* "65f1c2a0-17", as X-Request-Id has it, or "17": the number. One of another start of the server is
 * none of ours. */
static int
take_number(const struct req *r, const char *text, uint64_t *out)
{
    char start[24];
    int64_t n;
    int len = snprintf(start, sizeof(start), "%llx-", (unsigned long long)r->runner->epoch_s);

    if (strncmp(text, start, (size_t)len) == 0)
        text += len;
    if (params_integer(text, &n) != 0 || n < 1)
        return -1;
    *out = (uint64_t)n;
    return 0;
}

static int
cut_request(struct req *r, struct trace_source *s, struct trace_cut *cut, struct next *refusal)
{
    cut->belongs = is_request;
    cut->course = NULL;
    if (take_number(r, r->texts[TRACE_REQUEST], &s->request) == 0 &&
        trace_find_request(r->runner->ring, s->request, &cut->from, &cut->to))
        return 0;
    *refusal = reply_fail(r, FAIL_NOT_FOUND,
                          "no request of this number is in the trace: it holds the last "
                          "seconds only, so ask soon after it was answered");
    return -1;
}

int
trace_cut_burst(struct req *r, const char *text, struct trace_source *s, struct trace_cut *cut,
                struct next *refusal)
{
    uint64_t id;

    s->runner = r->runner;
    if (take_number(r, text, &id) == 0)
        s->burst = burst_log_find(&r->runner->endpoints->bursts, id);
    if (s->burst == NULL) {
        *refusal = reply_fail(r, FAIL_NOT_FOUND,
                              "no burst of this number is known: the last %d are", BURSTS_KEPT);
        return -1;
    }
    *cut = (struct trace_cut){.from = s->burst->from,
                              .to = s->burst->to,
                              .belongs = is_of_burst,
                              .course = s->burst->course,
                              .route_name = route_name,
                              .arg = s};
    return 0;
}

int
trace_cut_take(struct req *r, struct trace_source *s, struct trace_cut *cut, struct next *refusal)
{
    const uint64_t now = clock_ns();

    s->runner = r->runner;
    *cut = (struct trace_cut){.from = now - (uint64_t)r->params[TRACE_SECONDS] * NS_PER_S,
                              .to = now,
                              .course = r->runner->course,
                              .route_name = route_name,
                              .arg = s};
    if (cut->from < r->runner->start_ns)
        cut->from = r->runner->start_ns;
    if (r->texts[TRACE_REQUEST] != NULL && cut_request(r, s, cut, refusal) != 0)
        return -1;
    if (r->texts[TRACE_BURST] != NULL)
        return trace_cut_burst(r, r->texts[TRACE_BURST], s, cut, refusal);
    return 0;
}

void
trace_source_release(struct trace_source *s)
{
    burst_record_release(s->burst);
}
