/* links: server/request/begin.c server/request/count.c server/request/fail.c server/request/finish.c server/request/gate.c server/request/guard.c server/request/params.c server/request/reply.c server/request/route.c server/request/runner.c server/request/work.c server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/clock.c server/common/course.c server/common/distance.c server/common/histogram.c server/common/log.c server/common/maxtrack.c server/common/memory.c server/common/span.c tests/lib/req_world.c */
/*
 * What is counted while requests live: tasks in progress, switches of the loop, others answered
 * meanwhile. And requests whose origin is no connection: those of a burst.
 */
#include "req_world.h"
#include "suite.h"

#include <string.h>

static struct req_world w;

/* Three queries at once; then the answer with "ran" and "meanwhile". */
struct three {
    struct query queries[3];
};

static struct next
three_answer(struct req *r)
{
    struct buf *b = req_scratch(r);

    buf_add_text(b, "{\"three\":3");
    return reply_ran(r, b);
}

static struct next
three_ask(struct req *r)
{
    struct three *t = req_state_new(r, sizeof(*t));

    for (unsigned i = 0; i < 3; i++)
        req_query_int(r, &t->queries[i], SQL_SLEEP, 1);
    return wait_all(r, three_answer);
}

static struct next
quick(struct req *r)
{
    return reply_text(r, 200, "text/plain", "quick", 5);
}

static const struct route routes[] = {
    {.path = "/three", .methods = METHOD_GET, .first = three_ask},
    {.path = "/quick", .methods = METHOD_GET, .first = quick},
    {.path = "/status", .methods = METHOD_GET, .first = three_ask, .flags = ROUTE_OPS},
};

/* ---- an origin of our own ---- */

static struct {
    int status, tasks, tasks_max;
    unsigned overs;
    bool tally_after_over;
} seen;

static void
seen_reply(struct req *r, const struct http_answer *answer, const void *body, size_t len)
{
    (void)r;
    (void)body;
    (void)len;
    ck_assert_int_eq(seen.status, 0);
    seen.status = answer->status;
}

static void
seen_tally(struct req *r, int delta, uint64_t now)
{
    (void)r;
    (void)now;
    seen.tasks += delta;
    if (seen.tasks > seen.tasks_max)
        seen.tasks_max = seen.tasks;
    seen.tally_after_over |= seen.overs > 0;
}

static void
seen_over(struct req *r)
{
    (void)r;
    seen.overs++;
    ck_assert_int_eq(seen.tasks, 0); /* its counts are final */
}

static const struct origin_ops seen_ops = {
    .reply = seen_reply,
    .tally = seen_tally,
    .over = seen_over,
};
static struct origin origin = {.ops = &seen_ops};

static void
set_up(void)
{
    memset(&seen, 0, sizeof(seen));
    rw_open(&w, routes, sizeof(routes) / sizeof(routes[0]));
}

static void
tear_down(void)
{
    rw_close(&w);
}

static struct req *
begin_from_origin(const char *path)
{
    static struct http_head head;

    head = (struct http_head){.method = HTTP_GET,
                              .minor = 1,
                              .target = {path, strlen(path)},
                              .path = {path, strlen(path)},
                              .content_length = -1};
    return runner_begin(&w.runner, &origin, &head);
}

static double
number(struct http_conn *c, const char *object, const char *key)
{
    json_t *root = json_loads(rw_body(c), 0, NULL);
    double value;

    ck_assert_msg(root != NULL, "%s", rw_body(c));
    value = json_number_value(json_object_get(json_object_get(root, object), key));
    json_decref(root);
    return value;
}

static void
finish_three(unsigned base)
{
    for (unsigned i = 0; i < 3; i++)
        rw_done(&w, base + i, FAIL_NONE, "");
}

/* ---- counts ---- */

START_TEST(test_a_request_that_waits_is_one_task_or_as_many_as_it_has_begun)
{
    struct http_conn *c = rw_get(&w, "/three");

    ck_assert_uint_eq(w.runner.in_progress, 1);
    rw_began(&w, 0);
    ck_assert_uint_eq(w.runner.in_progress, 1);
    rw_began(&w, 1);
    rw_began(&w, 2);
    ck_assert_uint_eq(w.runner.in_progress, 3);
    (void)rw_get(&w, "/three");
    ck_assert_uint_eq(w.runner.in_progress, 4);
    ck_assert_uint_eq(w.runner.requests, 2);
    for (unsigned i = 0; i < 3; i++)
        rw_ended(&w, i);
    ck_assert_uint_eq(w.runner.in_progress, 2);
    finish_three(0);
    ck_assert_uint_eq(w.runner.in_progress, 1);
    ck_assert_uint_eq(w.runner.in_progress_max, 4);
    ck_assert_uint_eq(w.runner.requests_max, 2);
    ck_assert(number(c, "meanwhile", "in_progress_max") == 4);
}
END_TEST

START_TEST(test_what_is_answered_within_its_turn_or_is_an_operation_is_not_in_progress)
{
    (void)rw_get(&w, "/quick");
    (void)rw_get(&w, "/status");
    rw_began(&w, 0);
    rw_began(&w, 1);
    ck_assert_uint_eq(w.runner.in_progress, 0);
    ck_assert_uint_eq(w.runner.requests_max, 0);
}
END_TEST

