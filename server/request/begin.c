/*
 * begin: how a request starts: memory, route, checks, gate, first step. And the one origin that
 * request/ knows itself: a connection. Runs in the front end.
 *
 *   head -> route? (404) -> guard (421, 403) -> admin? (404) -> method (405) -> params (400)
 *        -> gate (503, or wait) -> first step
 */
#include "common/clock.h"
#include "common/log.h"
#include "request/count.h"
#include "request/finish.h"
#include "request/guard.h"
#include "request/params.h"
#include "request/resume.h"
#include "request/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of the course of in_progress, 4 MiB at most, and that of queries, which only the live page reads.
 */
enum { COURSE_POINTS = 1 << 18, QUERIES_POINTS = 1 << 15 };

/* What stands in for a route when there is none, so that r->route is never NULL. */
static const struct route no_route = {.path = "", .flags = ROUTE_OPS};

/* ---- the origin: a connection ---- */

static void
conn_reply(struct req *r, const struct http_answer *answer, const void *body, size_t len)
{
    http_reply(r->origin->conn, answer, body, len);
}

static void
conn_begin(struct req *r, const struct http_answer *answer)
{
    http_reply_begin(r->origin->conn, answer);
}

static bool
conn_part(struct req *r, const void *data, size_t len)
{
    return http_reply_part(r->origin->conn, data, len);
}

static void
conn_end(struct req *r)
{
    http_reply_end(r->origin->conn);
}

static void
conn_abort(struct req *r)
{
    http_reply_abort(r->origin->conn);
}

static enum http_body_state
conn_body(struct req *r, uint64_t limit, const void **data, size_t *len, enum failure *why)
{
    return http_body(r->origin->conn, limit, data, len, why);
}

static const struct origin_ops conn_ops = {
    .reply = conn_reply,
    .begin = conn_begin,
    .part = conn_part,
    .end = conn_end,
    .abort = conn_abort,
    .body = conn_body,
};

/* ---- the start ---- */

static struct req *
req_new(struct runner *rn, const struct http_head *head)
{
    struct req *r = TAILQ_FIRST(&rn->free);

    if (r != NULL) {
        TAILQ_REMOVE(&rn->free, r, all);
        rn->free_count--;
    } else {
        r = xmalloc(sizeof(*r));
    }
    memset(r, 0, offsetof(struct req, arena));
    arena_init(&r->arena);
    TAILQ_INSERT_TAIL(&rn->all, r, all);
    r->id = ++rn->next_id;
    r->runner = rn;
    r->head = head;
    r->switches_at = rn->loop_switches;
    r->answered_at = rn->answered;
    return r;
}

static void
format_allow(unsigned methods, char *out, size_t size)
{
    size_t n = 0;

    for (unsigned m = 0; m < HTTP_METHODS; m++)
        if ((methods & 1u << m) != 0 && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "",
                                  http_method_names[m]);
}

static int
find_route(struct req *r)
{
    struct runner *rn = r->runner;
    const struct http_head *head = r->head;
    const struct route *route = route_find(&rn->routes, head->path.p, head->path.len, &r->rest);
    const char *like;

    if (route != NULL) {
        r->route = route;
        r->count = &rn->routes.counts[route_number(&rn->routes, route)];
        return 0;
    }
    like = route_like(&rn->routes, head->path.p, head->path.len);
    r->failed = FAIL_NOT_FOUND;
    if (like != NULL)
        snprintf(r->why, sizeof(r->why), "there is no %.*s here; did you mean %s?",
                 (int)(head->path.len < 80 ? head->path.len : 80), head->path.p, like);
    else
        snprintf(r->why, sizeof(r->why), "there is no %.*s here; GET /help lists what there is",
                 (int)(head->path.len < 80 ? head->path.len : 80), head->path.p);
    return -1;
}

static int
check_admin(struct req *r)
{
    if ((r->route->flags & ROUTE_ADMIN) == 0 || r->runner->demo)
        return 0;
    r->failed = FAIL_NOT_FOUND;
    snprintf(r->why, sizeof(r->why),
             "%s is off, since this server listens beyond loopback; demo = yes turns it on",
             r->route->path);
    return -1;
}

static struct next
answer_options(struct req *r)
{
    return reply_text(r, 204, NULL, NULL, 0);
}

static int
check_method(struct req *r)
{
    enum http_method method = r->head->method;

    if ((r->route->methods & 1u << method) != 0)
        return 0;
    format_allow(r->route->methods | 1u << HTTP_OPTIONS, r->allow, sizeof(r->allow));
    if (method == HTTP_OPTIONS) {
        r->step = answer_options;
        return 1;
    }
    r->failed = FAIL_METHOD;
    snprintf(r->why, sizeof(r->why), "%s takes %s", r->route->path, r->allow);
    return -1;
}

static struct next
answer_unchanged(struct req *r)
{
    return reply_text(r, 304, NULL, NULL, 0);
}

static bool
is_star(struct slice_text value)
{
    return value.len == 1 && value.p[0] == '*';
}

/* RFC 9110 section 13. Nothing but a ROUTE_TAGGED has an entity tag or a date of change: conditions
 * on dates must be ignored, no tag ever matches, and "*" asks whether there is anything at all. */
