/*
 * reply: what endpoints answer with. Adds Cache-Control, Server-Timing and X-Request-Id (not for
 * the TechEmpower routes), writes "ran" and "meanwhile". Runs in the front end; owns nothing.
 */
#include "request/reply.h"

#include "common/clock.h"
#include "request/count.h"
#include "request/runner.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS_MAX = 1280 };

/* Times of a request so far, in ns. */
struct times {
    uint64_t queue, db, cpu, loop, total;
};

static void
take_times(const struct req *r, struct times *t)
{
    uint64_t now = clock_ns();
    uint64_t mark = r->runner->turn_mark;

    *t = (struct times){
        .queue = r->usage.queue_ns + r->gate_ns,
        .db = r->usage.db_ns,
        .cpu = r->usage.cpu_ns,
        .loop = r->loop_ns + (r->running && now > mark ? now - mark : 0),
        .total = now > r->start_ns ? now - r->start_ns : 0,
    };
}

/* The formatted fields, for as long as the answer is being written. */
static size_t
format_fields(const struct req *r, int retry_after, char *out, size_t size)
{
    struct times t;
    size_t n = 0;

    if (!(r->route != NULL && (r->route->flags & ROUTE_BARE) != 0)) {
        take_times(r, &t);
        n = (size_t)snprintf(
            out, size,
            "%s"
            "Server-Timing: queue;dur=%.1f, db;dur=%.1f, cpu;dur=%.1f, loop;dur=%.2f, "
            "total;dur=%.1f\r\nX-Request-Id: %llx-%llu\r\n",
            r->fields != NULL ? r->fields : "Cache-Control: no-store\r\n", (double)t.queue / 1e6,
            (double)t.db / 1e6, (double)t.cpu / 1e6, (double)t.loop / 1e6, (double)t.total / 1e6,
            (unsigned long long)r->runner->epoch_s, (unsigned long long)r->id);
    }
    if (retry_after > 0)
        n += (size_t)snprintf(out + n, size - n, "Retry-After: %d\r\n", retry_after);
    if (r->allow[0] != '\0')
        n += (size_t)snprintf(out + n, size - n, "Allow: %s\r\n", r->allow);
    assert(n < size);
    return n;
}

void
reply_send(struct req *r, struct http_answer *answer, int retry_after, const void *body, size_t len)
{
    char fields[FIELDS_MAX];

    answer->fields = fields;
    answer->fields_len = format_fields(r, retry_after, fields, sizeof(fields));
    r->status = answer->status;
    r->origin->ops->reply(r, answer, body, len);
}

struct next
reply_text(struct req *r, int status, const char *content_type, const void *body, size_t len)
{
    struct http_answer answer = {.status = status, .content_type = content_type};

    reply_send(r, &answer, 0, body, len);
    return (struct next){NEXT_DONE, NULL};
}

struct next
reply_json(struct req *r, int status, const struct buf *body)
{
    return reply_text(r, status, "application/json", body->data, body->len);
}

void
req_add_ran(struct req *r, struct buf *b)
{
    struct times t;
    uint64_t others = r->runner->answered - r->answered_at;

    take_times(r, &t);
    buf_add_text(b, ",\"ran\":{\"queue_ms\":");
    buf_add_ms(b, t.queue);
    buf_add_text(b, ",\"db_ms\":");
    buf_add_ms(b, t.db);
    buf_add_text(b, ",\"cpu_ms\":");
    buf_add_ms(b, t.cpu);
    buf_add_text(b, ",\"loop_ms\":");
    buf_add_ms(b, t.loop);
    buf_add_text(b, ",\"total_ms\":");
    buf_add_ms(b, t.total);
    buf_addf(b, ",\"loop_switches\":%llu,\"kernel_switches\":%llu}",
             (unsigned long long)(r->runner->loop_switches - r->switches_at),
             (unsigned long long)r->usage.kernel_switches);
    buf_addf(b, ",\"meanwhile\":{\"other_requests_answered\":%llu,\"in_progress_max\":%u}",
             (unsigned long long)others, count_max_since_begin(r));
}

struct next
reply_ran(struct req *r, struct buf *object)
{
    req_add_ran(r, object);
    buf_add_text(object, "}\n");
    return reply_json(r, 200, object);
}

struct next
reply_fail(struct req *r, enum failure failure, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(r->why, sizeof(r->why), fmt, args);
    va_end(args);
    r->failed = failure;
    return (struct next){NEXT_FAIL, NULL};
}

void
reply_begin(struct req *r, int status, const char *content_type, int64_t length)
{
    char fields[FIELDS_MAX];
    struct http_answer answer = {
        .status = status,
        .content_type = content_type,
        .fields = fields,
        .fields_len = format_fields(r, 0, fields, sizeof(fields)),
        .length = length,
    };

    r->status = status;
    r->replying = true;
    r->origin->ops->begin(r, &answer);
}

struct next
reply_part(struct req *r, const void *data, size_t len, req_step *step)
{
    bool room = r->origin->ops->part(r, data, len);

    return (struct next){room ? NEXT_STEP : NEXT_DRAINED, step};
}

struct next
wait_drained(struct req *r, req_step *step)
{
    return reply_part(r, NULL, 0, step);
}

struct next
reply_end(struct req *r)
{
    r->origin->ops->end(r);
    return (struct next){NEXT_DONE, NULL};
}

struct buf *
req_scratch(struct req *r)
{
    r->runner->scratch.len = 0;
    return &r->runner->scratch;
}

bool
req_accepts_html(const struct req *r)
{
    return r->head != NULL && http_head_wants(r->head, "accept", "text/html");
}
