/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * The life of a request: steps that wait for several works, failures that cancel the rest, clients
 * who leave at any moment. Bodies and answers in parts: test_runner_bodies.c.
 */
#include "req_world.h"
#include "suite.h"

#include <event2/event.h>
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

/* A query and a computation at once. */
struct pair {
    struct query query;
    struct compute compute;
};

static struct next
pair_answer(struct req *r)
{
    struct pair *p = r->state;
    struct buf *b = req_scratch(r);

    step_ran("answer");
    buf_addf(b, "{\"query\":%d,\"compute\":%d,\"target\":", (int)p->query.work.failure,
             (int)p->compute.work.failure);
    buf_add_json_string(b, r->head->target.p, r->head->target.len);
    return reply_ran(r, b);
}

static void
start_pair(struct req *r)
{
    struct pair *p = req_state_new(r, sizeof(*p));
    int64_t params[PARAM_MAX] = {0};

    step_ran("ask");
    req_query_int(r, &p->query, SQL_SLEEP, 7);
    req_compute(r, &p->compute, NULL, params, 3, EXEC_WORKERS);
}

static struct next
pair_ask(struct req *r)
{
    start_pair(r);
    return wait_all(r, pair_answer);
}

static struct next
soft_ask(struct req *r)
{
    start_pair(r);
    req_soft(&((struct pair *)r->state)->query.work);
    return wait_all(r, pair_answer);
}

/* Answers although its works are not done. */
static struct next
early_ask(struct req *r)
{
    start_pair(r);
    return reply_text(r, 200, "text/plain", "early", 5);
}

/* Finds out, after it has started something, that it can't go on. */
static struct next
regret_ask(struct req *r)
{
    start_pair(r);
    return reply_fail(r, FAIL_BODY, "on second thoughts, no");
}

/* One after the other, in memory that is used twice. */
static struct next
again_ask(struct req *r)
{
    struct pair *p = r->state;

    step_ran("again");
    req_release(&p->query.work);
    req_query_int(r, &p->query, SQL_SLEEP, 8);
    return wait_all(r, pair_answer);
}

static struct next
twice_ask(struct req *r)
{
    start_pair(r);
    return wait_all(r, again_ask);
}

/* Nothing to wait for. */
static struct next
nothing_answer(struct req *r)
{
    step_ran("answer");
    return reply_text(r, 200, "text/plain", "nothing", 7);
}

static struct next
nothing_ask(struct req *r)
{
    step_ran("ask");
    return wait_all(r, nothing_answer);
}

/* A delay beside a query. */
static struct next
delay_ask(struct req *r)
{
    struct pair *p = req_state_new(r, sizeof(*p));

    step_ran("ask");
    req_query_int(r, &p->query, SQL_SLEEP, 1);
    req_delay(r, 0);
    return wait_all(r, nothing_answer);
}

static struct req *sleeper;

static struct next
wake_ask(struct req *r)
{
    step_ran("ask");
    sleeper = r;
    return wait_wake(r, nothing_answer);
}

/* Is woken before it waits. */
static struct next
woken_ask(struct req *r)
{
    step_ran("ask");
    req_wake(r);
    return wait_wake(r, nothing_answer);
}

