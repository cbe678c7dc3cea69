/*
 * req_world: see req_world.h.
 */
#include "req_world.h"

#include "common/clock.h"
#include "common/log.h"
#include "request/fail.h"

#include <check.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rw_now;

static uint64_t
rw_clock(void)
{
    return rw_now;
}

struct req_world *
rw_of(const struct req *r)
{
    return (struct req_world *)((char *)r->runner - offsetof(struct req_world, runner));
}

/* ---- in place of http/ ---- */

static void
begin_answer(struct http_conn *c, const struct http_answer *answer)
{
    ck_assert_msg(!c->gone, "an answer for a client who has gone");
    ck_assert_msg(c->status == 0, "a second answer, %d after %d", answer->status, c->status);
    ck_assert(answer->status >= 200 && answer->status <= 599);
    c->status = answer->status;
    c->length = answer->length;
    if (answer->content_type != NULL)
        snprintf(c->type, sizeof(c->type), "%s", answer->content_type);
    buf_add(&c->fields, answer->fields, answer->fields_len);
    buf_add_char(&c->fields, '\0');
}

static void
in_parts(const struct http_conn *c)
{
    ck_assert_msg(c->begun && !c->answered && !c->aborted && !c->gone,
                  "a part that belongs to no answer");
}

void
http_reply(struct http_conn *c, const struct http_answer *answer, const void *body, size_t len)
{
    begin_answer(c, answer);
    if (len > 0)
        buf_add(&c->body, body, len);
    c->answered = true;
}

void
http_reply_begin(struct http_conn *c, const struct http_answer *answer)
{
    begin_answer(c, answer);
    c->begun = true;
}

bool
http_reply_part(struct http_conn *c, const void *data, size_t len)
{
    in_parts(c);
    if (len > 0)
        buf_add(&c->body, data, len);
    return !c->full;
}

void
http_reply_end(struct http_conn *c)
{
    in_parts(c);
    c->answered = true;
}

void
http_reply_abort(struct http_conn *c)
{
    in_parts(c);
    c->aborted = true;
}

/* Pieces of at most 4 octets, each freed when the next one is asked for. */
enum http_body_state
http_body(struct http_conn *c, uint64_t limit, const void **data, size_t *len, enum failure *why)
{
    size_t left = c->coming.len - c->taken;

    ck_assert(!c->answered && !c->gone);
    free(c->piece);
    c->piece = NULL;
    if (c->coming.len > limit)
        c->failure = FAIL_BODY_TOO_LARGE;
    if (c->failure != FAIL_NONE) {
        *why = c->failure;
        return HTTP_BODY_FAILED;
    }
    if (left == 0)
        return c->ended ? HTTP_BODY_END : HTTP_BODY_MORE;
    *len = left < 4 ? left : 4;
    *data = c->piece = xmalloc(*len);
    memcpy(c->piece, c->coming.data + c->taken, *len);
    c->taken += *len;
    return HTTP_BODY_PIECE;
}

/* ---- in place of db/ and jobs/ ---- */

static struct started *
start(struct req_world *w, struct ticket *ticket)
{
    struct started *s = &w->started[w->nstarted++];

    ck_assert_uint_le(w->nstarted, RW_STARTED);
    ck_assert_ptr_nonnull(ticket->hooks);
    s->ticket = ticket;
    return s;
}

/* The latest that was started with this memory. */
static struct started *
find(struct req_world *w, const struct ticket *ticket)
{
    for (unsigned i = w != NULL ? w->nstarted : 0; i-- > 0;)
        if (w->started[i].ticket == ticket)
            return &w->started[i];
    ck_abort_msg("a release of what was never started");
}

void
db_start(struct db *db, struct db_query *q, enum db_statement statement, const char *const *params,
         int nparams, uint64_t deadline_ns)
{
    struct started *s = start(db->world, &q->ticket);

    (void)params;
    (void)nparams;
    (void)deadline_ns;
    s->query = q;
    s->statement = statement;
    q->result = db->world; /* the way back, for db_release() */
}

void
db_start_int(struct db *db, struct db_query *q, enum db_statement statement, int64_t param)
{
    db_start(db, q, statement, NULL, 0, 0);
    db->world->started[db->world->nstarted - 1].param = param;
}

void
db_release(struct db_query *q)
{
    find(q->result, &q->ticket)->released++;
}

void
job_start(struct jobs *jobs, struct job *job, const struct kernel *kernel, const int64_t *params,
          unsigned sections, enum executor executor)
{
    struct started *s = start(jobs->world, &job->ticket);

    (void)kernel;
    (void)params;
    s->job = job;
    s->sections = sections;
    s->executor = executor;
    job->work = (struct job_work *)jobs->world; /* likewise */
}

void
job_release(struct job *job)
{
    find((struct req_world *)job->work, &job->ticket)->released++;
}

static struct started *
alive(struct req_world *w, unsigned i)
{
    ck_assert_uint_lt(i, w->nstarted);
    ck_assert_msg(w->started[i].released == 0, "nobody waits for work %u any more", i);
    ck_assert(!w->started[i].done);
    return &w->started[i];
}

void
rw_began(struct req_world *w, unsigned i)
{
    struct ticket *t = alive(w, i)->ticket;

    t->hooks->began(t, clock_ns());
}

void
rw_ended(struct req_world *w, unsigned i)
{
    struct ticket *t = alive(w, i)->ticket;

    t->hooks->ended(t, clock_ns());
}