static int
check_conditions(struct req *r)
{
    bool exists = (r->route->methods & METHOD_GET) != 0;
    struct slice_text match = http_head_field(r->head, "if-match");
    struct slice_text none = http_head_field(r->head, "if-none-match");

    if (match.p != NULL && !(exists && is_star(match))) {
        snprintf(r->why, sizeof(r->why), "nothing here has the tag that If-Match names");
    } else if (!is_star(none) || !exists) {
        return 0;
    } else if (r->head->method == HTTP_GET || r->head->method == HTTP_HEAD) {
        r->step = answer_unchanged;
        return 0;
    } else {
        snprintf(r->why, sizeof(r->why), "If-None-Match is *, and %s is there", r->route->path);
    }
    r->failed = FAIL_PRECONDITION;
    return -1;
}

/* "OPTIONS *" asks for the server itself (RFC 9110 section 9.3.7). */
static bool
is_options_of_all(const struct req *r)
{
    return r->head->method == HTTP_OPTIONS && r->head->target.len == 1 &&
           r->head->target.p[0] == '*';
}

/* All that can be said before the first step. 0: run it; -1: r->failed. */
static int
check(struct req *r)
{
    r->route = &no_route;
    r->count = &r->runner->routes.counts[r->runner->routes.count];
    if (r->head->failure != FAIL_NONE) {
        r->failed = r->head->failure;
        snprintf(r->why, sizeof(r->why), "%s", r->head->why != NULL ? r->head->why : "");
        return -1;
    }
    if (is_options_of_all(r)) {
        format_allow(METHOD_GET | METHOD_POST | 1u << HTTP_OPTIONS, r->allow, sizeof(r->allow));
        r->step = answer_options;
        return 0;
    }
    if (find_route(r) != 0 || guard_check(r) != 0 || check_admin(r) != 0)
        return -1;
    switch (check_method(r)) {
    case 0:
        break;
    case 1:
        return 0;
    default:
        return -1;
    }
    if (params_read(r) != 0)
        return -1;
    r->step = r->route->first;
    if (!r->head->conditional || (r->route->flags & ROUTE_TAGGED) != 0)
        return 0;
    return check_conditions(r);
}

/* True: it is over already. */
static bool
start(struct req *r)
{
    struct runner *rn = r->runner;

    r->wait = NEXT_STEP;
    if (check(r) == 0 && !gate_enter(r) && r->at_gate) {
        r->start_ns = clock_ns();
        req_keep(r);
        return false;
    }
    /* the TechEmpower routes spare the look at the clock: time runs from the turn's begin */
    if ((r->route->flags & ROUTE_BARE) != 0 && r->origin->ops->tally == NULL)
        r->start_ns = rn->turn_start;
    else
        r->start_ns = clock_ns();
    if (r->origin->ops->tally != NULL)
        count_begin(r, r->start_ns);
    return req_drive(r);
}

static void *
on_begin(void *arg, struct http_conn *conn, struct http_head *head)
{
    struct runner *rn = arg;
    struct req *r;

    runner_turn_begin(rn);
    r = req_new(rn, head);
    r->own_origin = (struct origin){.ops = &conn_ops, .conn = conn};
    r->origin = &r->own_origin;
    return start(r) ? NULL : r;
}

static void
on_more(void *request)
{
    req_resume(request);
}

static void
on_gone(void *request, enum failure why)
{
    struct req *r = request;

    (void)why;
    r->failed = FAIL_CLIENT_GONE;
    if (r->running)
        return; /* its driver will see it */
    runner_turn_begin(r->runner);
    finish(r);
}

const struct http_hooks runner_hooks = {
    .begin = on_begin,
    .body = on_more,
    .drained = on_more,
    .gone = on_gone,
};

struct req *
runner_begin(struct runner *rn, struct origin *origin, const struct http_head *head)
{
    struct req *r = req_new(rn, head);

    runner_mark(rn); /* what was before is not its work */
    r->origin = origin;
    return start(r) ? NULL : r;
}

void
runner_cancel(struct req *r)
{
    r->failed = FAIL_CLIENT_GONE;
    finish(r);
}

void
runner_open(struct runner *rn, const struct route *routes, unsigned nroutes)
{
    struct timespec wall;

    TAILQ_INIT(&rn->all);
    TAILQ_INIT(&rn->free);
    TAILQ_INIT(&rn->ready);
    TAILQ_INIT(&rn->gate);
    clock_gettime(CLOCK_REALTIME, &wall);
    rn->epoch_s = (uint64_t)wall.tv_sec;
    rn->start_ns = clock_ns();
    rn->progress = maxtrack_new();
    rn->course = course_new(COURSE_POINTS);
    rn->queries_course = course_new(QUERIES_POINTS);
    rn->routes.rows = routes;
    rn->routes.count = nroutes;
    rn->routes.counts = xcalloc(nroutes + 1, sizeof(struct route_count));
    rn->routes.lengths = xcalloc(nroutes, sizeof(size_t));
    for (unsigned i = 0; i < nroutes; i++)
        rn->routes.lengths[i] = strlen(routes[i].path);
}

void
runner_close(struct runner *rn)
{
    struct req *r;

    while ((r = TAILQ_FIRST(&rn->all)) != NULL)
        runner_cancel(r);
    while ((r = TAILQ_FIRST(&rn->free)) != NULL) {
        TAILQ_REMOVE(&rn->free, r, all);
        free(r);
    }
    maxtrack_free(rn->progress);
    course_free(rn->course);
    course_free(rn->queries_course);
    free(rn->routes.counts);
    free(rn->routes.lengths);
    buf_fini(&rn->scratch);
    buf_fini(&rn->problem);
}
