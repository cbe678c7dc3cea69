/*
 * GET /events: the feed of the live page (trace/feed.h) as server-sent events, for any number of
 * readers. Each batch is made once; a reader is a number in the row of batches.
 *
 *   begin -> hello -> send: batch, batch, ... gap? -> rest: all is read
 *                      ^                               | nobody leads: lead, until the next batch
 *                      |<-- tick: make a batch, wake --'    is due
 *                      '<-- woken: wake one more ------'  else: wait to be woken
 *
 * One of those who have read all leads: its delay is the clock of all. So nothing is made while
 * nobody reads, or nobody takes what was made; what was missed then is made up for later, or told
 * as a gap. The others are woken some at a time, each waking one more, so that no turn of the loop
 * gets long. A reader holds no memory here; what its connection holds is bounded by http/.
 */
#include "endpoints/endpoints.h"
#include "endpoints/kept.h"

#include "common/clock.h"
#include "request/runner.h"

#include <string.h>

enum {
    READERS_MAX = 1000,
    WOKEN_AT_ONCE = 16,
};

struct reader {
    struct req *r;
    TAILQ_ENTRY(reader) link;
    uint64_t next; /* number of the batch it gets next */
    uint64_t at;   /* clock_ns() up to which it knows all; 0: nobody knows */
    bool waiting;  /* is in the list */
    bool woken;    /* was taken from it, and has not run since */
    bool stranger; /* its Last-Event-ID is none of ours */
};

enum { EVENTS_SINCE };
const struct param events_params[] = {
    [EVENTS_SINCE] = {.name = "since",
                      .kind = PARAM_TEXT,
                      .max = 40,
                      .help = "go on behind this event: its id, as Last-Event-ID"},
    {.name = NULL},
};

static struct events *
shared(const struct req *r)
{
    return &r->runner->endpoints->events;
}

void
events_open(struct events *e)
{
    TAILQ_INIT(&e->waiting);
}

void
events_close(struct events *e)
{
    feed_free(e->feed);
}

/* ---- who waits, who leads ---- */

static void
stop_waiting(struct events *e, struct reader *s)
{
    if (s->waiting)
        TAILQ_REMOVE(&e->waiting, s, link);
    s->waiting = false;
}

static void
wake_first(struct events *e)
{
    struct reader *s = TAILQ_FIRST(&e->waiting);

    if (s == NULL)
        return;
    stop_waiting(e, s);
    s->woken = true;
    req_wake(s->r);
}

/* One of those for whom there is something. */
static void
wake_behind(struct events *e, const struct runner *rn)
{
    const struct reader *s = TAILQ_FIRST(&e->waiting);

    if (s != NULL && (s->next < feed_next(e->feed) || rn->draining))
        wake_first(e);
}

void
events_cleanup(struct req *r)
{
    struct events *e = shared(r);
    struct reader *s = r->state;

    e->readers--;
    stop_waiting(e, s);
    if (e->leader == s) {
        e->leader = NULL;
        wake_first(e);
    } else if (s->woken) {
        wake_first(e);
    }
}

/* ---- what is sent ---- */

static struct next events_send(struct req *r);

/* It goes on with the newest batch. */
static struct next
send_gap(struct req *r)
{
    struct events *e = shared(r);
    struct reader *s = r->state;
    struct buf *b = req_scratch(r);
    const struct feed_batch *newest = feed_get(e->feed, feed_next(e->feed) - 1);
    const uint64_t next = newest != NULL ? newest->number : feed_next(e->feed);
    const uint64_t to = newest != NULL ? newest->from : feed_to(e->feed);
    const uint64_t from = s->at != 0 && s->at < to ? s->at : to;

    events_add_id(b, r->runner, next - 1);
    buf_addf(b, "event: gap\ndata: {\"missed\":%lld,\"from\":%llu,\"to\":%llu}\n\n",
             s->stranger ? -1LL : (long long)(next - s->next),
             (unsigned long long)feed_us(e->feed, from), (unsigned long long)feed_us(e->feed, to));
    s->stranger = false;
    s->next = next;
    s->at = to;
    return reply_part(r, b->data, b->len, events_send);
}

static struct next
send_bye(struct req *r)
{
    static const char bye[] = "event: bye\nretry: 1000\ndata: {}\n\n";

    wake_behind(shared(r), r->runner);
    return reply_part(r, bye, sizeof(bye) - 1, reply_end);
}

/* ---- its steps ---- */

static struct next events_rest(struct req *r);

static struct next
events_send(struct req *r)
{
    struct events *e = shared(r);
    struct reader *s = r->state;
    const struct feed_batch *b;

    if (r->runner->draining)
        return send_bye(r);
    if (s->stranger || s->next < feed_first(e->feed))
        return send_gap(r);
    b = feed_get(e->feed, s->next);
    if (b == NULL)
        return events_rest(r);
    s->next++;
    s->at = b->to;
    return reply_part(r, b->text, b->len, events_send);
}

