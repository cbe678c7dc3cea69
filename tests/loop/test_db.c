/* links: server/db/conn.c server/db/control.c server/db/db.c server/db/entry.c server/db/join.c server/db/lookup.c server/db/pool.c server/db/queue.c server/db/read.c server/db/result.c server/db/send.c server/db/start.c server/db/status.c server/db/url.c server/db/watch.c server/common/buf.c server/common/clock.c server/common/log.c build/gen/statements.c tests/lib/db_world.c */
/*
 * Queries on a good day: what is sent together, what waits where. Those that wait in PostgreSQL:
 * test_db_slow.c.
 */
#include "../lib/db_world.h"
#include "../lib/suite.h"
#include "common/buf.h"
#include "common/clock.h"

#include <string.h>

static struct probe *const p = w.probes;

static int64_t
random_number_of(int64_t id)
{
    return 1 + id * 48271 % 2147483647 % 10000;
}

/* ---- fast ---- */

START_TEST(test_a_row_is_read)
{
    size_t len;

    db_world_open();
    p->keep = true;
    probe_start_int(p, SQL_WORLD_BY_ID, 4711);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p->failure, FAIL_NONE);
    ck_assert_int_eq(db_rows(&p->q), 1);
    ck_assert_int_eq(db_columns(&p->q), 2);
    ck_assert_int_eq(db_int(&p->q, 0, 0), 4711);
    ck_assert_int_eq(db_int(&p->q, 0, 1), random_number_of(4711));
    ck_assert_str_eq(db_text(&p->q, 0, 0, &len), "4711");
    ck_assert_uint_eq(len, 4);
    ck_assert(!db_is_null(&p->q, 0, 1));
    ck_assert_uint_eq(p->q.ticket.usage.tasks, 1);
    ck_assert_uint_gt(p->q.ticket.usage.db_ns, 0);
}
END_TEST

START_TEST(test_a_starter_calls_nobody_back_before_it_returns)
{
    db_world_open();
    probe_start_int(p, SQL_WORLD_BY_ID, 1);
    ck_assert_uint_eq(p->began + p->ended + p->done, 0);
    db_world_until(w.done == 1);
    ck_assert_uint_eq(p->began, 1);
    ck_assert_uint_eq(p->ended, 1);
}
END_TEST

START_TEST(test_what_is_started_after_the_end_of_a_turn_goes_out_with_the_next_one)
{
    db_world_open();
    event_del(w.heartbeat);
    probe_start_int(p, SQL_WORLD_BY_ID, 1);
    event_base_loop(w.base, EVLOOP_ONCE);
    ck_assert_uint_eq(p->began, 0);
    db_turn_end(w.db);
    ck_assert_uint_eq(p->began, 1);
    /* the coarse timer comes after 20 ms */
    ck_assert_uint_lt(p->q.ticket.usage.queue_ns, 15 * NS_PER_MS);
}
END_TEST