static const struct route routes[] = {
    {.path = "/pair", .methods = METHOD_GET, .first = pair_ask, .cleanup = count_cleanup},
    {.path = "/soft", .methods = METHOD_GET, .first = soft_ask, .cleanup = count_cleanup},
    {.path = "/early", .methods = METHOD_GET, .first = early_ask, .cleanup = count_cleanup},
    {.path = "/regret", .methods = METHOD_GET, .first = regret_ask, .cleanup = count_cleanup},
    {.path = "/twice", .methods = METHOD_GET, .first = twice_ask, .cleanup = count_cleanup},
    {.path = "/nothing", .methods = METHOD_GET, .first = nothing_ask, .cleanup = count_cleanup},
    {.path = "/delay", .methods = METHOD_GET, .first = delay_ask, .cleanup = count_cleanup},
    {.path = "/wake", .methods = METHOD_GET, .first = wake_ask},
    {.path = "/woken", .methods = METHOD_GET, .first = woken_ask},
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

/* ---- works ---- */

START_TEST(test_a_step_goes_on_when_both_works_are_done_in_either_order)
{
    for (unsigned first = 0; first < 2; first++) {
        struct http_conn *c = rw_get(&w, "/pair?_=1");
        unsigned base = 2 * first;

        path_of_steps[0] = '\0';
        ck_assert_int_eq(w.started[base].statement, SQL_SLEEP);
        ck_assert_int_eq(w.started[base].param, 7);
        ck_assert_uint_eq(w.started[base + 1].sections, 3);
        rw_done(&w, base + first, FAIL_NONE, "");
        rw_turn(&w);
        ck_assert_str_eq(path_of_steps, "");
        ck_assert_int_eq(c->status, 0);
        rw_done(&w, base + 1 - first, FAIL_NONE, "");
        ck_assert_str_eq(path_of_steps, "answer");
        ck_assert_int_eq(c->status, 200);
        /* the head outlives the octets it came in */
        ck_assert_ptr_nonnull(strstr(rw_body(c), "\"target\":\"/pair?_=1\""));
        expect_over(base + 2);
    }
    ck_assert_uint_eq(cleanups, 2);
}
END_TEST

START_TEST(test_one_that_fails_cancels_the_other_and_is_answered_by_the_table)
{
    for (unsigned first = 0; first < 2; first++) {
        struct http_conn *c = rw_get(&w, "/pair");
        unsigned base = 2 * first;

        path_of_steps[0] = '\0';
        if (first == 0) {
            rw_done(&w, base, FAIL_DB_LATE, "no answer for 2 s");
            rw_detail(c, 504, "database-late", "no answer for 2 s");
        } else {
            rw_done(&w, base + 1, FAIL_JOB_DIED, "two workers died");
            rw_detail(c, 502, "job-died", "two workers died");
        }
        ck_assert_str_eq(path_of_steps, ""); /* steps see success only */
        expect_over(base + 2);
    }
    ck_assert_uint_eq(cleanups, 2);
    ck_assert_uint_eq(w.runner.failures[FAIL_DB_LATE], 1);
    ck_assert_uint_eq(w.runner.failures[FAIL_JOB_DIED], 1);
}
END_TEST

START_TEST(test_a_work_that_fails_last_is_answered_as_one_that_fails_first)
{
    struct http_conn *c = rw_get(&w, "/pair");

    rw_done(&w, 1, FAIL_NONE, "");
    rw_done(&w, 0, FAIL_DB_QUERY, "division by zero");
    rw_detail(c, 500, "query-failed", "division by zero");
    expect_over(2);
}
END_TEST

START_TEST(test_a_step_survives_the_failure_of_a_soft_work_but_not_that_of_another)
{
    char failure[32];
    struct http_conn *c = rw_get(&w, "/soft");

    snprintf(failure, sizeof(failure), "{\"query\":%d,\"compute\":0,", FAIL_DB_DOWN);
    rw_done(&w, 0, FAIL_DB_DOWN, "away");
    ck_assert_int_eq(c->status, 0); /* the other is still waited for */
    rw_done(&w, 1, FAIL_NONE, "");
    ck_assert_int_eq(c->status, 200);
    ck_assert_int_eq(strncmp(rw_body(c), failure, strlen(failure)), 0);
    expect_over(2);

    c = rw_get(&w, "/soft");
    rw_done(&w, 2, FAIL_DB_DOWN, "away");
    rw_done(&w, 3, FAIL_JOB_LATE, "60 s");
    rw_detail(c, 504, "job-late", "60 s");
    expect_over(4);
}
END_TEST

START_TEST(test_works_that_nobody_waits_for_any_more_are_released_with_the_answer)
{
    ck_assert_str_eq(rw_body(rw_get(&w, "/early")), "early");
    expect_over(2);
    rw_detail(rw_get(&w, "/regret"), 400, "bad-body", "on second thoughts, no");
    expect_over(4);
    ck_assert_uint_eq(cleanups, 2);
}
END_TEST

START_TEST(test_a_work_that_was_released_can_be_started_again)
{
    struct http_conn *c = rw_get(&w, "/twice");

    rw_done(&w, 1, FAIL_NONE, "");
    rw_done(&w, 0, FAIL_NONE, "");
    ck_assert_str_eq(path_of_steps, "ask again");
    ck_assert_int_eq(w.started[2].param, 8);
    ck_assert_uint_eq(w.started[0].released, 1); /* but not the one that runs in its memory */
    ck_assert_uint_eq(w.started[2].released, 0);
    rw_done(&w, 2, FAIL_NONE, "");
    ck_assert_int_eq(c->status, 200);
    expect_over(3);
}
END_TEST

START_TEST(test_waiting_for_nothing_goes_on_at_once)
{
    ck_assert_str_eq(rw_body(rw_get(&w, "/nothing")), "nothing");
    ck_assert_str_eq(path_of_steps, "ask answer");
    ck_assert_uint_eq(cleanups, 0); /* it had no state */
}
END_TEST

START_TEST(test_a_delay_is_a_work_like_any_other_and_ends_with_its_request)
{
    struct http_conn *c = rw_get(&w, "/delay");

    rw_done(&w, 0, FAIL_NONE, "");
    ck_assert_int_eq(c->status, 0);
    rw_turn(&w);
    ck_assert_str_eq(rw_body(c), "nothing");
    c = rw_get(&w, "/delay");
    rw_done(&w, 1, FAIL_DB_LOST, "lost");
    json_decref(rw_problem(c, 503, "database-lost"));
    ck_assert_int_eq(event_base_get_num_events(w.runner.base, EVENT_BASE_COUNT_ADDED), 0);
    expect_over(2);
}
END_TEST

/* ---- clients who leave ---- */

START_TEST(test_a_client_who_leaves_cancels_all_works_and_is_counted_as_gone)
{
    struct http_conn *c = rw_get(&w, "/pair");

    rw_began(&w, 1);
    rw_began(&w, 1);
    rw_began(&w, 0);
    rw_done(&w, 0, FAIL_NONE, "");
    rw_leave(c);
    ck_assert_int_eq(c->status, 0);
    ck_assert_str_eq(path_of_steps, "ask");
    expect_over(2);
    ck_assert_uint_eq(cleanups, 1);
    ck_assert_uint_eq(w.runner.answered, 0);
    ck_assert_uint_eq(w.runner.failures[FAIL_CLIENT_GONE], 1);
    ck_assert_uint_eq(w.runner.routes.counts[0].gone, 1);
}
END_TEST

START_TEST(test_a_client_who_leaves_when_its_request_was_woken_is_not_resumed)
{
    struct http_conn *c = rw_get(&w, "/wake");

    req_wake(sleeper);
    rw_leave(c);
    rw_turn(&w);
    ck_assert_str_eq(path_of_steps, "ask");
    ck_assert_uint_eq(w.runner.failures[FAIL_CLIENT_GONE], 1);
    expect_over(0);
}
END_TEST

START_TEST(test_closing_cancels_every_request_without_a_word)
{
    struct http_conn *a = rw_get(&w, "/pair"), *b = rw_get(&w, "/wake");

    runner_close(&w.runner);
    ck_assert_int_eq(a->status, 0);
    ck_assert_int_eq(b->status, 0);
    ck_assert_uint_eq(cleanups, 1);
    for (unsigned i = 0; i < w.nstarted; i++)
        ck_assert_uint_eq(w.started[i].released, 1);
    runner_open(&w.runner, routes, sizeof(routes) / sizeof(routes[0]));
}
END_TEST

/* ---- waking ---- */

START_TEST(test_a_wake_is_heard_at_the_end_of_the_turn_and_once)
{
    struct http_conn *c = rw_get(&w, "/wake");

    rw_turn(&w);
    ck_assert_str_eq(path_of_steps, "ask");
    req_wake(sleeper);
    req_wake(sleeper);
    ck_assert_int_eq(c->status, 0);
    rw_turn(&w);
    ck_assert_str_eq(path_of_steps, "ask answer");
    ck_assert_int_eq(c->status, 200);
    /* a wake before the wait is not lost */
    ck_assert_int_eq(rw_get(&w, "/woken")->status, 200);
    rw_turn(&w);
    expect_over(0);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_step_goes_on_when_both_works_are_done_in_either_order,
        test_one_that_fails_cancels_the_other_and_is_answered_by_the_table,
        test_a_work_that_fails_last_is_answered_as_one_that_fails_first,
        test_a_step_survives_the_failure_of_a_soft_work_but_not_that_of_another,
        test_works_that_nobody_waits_for_any_more_are_released_with_the_answer,
        test_a_work_that_was_released_can_be_started_again,
        test_waiting_for_nothing_goes_on_at_once,
        test_a_delay_is_a_work_like_any_other_and_ends_with_its_request,
        test_a_client_who_leaves_cancels_all_works_and_is_counted_as_gone,
        test_a_client_who_leaves_when_its_request_was_woken_is_not_resumed,
        test_closing_cancels_every_request_without_a_word,
        test_a_wake_is_heard_at_the_end_of_the_turn_and_once,
    };
    Suite *suite = suite_create("runner");
    TCase *tc = tcase_create("runner");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