void
rw_done(struct req_world *w, unsigned i, enum failure failure, const char *why)
{
    struct started *s = alive(w, i);

    s->done = true;
    if (s->query != NULL)
        snprintf(s->query->error, sizeof(s->query->error), "%s", why);
    else
        snprintf(s->job->why, sizeof(s->job->why), "%s", why);
    s->ticket->hooks->done(s->ticket, failure);
}

/* ---- the world ---- */

void
rw_open(struct req_world *w, const struct route *routes, unsigned nroutes)
{
    *w = (struct req_world){.conf = {.max_body = 1 << 20, .max_queue = 1000}};
    rw_now = 1000 * NS_PER_S;
    clock_set_source(rw_clock);
    w->db.world = w->jobs.world = w;
    w->runner = (struct runner){
        .conf = &w->conf,
        .base = event_base_new(),
        .db = &w->db,
        .jobs = &w->jobs,
        .ring = span_ring_new(1 << 16, true),
        .demo = true,
    };
    runner_open(&w->runner, routes, nroutes);
}

void
rw_close(struct req_world *w)
{
    runner_close(&w->runner);
    ck_assert_uint_eq(w->runner.requests, 0);
    ck_assert_uint_eq(w->runner.in_progress, 0);
    ck_assert_uint_eq(w->runner.gate_held, 0);
    for (unsigned i = 0; i < w->nstarted; i++)
        ck_assert_msg(w->started[i].released > 0, "work %u was not released", i);
    for (unsigned i = 0; i < w->nconns; i++) {
        struct http_conn *c = &w->conns[i];

        buf_fini(&c->fields);
        buf_fini(&c->body);
        buf_fini(&c->coming);
        free(c->piece);
    }
    span_ring_free(w->runner.ring);
    event_base_free(w->runner.base);
    clock_set_source(NULL);
}

void
rw_turn(struct req_world *w)
{
    ck_assert_int_ge(event_base_loop(w->runner.base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
    (void)runner_turn_end(&w->runner);
}

void
rw_pass(uint64_t ms)
{
    rw_now += ms * NS_PER_MS;
}

/* ---- the client ---- */

struct http_conn *
rw_ask(struct req_world *w, const char *text)
{
    const struct http_limits limits = {
        .target = 8192, .head = 32768, .fields = 100, .secure = w->secure};
    struct http_conn *c = &w->conns[w->nconns++];
    struct http_head *head = xmalloc(sizeof(*head));
    size_t len = strlen(text) + 2, scanned = 0;
    char *octets = xmalloc(len + 1);

    ck_assert_uint_le(w->nconns, RW_CONNS);
    c->world = w;
    c->full = w->full;
    snprintf(octets, len + 1, "%s\r\n", text);
    ck_assert_int_ne(http_head_parse(head, octets, len, &limits, &scanned), 0);
    c->request = runner_hooks.begin(&w->runner, c, head);
    ck_assert_msg(c->request != NULL || c->answered, "neither answered nor waiting: %s", text);
    free(octets);
    free(head);
    return c;
}

struct http_conn *
rw_get(struct req_world *w, const char *target)
{
    char head[1024];

    snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: localhost\r\n", target);
    return rw_ask(w, head);
}

void
rw_send(struct http_conn *c, const char *octets)
{
    buf_add_text(&c->coming, octets);
    runner_hooks.body(c->request);
}

void
rw_send_end(struct http_conn *c)
{
    c->ended = true;
    runner_hooks.body(c->request);
}

void
rw_send_fail(struct http_conn *c, enum failure failure)
{
    c->failure = failure;
    runner_hooks.body(c->request);
}

void
rw_drain(struct http_conn *c)
{
    c->full = false;
    runner_hooks.drained(c->request);
}

void
rw_leave(struct http_conn *c)
{
    ck_assert(!c->answered && !c->gone);
    c->gone = true;
    runner_hooks.gone(c->request, FAIL_CLIENT_GONE);
}

const char *
rw_field(const struct http_conn *c, const char *name)
{
    static char value[512];
    size_t len = strlen(name);

    ck_assert_int_ne(c->status, 0);
    for (const char *p = c->fields.data; *p != '\0'; p = strstr(p, "\r\n") + 2) {
        if (strncmp(p, name, len) == 0 && p[len] == ':') {
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(p + len + 2, "\r"), p + len + 2);
            return value;
        }
    }
    return NULL;
}

const char *
rw_body(struct http_conn *c)
{
    ck_assert_msg(c->status != 0, "there is no answer");
    buf_add_char(&c->body, '\0');
    c->body.len--;
    return c->body.data;
}

json_t *
rw_problem(struct http_conn *c, int status, const char *name)
{
    const char *body = rw_body(c);
    json_error_t error;
    char type[64];
    json_t *root;

    ck_assert_msg(c->status == status, "%d %s", c->status, body);
    ck_assert_str_eq(c->type, "application/problem+json");
    root = json_loads(body, 0, &error);
    ck_assert_msg(root != NULL, "%s: %s", error.text, body);
    snprintf(type, sizeof(type), "/problems/%s", name);
    ck_assert_str_eq(json_string_value(json_object_get(root, "type")), type);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), status);
    return root;
}

void
rw_detail(struct http_conn *c, int status, const char *name, const char *detail)
{
    json_t *root = rw_problem(c, status, name);

    const struct fail_row *row = fail_row_named(name, strlen(name));
    char whole[512];

    snprintf(whole, sizeof(whole), "%s%s%s", detail, row->cure != NULL ? ". " : "",
             row->cure != NULL ? row->cure : "");
    ck_assert_str_eq(json_string_value(json_object_get(root, "detail")), whole);
    json_decref(root);
}
