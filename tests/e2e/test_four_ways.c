/* alone: what it counts is how many CPUs its tasks have at once */
/*
 * The heart of it: the same eight tasks, four ways; and what a burst says of itself. The counts
 * come from the trace; wall times are never asserted (the machine may be busy), except as what one
 * way took against another where order alone decides.
 */
#include "burst.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

static const char eight_tasks[] = "[{\"path\":\"/db/sleep?ms=150\",\"count\":4},"
                                  "{\"path\":\"/work?wait_ms=0&cpu_ms=150\",\"count\":4}]";

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
}

static void
stop(void)
{
    server_stop(server);
}

static void
check_way(const char *query, double requests_max, double running_max)
{
    struct burst_result b = burst_run(server, query, eight_tasks);

    ck_assert_uint_eq(json_array_size(b.lines), 8);
    ck_assert_msg(burst_number(&b, "failed") == 0, "%s: %s", query, burst_why(&b));
    ck_assert_msg(burst_number(&b, "requests_max") == requests_max &&
                      burst_number(&b, "running_max") == running_max,
                  "%s: requests_max %g, running_max %g instead of %g and %g", query,
                  burst_number(&b, "requests_max"), burst_number(&b, "running_max"), requests_max,
                  running_max);
    burst_free(&b);
}

START_TEST(test_neither_is_one_request_and_one_cpu_at_a_time)
{
    check_way("at_once=1&run=loop", 1, 1);
}
END_TEST

START_TEST(test_concurrency_only_is_eight_requests_on_one_cpu)
{
    check_way("run=loop", 8, 1);
}
END_TEST

START_TEST(test_parallelism_only_is_one_request_on_two_cpus)
{
    if (usable_cpus() < 2) {
        printf("SKIP: parallelism only: there is one CPU\n");
        return;
    }
    check_way("at_once=1&run=workers", 1, 2);
}
END_TEST

START_TEST(test_both_is_eight_requests_on_two_cpus)
{
    if (usable_cpus() < 2) {
        printf("SKIP: both: there is one CPU\n");
        return;
    }
    check_way("run=workers", 8, 2);
}
END_TEST

START_TEST(test_six_waits_on_one_thread_overlap)
{
    struct burst_result b =
        burst_run(server, NULL, "[{\"path\":\"/db/sleep?ms=300\",\"count\":6}]");

    ck_assert(burst_number(&b, "in_progress_max") == 6);
    ck_assert_msg(burst_number(&b, "db_ms") >= 6 * 300, "%g", burst_number(&b, "db_ms"));
    /* factor is time worked over wall time: only possible when they overlapped */
    ck_assert_msg(burst_number(&b, "factor") > 2, "%g", burst_number(&b, "factor"));
    ck_assert_ptr_nonnull(strstr(burst_why(&b), "overlapped"));
    burst_free(&b);
}
END_TEST

START_TEST(test_computations_taking_turns_on_one_cpu_have_factor_one)
{
    struct burst_result b =
        burst_run(server, "run=loop", "[{\"path\":\"/work?wait_ms=0&cpu_ms=60\",\"count\":6}]");

    /* CPU time can't exceed wall time on one CPU, whatever else the machine does */
    ck_assert_msg(burst_number(&b, "factor") <= 1.1, "%g", burst_number(&b, "factor"));
    ck_assert(burst_number(&b, "running_max") == 1);
    ck_assert(burst_number(&b, "requests_max") == 6);
    ck_assert_msg(burst_number(&b, "loop_switches") > 12, "they did not take turns");
    ck_assert_msg(strstr(burst_why(&b), "one CPU") != NULL, "%s", burst_why(&b));
    burst_free(&b);
}
END_TEST

/* Answers that lay there while nobody looked are no work of the database. */
START_TEST(test_a_blocked_loop_gains_nothing)
{
    struct burst_result b =
        burst_run(server, NULL,
                  "[{\"path\":\"/db/sleep?ms=20\",\"count\":5},"
                  "{\"path\":\"/work?wait_ms=0&cpu_ms=400&run=loop-blocking\"}]");

    ck_assert_msg(burst_number(&b, "db_ms") > 400, "%g", burst_number(&b, "db_ms"));
    ck_assert_msg(burst_number(&b, "factor") < 1.5, "%g", burst_number(&b, "factor"));
    ck_assert_msg(strstr(burst_why(&b), "blocked the loop") != NULL, "%s", burst_why(&b));
    burst_free(&b);
}
END_TEST

