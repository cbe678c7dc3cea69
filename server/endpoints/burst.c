/*
 * POST /burst: many requests at once, inside the server (a browser holds back all but six). Each is
 * a request like any other: route, parameters, gate, steps, trace; only its origin is this burst
 * instead of a connection. Answers with a line per finished request and a summary (NDJSON).
 *
 *   burst_begin -> [whole body] -> burst_planned -> burst_go: start up to at_once, send lines ...
 *                                                     ^  | wait: one finished, or the gap is over
 *                                                     '--'        -> burst_settle -> summary
 *
 * Owns its children: when the client leaves, they are cancelled with it.
 */
#include "endpoints/burst.h"

#include "common/clock.h"
#include "endpoints/endpoints.h"
#include "endpoints/kept.h"
#include "request/fail.h"
#include "request/runner.h"

#include <string.h>

/* The workers' slices reach the ring within 10 ms; the summary waits for them. */
#define SETTLE_NS (25 * NS_PER_MS)

/* Of a turn of the loop, for starting requests. */
#define START_SHARE_NS (500 * NS_PER_US)

enum { COURSE_POINTS = 1 << 14 };

/* ---- a child's origin ---- */

static void
child_reply(struct req *child, const struct http_answer *answer, const void *body, size_t len)
{
    struct burst_child *c = child->origin->arg;

    (void)answer;
    (void)body;
    c->octets += len;
}

static void
child_reply_begin(struct req *child, const struct http_answer *answer)
{
    (void)child;
    (void)answer;
}

static bool
child_part(struct req *child, const void *data, size_t len)
{
    struct burst_child *c = child->origin->arg;

    (void)data;
    c->octets += len;
    return true;
}

static void
child_end(struct req *child)
{
    (void)child;
}

static enum http_body_state
child_body(struct req *child, uint64_t limit, const void **data, size_t *len, enum failure *why)
{
    (void)child;
    (void)limit;
    (void)data;
    (void)len;
    (void)why;
    return HTTP_BODY_END; /* a burst sends GET requests only */
}

static void
child_tally(struct req *child, int delta, uint64_t now)
{
    struct burst_child *c = child->origin->arg;
    struct burst *s = c->burst;

    if (!c->begun) {
        c->begun = true;
        s->requests++;
        if (s->requests > s->requests_max)
            s->requests_max = s->requests;
    }
    s->in_progress = (unsigned)((int)s->in_progress + delta);
    if (s->in_progress > s->in_progress_max)
        s->in_progress_max = s->in_progress;
    course_set(s->course, now, s->in_progress);
}

static void
add_reason(struct buf *b, const struct req *child)
{
    struct buf detail = {0};

    buf_addf(b, ",\"problem\":\"/problems/%s\",\"detail\":", fail_row(child->failed)->name);
    fail_add_detail(child, &detail);
    buf_add_json_string(b, detail.data, detail.len);
    buf_fini(&detail);
}

static void
add_line(struct burst *s, const struct burst_child *c, const struct req *child)
{
    struct buf *b = &s->lines;
    uint64_t now = clock_ns();

    buf_addf(b, "{\"request\":%llu,\"path\":", (unsigned long long)child->id);
    buf_add_json_string(b, c->kind->path, strlen(c->kind->path));
    buf_addf(b, ",\"status\":%d,\"octets\":%llu,\"start_ms\":", child->status,
             (unsigned long long)c->octets);
    buf_add_ms(b, child->start_ns - s->start_ns);
    buf_add_text(b, ",\"total_ms\":");
    buf_add_ms(b, now - child->start_ns);
    buf_add_text(b, ",\"queue_ms\":");
    buf_add_ms(b, child->usage.queue_ns + child->gate_ns);
    buf_add_text(b, ",\"db_ms\":");
    buf_add_ms(b, child->usage.db_ns);
    buf_add_text(b, ",\"cpu_ms\":");
    buf_add_ms(b, child->usage.cpu_ns);
    buf_add_text(b, ",\"loop_ms\":");
    buf_add_ms(b, child->loop_ns);
    if (child->failed != FAIL_NONE)
        add_reason(b, child);
    buf_add_text(b, "}\n");
}