START_TEST(test_queries_of_one_turn_are_one_batch)
{
    db_world_open();
    for (int i = 0; i < 20; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_world_until(w.done == 20 && spans_of(SPAN_BATCH) > 0);
    ck_assert_uint_eq(probes_failed(20, FAIL_NONE), 20);
    ck_assert_uint_eq(spans_of(SPAN_BATCH), 1);
    ck_assert_uint_eq(spans_of(SPAN_QUERY), 20);
    for (unsigned i = 0; i < w.nspans; i++)
        if (w.spans[i].kind == SPAN_BATCH)
            ck_assert_uint_eq(w.spans[i].arg, 20);
}
END_TEST

START_TEST(test_many_queries_spread_over_the_connections_and_all_are_answered)
{
    bool lanes[2] = {false, false};

    db_world_open();
    for (int i = 0; i < 100; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_world_until(w.done == 100);
    ck_assert_uint_eq(probes_failed(100, FAIL_NONE), 100);
    for (unsigned i = 0; i < w.nspans; i++)
        if (w.spans[i].kind == SPAN_QUERY)
            lanes[w.spans[i].lane - LANE_DB_FAST] = true;
    ck_assert(lanes[0] && lanes[1]);
}
END_TEST

START_TEST(test_more_queries_than_all_connections_take_are_answered_in_the_end)
{
    w.conf.db_fast = 1;
    db_world_open();
    for (int i = 0; i < PROBES; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_turn_end(w.db);
    ck_assert_uint_gt(class_of(DB_FAST).waiting, 0);
    db_world_until(w.done == PROBES);
    ck_assert_uint_eq(probes_failed(PROBES, FAIL_NONE), PROBES);
}
END_TEST

START_TEST(test_with_a_sync_per_query_each_query_is_a_batch)
{
    w.conf.db_sync = SYNC_QUERY;
    db_world_open();
    for (int i = 0; i < 20; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_world_until(w.done == 20 && spans_of(SPAN_BATCH) == 20);
    ck_assert_uint_eq(probes_failed(20, FAIL_NONE), 20);
}
END_TEST

/* ---- errors ---- */

START_TEST(test_one_bad_query_of_a_batch_fails_alone)
{
    const char *const bad[] = {"no number"};

    db_world_open();
    for (int i = 0; i < 21; i++)
        if (i == 7)
            probe_start(&p[i], SQL_WORLD_BY_ID, bad, 1, 0);
        else
            probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_world_until(w.done == 21);
    ck_assert_uint_eq(probes_failed(21, FAIL_NONE), 20);
    ck_assert_int_eq(p[7].failure, FAIL_DB_QUERY);
    ck_assert_str_eq(p[7].q.sqlstate, "22P02");
    ck_assert_ptr_nonnull(strstr(p[7].q.error, "no number"));
    ck_assert_uint_eq(class_of(DB_FAST).retried, 13);
    ck_assert_uint_eq(p[8].began, 2);
    ck_assert_uint_eq(p[8].ended, 2);
}
END_TEST

START_TEST(test_several_bad_queries_of_a_batch_fail_each_for_itself)
{
    const char *const bad[] = {"no number"};

    db_world_open();
    for (int i = 0; i < 12; i++)
        if (i % 3 == 0)
            probe_start(&p[i], SQL_WORLD_BY_ID, bad, 1, 0);
        else
            probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_world_until(w.done == 12);
    ck_assert_uint_eq(probes_failed(12, FAIL_NONE), 8);
    ck_assert_uint_eq(probes_failed(12, FAIL_DB_QUERY), 4);
}
END_TEST

/* ---- bounds ---- */

START_TEST(test_a_query_that_waits_too_long_in_its_queue_is_refused)
{
    w.conf.db_slow = 1;
    w.conf.db_slow_wait = 300;
    db_world_open();
    side("SELECT pg_advisory_lock(7203, 7)");
    probe_start(&p[0], SQL_LOCK, (const char *const[]){"7", "0"}, 2, clock_ns() + 60 * NS_PER_S);
    probe_start_int(&p[1], SQL_SLEEP, 0);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[1].failure, FAIL_DB_FULL);
    ck_assert_uint_ge(p[1].q.ticket.usage.queue_ns, 300 * NS_PER_MS);
    side("SELECT pg_advisory_unlock(7203, 7)");
    db_world_until(w.done == 2);
    ck_assert_int_eq(p[0].failure, FAIL_NONE);
}
END_TEST

START_TEST(test_a_deadline_of_its_own_counts_from_the_start)
{
    const char *const params[] = {"10000"};

    w.conf.db_slow = 1;
    db_world_open();
    probe_start(&p[0], SQL_SLEEP, params, 1, clock_ns() + 200 * NS_PER_MS);
    probe_start(&p[1], SQL_SLEEP, params, 1, clock_ns() + 100 * NS_PER_MS);
    db_world_until(w.done == 2);
    ck_assert_uint_eq(probes_failed(2, FAIL_DB_LATE), 2);
    ck_assert_uint_eq(p[1].began, 0);
}
END_TEST

START_TEST(test_the_status_is_json_with_every_class)
{
    struct buf b = {0};

    db_world_open();
    probe_start_int(&p[0], SQL_WORLD_BY_ID, 1);
    db_world_until(w.done == 1);
    db_status_json(w.db, &b);
    buf_add_char(&b, '\0');
    ck_assert_int_eq(side("SELECT (j->'fast'->>'queries')::int * 10 + (j->>'up')::boolean::int + "
                          "(j->'slow'->>'connections_max')::int * 100 + "
                          "(j->'write'->>'running')::int FROM (SELECT '%s'::json AS j) AS t",
                          b.data),
                     811);
    buf_fini(&b);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db");
    TCase *tc = tcase_create("db");
    int result;

    tcase_add_checked_fixture(tc, db_world_begin, db_world_end);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_a_row_is_read);
    tcase_add_test(tc, test_a_starter_calls_nobody_back_before_it_returns);
    tcase_add_test(tc, test_what_is_started_after_the_end_of_a_turn_goes_out_with_the_next_one);
    tcase_add_test(tc, test_queries_of_one_turn_are_one_batch);
    tcase_add_test(tc, test_many_queries_spread_over_the_connections_and_all_are_answered);
    tcase_add_test(tc, test_more_queries_than_all_connections_take_are_answered_in_the_end);
    tcase_add_test(tc, test_with_a_sync_per_query_each_query_is_a_batch);
    tcase_add_test(tc, test_one_bad_query_of_a_batch_fails_alone);
    tcase_add_test(tc, test_several_bad_queries_of_a_batch_fail_each_for_itself);
    tcase_add_test(tc, test_a_query_that_waits_too_long_in_its_queue_is_refused);
    tcase_add_test(tc, test_a_deadline_of_its_own_counts_from_the_start);
    tcase_add_test(tc, test_the_status_is_json_with_every_class);
    suite_add_tcase(suite, tc);
    db_world_create("interleave_test_db", "");
    result = suite_run(suite);
    db_world_drop();
    return result;
}
