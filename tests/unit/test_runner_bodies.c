/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * Requests that read a body and answers that go out in parts: what is gathered, what is refused,
 * and that each waits for its client. All else of the driver: test_runner.c.
 */
#include "req_world.h"
#include "suite.h"

#include "common/memory.h"

#include <stdio.h>
#include <string.h>

static struct req_world w;
static char path_of_steps[256]; /* the names of steps, as they ran */
static unsigned cleanups;

static void
step_ran(const char *name)
{
    size_t n = strlen(path_of_steps);

    snprintf(path_of_steps + n, sizeof(path_of_steps) - n, "%s%s", n > 0 ? " " : "", name);
}

static void
count_cleanup(struct req *r)
{
    ck_assert_ptr_nonnull(r->state);
    cleanups++;
}

/* ---- the endpoints of this test ---- */

static struct next
whole_answer(struct req *r)
{
    step_ran("answer");
    ck_assert_uint_eq(strlen(r->body), r->body_len); /* NUL behind it */
    return reply_text(r, 200, "text/plain", r->body, r->body_len);
}

static struct next
whole_ask(struct req *r)
{
    step_ran("ask");
    return wait_whole_body(r, whole_answer);
}

/* Gives each piece back at once. */
static struct next
echo_piece(struct req *r)
{
    step_ran(r->body_end ? "end" : "piece");
    ck_assert(r->body_end == (r->body_len == 0));
    if (r->body_end)
        return reply_end(r);
    (void)r->origin->ops->part(r, r->body, r->body_len);
    return wait_body(r, echo_piece);
}

static struct next
echo_ask(struct req *r)
{
    reply_begin(r, 200, "text/plain", -1);
    return wait_body(r, echo_piece);
}

/* Three parts, each when there is room; then a query, then the end. */
struct parts {
    struct query query;
    unsigned sent;
};

static struct next
parts_end(struct req *r)
{
    step_ran("end");
    return reply_end(r);
}

static struct next
parts_send(struct req *r)
{
    struct parts *p = r->state;

    step_ran("part");
    if (p->sent++ < 3)
        return reply_part(r, "x", 1, parts_send);
    req_query_int(r, &p->query, SQL_SLEEP, 1);
    return wait_all(r, parts_end);
}

static struct next
parts_ask(struct req *r)
{
    (void)req_state_new(r, sizeof(struct parts));
    reply_begin(r, 200, "text/plain", 3);
    return next_step(parts_send);
}

static const struct route routes[] = {
    {.path = "/whole", .methods = METHOD_POST, .first = whole_ask, .body_limit = 10},
    {.path = "/echo", .methods = METHOD_POST, .first = echo_ask},
    {.path = "/parts", .methods = METHOD_GET, .first = parts_ask, .cleanup = count_cleanup},
};