START_TEST(test_a_shared_lock_makes_requests_wait_for_one_another)
{
    struct burst_result one =
        burst_run(server, NULL, "[{\"path\":\"/db/lock?key=9&ms=60\",\"count\":6}]");
    struct burst_result six =
        burst_run(server, NULL,
                  "[{\"path\":\"/db/lock?key=1&ms=60\"},{\"path\":\"/db/lock?key=2&ms=60\"},"
                  "{\"path\":\"/db/lock?key=3&ms=60\"},{\"path\":\"/db/lock?key=4&ms=60\"},"
                  "{\"path\":\"/db/lock?key=5&ms=60\"},{\"path\":\"/db/lock?key=6&ms=60\"}]");

    ck_assert(burst_number(&one, "wall_ms") >= 6 * 60);
    /* one after the other: 1, and a little for what the answers wait in the loop */
    ck_assert_msg(burst_number(&one, "factor") < 2, "%g", burst_number(&one, "factor"));
    ck_assert_ptr_nonnull(strstr(burst_why(&one), "lock"));
    ck_assert(burst_number(&six, "wall_ms") < burst_number(&one, "wall_ms"));
    ck_assert_msg(burst_number(&six, "factor") > 2, "%g", burst_number(&six, "factor"));
    burst_free(&one);
    burst_free(&six);
}
END_TEST

START_TEST(test_at_once_is_kept)
{
    struct burst_result b =
        burst_run(server, "at_once=3", "[{\"path\":\"/db/sleep?ms=20\",\"count\":12}]");

    ck_assert(burst_number(&b, "requests_max") == 3);
    ck_assert(burst_number(&b, "count") == 12);
    burst_free(&b);
}
END_TEST

START_TEST(test_a_gap_spreads_the_starts)
{
    struct burst_result b =
        burst_run(server, "gap_ms=20", "[{\"path\":\"/db/sleep?ms=0\",\"count\":5}]");
    double last = -1;

    for (size_t i = 0; i < json_array_size(b.lines); i++) {
        double at = json_number(json_array_get(b.lines, i), "start_ms");

        if (at > last)
            last = at;
    }
    ck_assert_msg(last >= 4 * 20, "the last one started after %g ms", last);
    burst_free(&b);
}
END_TEST

START_TEST(test_the_largest_burst_is_answered_whole)
{
    struct burst_result b = burst_run(
        server, NULL, "[{\"path\":\"/db\",\"count\":250},{\"path\":\"/plaintext\",\"count\":250}]");

    ck_assert_uint_eq(json_array_size(b.lines), 500);
    ck_assert(burst_number(&b, "failed") == 0);
    burst_free(&b);
}
END_TEST

START_TEST(test_fewer_connections_than_waits_is_said)
{
    static const char *const options[] = {"workers=0", "db_slow=2", NULL};
    struct server *small = server_start(options);
    struct burst_result b = burst_run(small, NULL, "[{\"path\":\"/db/sleep?ms=50\",\"count\":8}]");

    ck_assert(burst_number(&b, "wall_ms") >= 4 * 50);
    ck_assert_msg(strstr(burst_why(&b), "2 connections for slow queries") != NULL, "%s",
                  burst_why(&b));
    burst_free(&b);
    server_stop(small);
}
END_TEST

START_TEST(test_one_at_a_time_is_a_server_that_does_one_thing)
{
    static const char *const options[] = {"workers=0", "max_in_progress=1", "run=loop", NULL};
    struct server *single = server_start(options);
    struct burst_result b = burst_run(single, NULL, eight_tasks);

    ck_assert(burst_number(&b, "requests_max") == 1);
    ck_assert(burst_number(&b, "running_max") == 1);
    ck_assert(burst_number(&b, "wall_ms") >= 8 * 149);
    burst_free(&b);
    server_stop(single);
}
END_TEST

START_TEST(test_the_line_of_a_request_that_failed_says_why)
{
    struct burst_result b = burst_run(server, NULL, "[{\"path\":\"/db/sleep?ms=99999\"}]");
    json_t *line = json_array_get(b.lines, 0);

    ck_assert(burst_number(&b, "failed") == 1);
    ck_assert_int_eq(json_integer_value(json_object_get(line, "status")), 400);
    ck_assert_str_eq(json_string_value(json_object_get(line, "problem")), "/problems/out-of-range");
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(line, "detail")), "between 0 and 10000"));
    burst_free(&b);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_the_line_of_a_request_that_failed_says_why,
        test_neither_is_one_request_and_one_cpu_at_a_time,
        test_concurrency_only_is_eight_requests_on_one_cpu,
        test_parallelism_only_is_one_request_on_two_cpus,
        test_both_is_eight_requests_on_two_cpus,
        test_six_waits_on_one_thread_overlap,
        test_computations_taking_turns_on_one_cpu_have_factor_one,
        test_a_blocked_loop_gains_nothing,
        test_a_shared_lock_makes_requests_wait_for_one_another,
        test_at_once_is_kept,
        test_a_gap_spreads_the_starts,
        test_the_largest_burst_is_answered_whole,
        test_fewer_connections_than_waits_is_said,
        test_one_at_a_time_is_a_server_that_does_one_thing,
    };

    return suite_run_mode(
        suite_of("four ways", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
