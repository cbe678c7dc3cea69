/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * max_in_progress: so many requests begun and not answered, max_queue more waiting in order of
 * arrival, the rest refused; operations pass.
 */
#include "req_world.h"
#include "suite.h"

#include <string.h>

static struct req_world w;
static char began[64]; /* the names of requests, in the order of their first steps */

struct held {
    struct query query;
};

static struct next
hold_answer(struct req *r)
{
    return reply_text(r, 200, "text/plain", r->rest.p, r->rest.len);
}

static struct next
hold_begin(struct req *r)
{
    struct held *h = req_state_new(r, sizeof(*h));

    strncat(began, r->rest.p, 1);
    req_query_int(r, &h->query, SQL_SLEEP, 1);
    return wait_all(r, hold_answer);
}

static struct next
answer(struct req *r)
{
    return reply_text(r, 200, "text/plain", "here", 4);
}

static const struct route routes[] = {
    {.path = "/hold/", .methods = METHOD_GET, .first = hold_begin, .flags = ROUTE_PREFIX},
    {.path = "/quick", .methods = METHOD_GET, .first = answer},
    {.path = "/status", .methods = METHOD_GET, .first = answer, .flags = ROUTE_OPS},
};

static void
set_up(void)
{
    began[0] = '\0';
    rw_open(&w, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
tear_down(void)
{
    rw_close(&w);
}

/* The places held, the requests waiting. */
static void
expect_gate(unsigned held, unsigned waiting)
{
    ck_assert_uint_eq(w.runner.gate_held, held);
    ck_assert_uint_eq(w.runner.gate_waiting, waiting);
}

/* Two turns: places that were left are given at the end of a turn, taken in the next one. */
static void
turns(void)
{
    rw_turn(&w);
    rw_turn(&w);
}

START_TEST(test_without_a_limit_nothing_waits)
{
    for (int i = 0; i < 20; i++)
        (void)rw_get(&w, "/hold/a");
    ck_assert_uint_eq(w.nstarted, 20);
    expect_gate(0, 0);
    ck_assert_uint_eq(w.runner.requests, 20);
}
END_TEST

START_TEST(test_requests_beyond_the_limit_wait_and_go_on_in_order_of_arrival)
{
    struct http_conn *a, *b, *c, *d;

    w.conf.max_in_progress = 2;
    a = rw_get(&w, "/hold/a");
    b = rw_get(&w, "/hold/b");
    c = rw_get(&w, "/hold/c");
    d = rw_get(&w, "/hold/d");
    turns();
    ck_assert_str_eq(began, "ab");
    expect_gate(2, 2);
    ck_assert_uint_eq(w.runner.requests, 2); /* who waits here has not begun */
    rw_pass(250);
    rw_done(&w, 1, FAIL_NONE, "");
    ck_assert_str_eq(rw_body(b), "b");
    turns();
    ck_assert_str_eq(began, "abc");
    expect_gate(2, 1);
    rw_done(&w, 0, FAIL_NONE, "");
    turns();
    ck_assert_str_eq(began, "abcd");
    expect_gate(2, 0);
    rw_done(&w, 3, FAIL_NONE, "");
    rw_done(&w, 2, FAIL_NONE, "");
    ck_assert_int_eq(a->status, 200);
    ck_assert_str_eq(rw_body(c), "c");
    ck_assert_str_eq(rw_body(d), "d");
    /* the time at the gate is time in a queue */
    ck_assert_int_eq(strncmp(rw_field(c, "Server-Timing"), "queue;dur=250.0,", 16), 0);
    ck_assert_int_eq(strncmp(rw_field(a, "Server-Timing"), "queue;dur=0.0,", 14), 0);
    expect_gate(0, 0);
}
END_TEST

START_TEST(test_who_comes_later_does_not_overtake_those_who_wait)
{
    struct http_conn *quick;

    w.conf.max_in_progress = 1;
    (void)rw_get(&w, "/hold/a");
    (void)rw_get(&w, "/hold/b");
    rw_done(&w, 0, FAIL_NONE, "");
    /* there is a place, but it is b's */
    quick = rw_get(&w, "/quick");
    ck_assert_int_eq(quick->status, 0);
    turns();
    ck_assert_str_eq(began, "ab");
    ck_assert_int_eq(quick->status, 0);
    rw_done(&w, 1, FAIL_NONE, "");
    turns();
    ck_assert_int_eq(quick->status, 200);
}
END_TEST

START_TEST(test_a_turn_that_lets_requests_through_asks_for_another_turn)
{
    w.conf.max_in_progress = 1;
    (void)rw_get(&w, "/hold/a");
    (void)rw_get(&w, "/hold/b");
    ck_assert(!runner_turn_end(&w.runner));
    rw_done(&w, 0, FAIL_NONE, "");
    ck_assert(runner_turn_end(&w.runner));
    ck_assert_str_eq(began, "a");
    ck_assert(!runner_turn_end(&w.runner));
    ck_assert_str_eq(began, "ab");
}
END_TEST

START_TEST(test_a_full_queue_refuses_with_503_and_says_how_many_wait)
{
    struct http_conn *c;

    w.conf.max_in_progress = 1;
    w.conf.max_queue = 2;
    (void)rw_get(&w, "/hold/a");
    (void)rw_get(&w, "/hold/b");
    (void)rw_get(&w, "/hold/c");
    c = rw_get(&w, "/hold/d");
    rw_detail(c, 503, "busy", "2 requests are waiting already");
    ck_assert_str_eq(rw_field(c, "Retry-After"), "1");
    ck_assert_uint_eq(w.runner.gate_refused, 1);
    expect_gate(1, 2);
    w.conf.max_queue = 0; /* none may wait at all */
    json_decref(rw_problem(rw_get(&w, "/hold/e"), 503, "busy"));
}
END_TEST

START_TEST(test_operations_and_mistakes_pass_a_gate_that_is_closed)
{
    w.conf.max_in_progress = 1;
    w.conf.max_queue = 0;
    (void)rw_get(&w, "/hold/a");
    ck_assert_int_eq(rw_get(&w, "/status")->status, 200);
    ck_assert_int_eq(rw_get(&w, "/nothing")->status, 404);
    ck_assert_int_eq(rw_get(&w, "/quick?x=1")->status, 400);
    expect_gate(1, 0);
    ck_assert_uint_eq(w.runner.gate_refused, 0);
}
END_TEST

START_TEST(test_a_client_who_leaves_the_queue_makes_room_in_it)
{
    struct http_conn *b;

    w.conf.max_in_progress = 1;
    w.conf.max_queue = 2;
    (void)rw_get(&w, "/hold/a");
    b = rw_get(&w, "/hold/b");
    (void)rw_get(&w, "/hold/c");
    rw_leave(b);
    expect_gate(1, 1);
    (void)rw_get(&w, "/hold/d");
    expect_gate(1, 2);
    rw_done(&w, 0, FAIL_NONE, "");
    turns();
    ck_assert_str_eq(began, "ac");
    ck_assert_uint_eq(w.runner.routes.counts[0].gone, 1);
}
END_TEST

START_TEST(test_a_client_who_leaves_when_its_turn_has_come_gives_its_place_on)
{
    struct http_conn *a, *b;

    w.conf.max_in_progress = 1;
    a = rw_get(&w, "/hold/a");
    b = rw_get(&w, "/hold/b");
    (void)rw_get(&w, "/hold/c");
    rw_leave(a); /* holds the place, and its query ends with it */
    ck_assert_uint_eq(w.started[0].released, 1);
    rw_turn(&w); /* b may go on in the next turn */
    expect_gate(1, 1);
    rw_leave(b);
    turns();
    ck_assert_str_eq(began, "ac");
    expect_gate(1, 0);
}
END_TEST

START_TEST(test_octets_of_a_body_do_not_open_the_gate)
{
    struct http_conn *b;

    w.conf.max_in_progress = 1;
    (void)rw_get(&w, "/hold/a");
    b = rw_get(&w, "/hold/b");
    rw_send(b, "early");
    rw_turn(&w);
    ck_assert_str_eq(began, "a");
    expect_gate(1, 1);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_without_a_limit_nothing_waits,
        test_requests_beyond_the_limit_wait_and_go_on_in_order_of_arrival,
        test_who_comes_later_does_not_overtake_those_who_wait,
        test_a_turn_that_lets_requests_through_asks_for_another_turn,
        test_a_full_queue_refuses_with_503_and_says_how_many_wait,
        test_operations_and_mistakes_pass_a_gate_that_is_closed,
        test_a_client_who_leaves_the_queue_makes_room_in_it,
        test_a_client_who_leaves_when_its_turn_has_come_gives_its_place_on,
        test_octets_of_a_body_do_not_open_the_gate,
    };
    Suite *suite = suite_create("gate");
    TCase *tc = tcase_create("gate");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