static void
set_up(void)
{
    path_of_steps[0] = '\0';
    cleanups = 0;
    rw_open(&w, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
tear_down(void)
{
    rw_close(&w);
    ck_assert_uint_eq(memory_used(), 0);
}

static struct http_conn *
post(const char *path)
{
    char head[128];

    snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n",
             path);
    return rw_ask(&w, head);
}

/* The request is over: nothing of it is left, its works are released. */
static void
expect_over(unsigned works)
{
    ck_assert(TAILQ_EMPTY(&w.runner.all));
    ck_assert_uint_eq(w.runner.requests, 0);
    ck_assert_uint_eq(w.runner.in_progress, 0);
    ck_assert_uint_eq(w.nstarted, works);
    for (unsigned i = 0; i < works; i++)
        ck_assert_msg(w.started[i].released > 0, "work %u goes on", i);
}

/* ---- bodies ---- */

START_TEST(test_a_whole_body_is_gathered_and_ends_with_a_nul)
{
    struct http_conn *c = post("/whole");

    rw_send(c, "01234");
    rw_send(c, "56");
    ck_assert_str_eq(path_of_steps, "ask");
    ck_assert_uint_eq(memory_used(), 7);
    rw_send_end(c);
    ck_assert_str_eq(rw_body(c), "0123456");
    c = post("/whole");
    rw_send_end(c);
    ck_assert_int_eq(c->status, 200);
    ck_assert_str_eq(rw_body(c), "");
    expect_over(0);
}
END_TEST

START_TEST(test_a_body_that_fails_is_answered_before_the_step_sees_it)
{
    struct http_conn *c = post("/whole");

    rw_send(c, "0123456789a");
    rw_detail(c, 413, "body-too-large", "the body may have 10 octets at this address");
    c = post("/whole");
    rw_send(c, "0123456789");
    rw_send_fail(c, FAIL_BODY_TIMEOUT);
    json_decref(rw_problem(c, 408, "body-timeout"));
    ck_assert_str_eq(path_of_steps, "ask ask");
    expect_over(0);
}
END_TEST

START_TEST(test_a_body_beyond_the_memory_of_all_is_refused_and_gives_its_share_back)
{
    struct http_conn *c;

    memory_set_limit(8);
    c = post("/whole");
    rw_send(c, "01234567");
    ck_assert_int_eq(c->status, 0);
    rw_send(c, "8");
    json_decref(rw_problem(c, 503, "memory"));
    ck_assert_uint_eq(memory_used(), 0);
    c = post("/whole");
    rw_send(c, "01234567");
    rw_leave(c);
    ck_assert_uint_eq(memory_used(), 0);
}
END_TEST

START_TEST(test_pieces_come_one_by_one_and_their_end_alone)
{
    struct http_conn *c = post("/echo");

    rw_send(c, "012345");
    ck_assert_str_eq(path_of_steps, "piece piece");
    rw_send(c, "67");
    rw_send_end(c);
    ck_assert_str_eq(path_of_steps, "piece piece piece end");
    ck_assert_str_eq(rw_body(c), "01234567");
    ck_assert(c->answered);
}
END_TEST

/* ---- answers in parts ---- */

START_TEST(test_parts_wait_while_there_is_no_room)
{
    struct http_conn *c;

    w.full = true;
    c = rw_get(&w, "/parts");
    rw_turn(&w);
    ck_assert_str_eq(path_of_steps, "part");
    ck_assert_str_eq(rw_body(c), "x");
    ck_assert_int_eq(c->length, 3);
    rw_drain(c);
    ck_assert_str_eq(path_of_steps, "part part part part");
    rw_done(&w, 0, FAIL_NONE, "");
    ck_assert_str_eq(rw_body(c), "xxx");
    ck_assert(c->answered);
    expect_over(1);
}
END_TEST

START_TEST(test_a_failure_amid_an_answer_aborts_it_and_is_counted)
{
    struct http_conn *c = rw_get(&w, "/parts");

    rw_done(&w, 0, FAIL_DB_LOST, "lost");
    ck_assert(c->aborted && !c->answered);
    ck_assert_str_eq(rw_body(c), "xxx"); /* no problem object behind it */
    ck_assert_uint_eq(w.runner.failures[FAIL_DB_LOST], 1);
    expect_over(1);
}
END_TEST

START_TEST(test_a_client_who_leaves_amid_an_answer_gets_nothing_more)
{
    struct http_conn *c;

    w.full = true; /* it waits for room */
    c = rw_get(&w, "/parts");
    ck_assert_str_eq(path_of_steps, "part");
    rw_leave(c);
    ck_assert(!c->answered && !c->aborted);
    expect_over(0);
    w.full = false; /* all parts are out, it waits for the query */
    c = rw_get(&w, "/parts");
    rw_leave(c);
    ck_assert(!c->answered && !c->aborted);
    expect_over(1);
    c = post("/echo"); /* it waits for octets */
    rw_send(c, "0123");
    rw_leave(c);
    ck_assert(!c->answered && !c->aborted);
    expect_over(1);
    ck_assert_uint_eq(w.runner.failures[FAIL_CLIENT_GONE], 3);
    ck_assert_uint_eq(w.runner.answered, 0);
    ck_assert_uint_eq(cleanups, 2);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_whole_body_is_gathered_and_ends_with_a_nul,
        test_a_body_that_fails_is_answered_before_the_step_sees_it,
        test_a_body_beyond_the_memory_of_all_is_refused_and_gives_its_share_back,
        test_pieces_come_one_by_one_and_their_end_alone,
        test_parts_wait_while_there_is_no_room,
        test_a_failure_amid_an_answer_aborts_it_and_is_counted,
        test_a_client_who_leaves_amid_an_answer_gets_nothing_more,
    };
    Suite *suite = suite_create("runner-bodies");
    TCase *tc = tcase_create("runner-bodies");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