static void
child_over(struct req *child)
{
    struct burst_child *c = child->origin->arg;
    struct burst *s = c->burst;
    uint64_t took = clock_ns() - child->start_ns;

    c->req = NULL;
    if (s->r == NULL)
        return; /* the burst itself is being cancelled */
    if (c->begun)
        s->requests--;
    s->finished++;
    if (child->status >= 400)
        s->failed++;
    s->usage.queue_ns += child->usage.queue_ns;
    s->usage.db_ns += child->usage.db_ns;
    s->usage.unseen_ns += child->usage.unseen_ns;
    s->usage.cpu_ns += child->usage.cpu_ns;
    s->usage.tasks += child->usage.tasks;
    s->usage.kernel_switches += child->usage.kernel_switches;
    s->loop_ns += child->loop_ns;
    s->gate_ns += child->gate_ns;
    s->lock_ns += child->lock_ns;
    s->ran_on |= child->ran_on;
    if (took > s->longest_ns)
        s->longest_ns = took;
    add_line(s, c, child);
    if (s->finished == s->count)
        s->end_ns = clock_ns();
    req_wake(s->r);
}

static const struct origin_ops child_ops = {
    .reply = child_reply,
    .begin = child_reply_begin,
    .part = child_part,
    .end = child_end,
    .abort = child_end,
    .body = child_body,
    .tally = child_tally,
    .over = child_over,
};

uint64_t
burst_of(const struct req *r)
{
    const struct burst_child *c = r->origin->arg;

    return r->origin->ops == &child_ops && c->burst->r != NULL ? c->burst->r->id : 0;
}

/* ---- the burst's own steps ---- */

static struct next burst_go(struct req *r);

static void
start_child(struct burst *s)
{
    struct burst_child *c = &s->children[s->started];
    struct runner *rn = s->r->runner;

    c->origin = (struct origin){.ops = &child_ops, .arg = c};
    s->ids[s->started++] = rn->next_id + 1;
    c->req = runner_begin(rn, &c->origin, c->kind->head);
}

static struct next
burst_summarise(struct req *r)
{
    struct burst *s = r->state;

    s->lines.len = 0;
    burst_log_add(&r->runner->endpoints->bursts,
                  &(struct burst_record){.id = r->id,
                                         .from = s->start_ns,
                                         .to = s->end_ns,
                                         .factor = burst_factor(s),
                                         .course = s->course,
                                         .count = s->count},
                  s->ids);
    s->course = NULL;
    burst_summary(s, &s->lines);
    return reply_part(r, s->lines.data, s->lines.len, reply_end);
}

static struct next
burst_settle(struct req *r)
{
    req_delay(r, SETTLE_NS);
    return wait_all(r, burst_summarise);
}

/* Lines were sent: wait for more, or come to the end. */
static struct next
burst_sent(struct req *r)
{
    struct burst *s = r->state;

    s->lines.len = 0;
    if (s->finished == s->count)
        return next_step(burst_settle);
    if (s->started < s->count && s->started - s->finished < s->at_once)
        return next_step(burst_go);
    return wait_wake(r, burst_go);
}

static struct next
burst_send(struct req *r)
{
    struct burst *s = r->state;

    return reply_part(r, s->lines.data, s->lines.len, burst_sent);
}

/* Starts what may be started, for half a millisecond; the rest in the next turn: others come
 * first. */
static struct next
burst_go(struct req *r)
{
    struct burst *s = r->state;
    const uint64_t begun = clock_ns();

    while (s->started < s->count && s->started - s->finished < s->at_once) {
        start_child(s);
        if (s->gap_ns > 0 && s->started < s->count) {
            req_delay(r, s->gap_ns);
            return wait_all(r, burst_send);
        }
        if (clock_ns() - begun > START_SHARE_NS && s->started < s->count) {
            req_delay(r, 0);
            return wait_all(r, burst_send);
        }
    }
    return next_step(burst_send);
}

static struct next
burst_planned(struct req *r)
{
    struct burst *s = r->state;
    struct db_class_status slow;

    if (burst_plan(s) != 0)
        return reply_fail(r, s->refusal, "%s", s->refused);
    db_class_status(r->runner->db, DB_SLOW, &slow);
    s->slow_waited_at = slow.waited;
    s->course = course_new(COURSE_POINTS);
    s->start_ns = clock_ns();
    s->switches_at = r->runner->loop_switches;
    reply_begin(r, 200, "application/x-ndjson", -1);
    return next_step(burst_go);
}

struct next
burst_begin(struct req *r)
{
    struct burst *s = req_state_new(r, sizeof(*s));

    s->r = r;
    return wait_whole_body(r, burst_planned);
}

void
burst_cleanup(struct req *r)
{
    struct burst *s = r->state;

    s->r = NULL;
    for (unsigned i = 0; i < s->started; i++)
        if (s->children[i].req != NULL)
            runner_cancel(s->children[i].req);
    course_free(s->course);
    buf_fini(&s->lines);
}