START_TEST(test_in_progress_max_looks_no_further_back_than_the_request)
{
    struct http_conn *a = rw_get(&w, "/three"), *b = rw_get(&w, "/three"), *c;

    finish_three(0);
    finish_three(3);
    c = rw_get(&w, "/three");
    finish_three(6);
    ck_assert(number(a, "meanwhile", "in_progress_max") == 2);
    ck_assert(number(b, "meanwhile", "in_progress_max") == 2);
    ck_assert(number(c, "meanwhile", "in_progress_max") == 1);
}
END_TEST

START_TEST(test_meanwhile_counts_the_others_answered_and_the_switches_to_and_fro)
{
    struct http_conn *c = rw_get(&w, "/three");

    for (int i = 0; i < 5; i++)
        (void)rw_get(&w, "/quick");
    finish_three(0);
    ck_assert(number(c, "meanwhile", "other_requests_answered") == 5);
    /* to itself, to five others, and back */
    ck_assert(number(c, "ran", "loop_switches") == 7);
}
END_TEST

START_TEST(test_what_its_works_have_used_adds_up_in_ran)
{
    struct http_conn *c = rw_get(&w, "/three");

    for (unsigned i = 0; i < 3; i++)
        w.started[i].ticket->usage = (struct usage){
            .queue_ns = 1000000, .db_ns = 20000000, .cpu_ns = 5000000, .kernel_switches = 2};
    rw_turn(&w); /* the loop sleeps: no time of its own passes */
    rw_pass(100);
    finish_three(0);
    ck_assert(number(c, "ran", "queue_ms") == 3);
    ck_assert(number(c, "ran", "db_ms") == 60);
    ck_assert(number(c, "ran", "cpu_ms") == 15);
    ck_assert(number(c, "ran", "total_ms") == 100);
    ck_assert(number(c, "ran", "kernel_switches") == 6);
    ck_assert_str_eq(rw_field(c, "Server-Timing"), "queue;dur=3.0, db;dur=60.0, cpu;dur=15.0, "
                                                   "loop;dur=0.00, total;dur=100.0");
}
END_TEST

START_TEST(test_the_latency_of_each_answer_is_recorded_once)
{
    struct route_count *counts = w.runner.routes.counts;

    for (int i = 0; i < 4; i++)
        (void)rw_get(&w, "/quick");
    (void)rw_get(&w, "/three");
    ck_assert_uint_eq(counts[1].latency.count, 0); /* their turn goes on */
    rw_turn(&w);
    ck_assert_uint_eq(counts[1].latency.count, 4);
    finish_three(0);
    rw_turn(&w);
    ck_assert_uint_eq(counts[0].latency.count, 1);
    ck_assert_uint_eq(counts[1].latency.count, 4);
}
END_TEST

/* ---- requests of a burst ---- */

START_TEST(test_a_request_of_another_origin_is_told_its_tasks_and_its_end)
{
    ck_assert_ptr_nonnull(begin_from_origin("/three"));
    ck_assert_int_eq(seen.tasks, 1);
    rw_began(&w, 0);
    rw_began(&w, 1);
    ck_assert_int_eq(seen.tasks, 2);
    finish_three(0); /* although they never said that they ended */
    ck_assert_int_eq(seen.status, 200);
    ck_assert_int_eq(seen.tasks_max, 2);
    ck_assert_uint_eq(seen.overs, 1);
    ck_assert(!seen.tally_after_over);
    ck_assert_uint_eq(w.runner.in_progress, 0);
}
END_TEST

START_TEST(test_a_request_of_another_origin_that_is_answered_at_once_is_over_when_begun)
{
    ck_assert_ptr_null(begin_from_origin("/quick"));
    ck_assert_int_eq(seen.status, 200);
    ck_assert_int_eq(seen.tasks_max, 1);
    ck_assert_uint_eq(seen.overs, 1);
    seen.status = 0;
    ck_assert_ptr_null(begin_from_origin("/nothing"));
    ck_assert_int_eq(seen.status, 404);
    ck_assert_uint_eq(seen.overs, 2);
}
END_TEST

START_TEST(test_cancelling_a_request_of_another_origin_answers_nothing_and_releases_all)
{
    runner_cancel(begin_from_origin("/three"));
    ck_assert_int_eq(seen.status, 0);
    ck_assert_uint_eq(seen.overs, 1);
    ck_assert_uint_eq(w.runner.answered, 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(w.started[i].released, 1);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_request_that_waits_is_one_task_or_as_many_as_it_has_begun,
        test_what_is_answered_within_its_turn_or_is_an_operation_is_not_in_progress,
        test_in_progress_max_looks_no_further_back_than_the_request,
        test_meanwhile_counts_the_others_answered_and_the_switches_to_and_fro,
        test_what_its_works_have_used_adds_up_in_ran,
        test_the_latency_of_each_answer_is_recorded_once,
        test_a_request_of_another_origin_is_told_its_tasks_and_its_end,
        test_a_request_of_another_origin_that_is_answered_at_once_is_over_when_begun,
        test_cancelling_a_request_of_another_origin_answers_nothing_and_releases_all,
    };
    Suite *suite = suite_create("count");
    TCase *tc = tcase_create("count");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
