/*
 * /trace.json: what ran in the last seconds, or for one request, or for one burst. Pulled by how
 * fast the client reads; each piece is made in well under a millisecond.
 *
 *   wait for a slot -> look the cut up -> { wait for a slot -> a piece -> the client takes it } ...
 *
 * Slots keep many traces at once from holding up everybody else: whoever wants to make a piece gets
 * the next free slot, and a slot is about twice as long as a piece takes.
 */
#include "endpoints/endpoints.h"
#include "endpoints/kept.h"

#include "common/clock.h"
#include "request/params.h"
#include "request/runner.h"
#include "trace/trace_json.h"

#include <stdio.h>
#include <string.h>

enum { TRACE_SECONDS, TRACE_REQUEST, TRACE_BURST };
const struct param trace_params[] = {
    [TRACE_SECONDS] = {.name = "seconds",
                       .kind = PARAM_INT,
                       .min = 1,
                       .max = 60,
                       .def = 5,
                       .unit = "s",
                       .help = "how far back"},
    [TRACE_REQUEST] = {.name = "request",
                       .kind = PARAM_TEXT,
                       .max = 40,
                       .help = "only this request: its X-Request-Id, or the number in it"},
    [TRACE_BURST] = {.name = "burst",
                     .kind = PARAM_TEXT,
                     .max = 40,
                     .help = "only the requests of this burst: the number in its summary"},
    {.name = NULL},
};

struct trace_state {
    struct trace_json *trace;
    uint64_t request;
    struct burst_record *burst; /* kept by us as long as it is read */
    const struct runner *runner;
};

#define SLOT_NS (500 * NS_PER_US)

/* Goes on with `step` in a slot of its own. */
static struct next
wait_slot(struct req *r, req_step *step)
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
    const struct trace_state *s = arg;

    return request == s->request;
}

static bool
is_of_burst(const void *arg, uint64_t request)
{
    const struct trace_state *s = arg;

    return burst_record_has(s->burst, request);
}

static const char *
route_name(const void *arg, unsigned number)
{
    const struct trace_state *s = arg;

    return number < s->runner->routes.count ? s->runner->routes.rows[number].path : "(no route)";
}

static struct next trace_json_next(struct req *r);

static struct next
trace_json_piece(struct req *r)
{
    struct trace_state *s = r->state;
    struct buf *b = req_scratch(r);
    bool more = trace_json_more(s->trace, b);

    return reply_part(r, b->data, b->len, more ? trace_json_next : reply_end);
}

static struct next
trace_json_next(struct req *r)
{
    return wait_slot(r, trace_json_piece);
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
cut_request(const struct req *r, struct trace_state *s, struct trace_cut *cut)
{
    cut->belongs = is_request;
    cut->course = NULL;
    if (take_number(r, r->texts[TRACE_REQUEST], &s->request) != 0)
        return -1;
    return trace_find_request(r->runner->ring, s->request, &cut->from, &cut->to) ? 0 : -1;
}

static int
cut_burst(const struct req *r, struct trace_state *s, struct trace_cut *cut)
{
    uint64_t id;

    cut->belongs = is_of_burst;
    if (take_number(r, r->texts[TRACE_BURST], &id) != 0)
        return -1;
    s->burst = burst_log_find(&r->runner->endpoints->bursts, id);
    if (s->burst == NULL)
        return -1;
    cut->course = s->burst->course;
    cut->from = s->burst->from;
    cut->to = s->burst->to;
    return 0;
}

static struct next
trace_json_look(struct req *r)
{
    struct trace_state *s = r->state;
    struct trace_cut cut = {.course = r->runner->course, .route_name = route_name, .arg = s};

    cut.to = clock_ns();
    cut.from = cut.to - (uint64_t)r->params[TRACE_SECONDS] * NS_PER_S;
    if (cut.from < r->runner->start_ns)
        cut.from = r->runner->start_ns;
    if (r->texts[TRACE_REQUEST] != NULL && cut_request(r, s, &cut) != 0)
        return reply_fail(r, FAIL_NOT_FOUND,
                          "no request of this number is in the trace: it holds the last "
                          "seconds only, so ask soon after it was answered");
    if (r->texts[TRACE_BURST] != NULL && cut_burst(r, s, &cut) != 0)
        return reply_fail(r, FAIL_NOT_FOUND, "no burst of this number is known: the last %d are",
                          BURSTS_KEPT);
    s->trace = trace_json_new(r->runner->ring, &cut);
    reply_begin(r, 200, "application/json", -1);
    return next_step(trace_json_next);
}

struct next
trace_json_begin(struct req *r)
{
    struct trace_state *s = req_state_new(r, sizeof(*s));

    s->runner = r->runner;
    return wait_slot(r, trace_json_look);
}

void
trace_json_cleanup(struct req *r)
{
    struct trace_state *s = r->state;

    trace_json_free(s->trace);
    burst_record_release(s->burst);
}