static struct next
events_woken(struct req *r)
{
    struct reader *s = r->state;

    s->woken = false;
    wake_behind(shared(r), r->runner);
    return events_send(r);
}

/* The leader, when the next batch may be due. */
static struct next
events_tick(struct req *r)
{
    struct events *e = shared(r);
    const struct runner *rn = r->runner;
    const uint64_t at = clock_ns();
    bool more = false;

    if (!rn->draining && feed_is_due(e->feed, at, rn->requests > 0 || rn->gate_waiting > 0)) {
        struct feed_now now;

        events_take_now(rn, at, &now);
        more = feed_make(e->feed, &now);
    }
    if (more) { /* in the next turn: others come first */
        req_delay(r, 0);
        return wait_all(r, events_tick);
    }
    e->leader = NULL;
    for (unsigned i = 0; i < WOKEN_AT_ONCE; i++)
        wake_behind(e, rn);
    return events_send(r);
}

static struct next
events_rest(struct req *r)
{
    struct events *e = shared(r);
    struct reader *s = r->state;

    if (e->leader != NULL) {
        s->waiting = true;
        TAILQ_INSERT_TAIL(&e->waiting, s, link);
        return wait_wake(r, events_woken);
    }
    e->leader = s;
    req_delay(r, FEED_EVERY_NS);
    return wait_all(r, events_tick);
}

/* ---- the begin ---- */

/* A number of the base given, to the end of the text or to `end`. 0, or -1. */
static int
take_digits(const char **p, const char *stop, unsigned base, uint64_t *out)
{
    const char *begin = *p;

    for (*out = 0; *p < stop; ++*p) {
        unsigned digit = **p >= 'a' ? (unsigned)(**p - 'a') + 10 : (unsigned)(**p - '0');

        if (digit >= base)
            break;
        if (*out > (UINT64_MAX - digit) / base)
            return -1;
        *out = *out * base + digit;
    }
    return *p > begin ? 0 : -1;
}

/* "65f1c2a0-17": 0, or -1: it is no such thing. */
static int
read_id(const char *text, size_t len, uint64_t *epoch, uint64_t *number)
{
    const char *stop = text + len;

    if (take_digits(&text, stop, 16, epoch) != 0 || text == stop || *text++ != '-' ||
        take_digits(&text, stop, 10, number) != 0)
        return -1;
    return text == stop ? 0 : -1;
}

/* Where it goes on: behind the event it has seen last, or with the next one. */
static void
place(struct req *r, struct reader *s, uint64_t epoch, uint64_t number)
{
    const struct feed *feed = shared(r)->feed;
    const struct feed_batch *seen;

    s->next = feed_next(feed);
    if (epoch != r->runner->epoch_s || number >= feed_next(feed)) {
        s->stranger = true;
        return;
    }
    s->next = number + 1;
    seen = feed_get(feed, number);
    if (seen != NULL)
        s->at = seen->to;
}

static struct next
events_hello(struct req *r)
{
    const struct reader *s = r->state;
    struct buf *b = req_scratch(r);

    events_add_id(b, r->runner, s->next - 1);
    events_add_hello(b, r->runner);
    return reply_part(r, b->data, b->len, events_send);
}

static void
begin_reading(struct req *r)
{
    struct events *e = shared(r);
    struct reader *s = req_state_new(r, sizeof(*s));

    s->r = r;
    e->readers++;
    if (e->feed == NULL)
        e->feed = feed_new(&(struct feed_source){.ring = r->runner->ring,
                                                 .tasks = r->runner->course,
                                                 .queries = r->runner->queries_course,
                                                 .start_ns = r->runner->start_ns,
                                                 .epoch = r->runner->epoch_s});
    feed_begin(e->feed, clock_ns());
    s->next = feed_next(e->feed);
}

struct next
events_begin(struct req *r)
{
    struct slice_text last = http_head_field(r->head, "last-event-id");
    const char *since = r->texts[EVENTS_SINCE];
    uint64_t epoch = 0, number = 0;

    if (since != NULL && read_id(since, strlen(since), &epoch, &number) != 0)
        return reply_fail(r, FAIL_PARAMETER, "since must be the id of an event, like %llx-17",
                          (unsigned long long)r->runner->epoch_s);
    if (shared(r)->readers == READERS_MAX)
        return reply_fail(r, FAIL_BUSY, "%d pages are reading already", READERS_MAX);
    if (r->head->method == HTTP_HEAD) {
        reply_begin(r, 200, "text/event-stream", -1);
        return reply_end(r);
    }
    begin_reading(r);
    if (last.len > 0 && read_id(last.p, last.len, &epoch, &number) != 0)
        epoch = 0; /* such one is of nobody's making */
    if (last.len > 0 || since != NULL)
        place(r, r->state, epoch, number);
    reply_begin(r, 200, "text/event-stream", -1);
    return next_step(events_hello);
}
