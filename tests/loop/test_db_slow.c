/* links: server/db/conn.c server/db/control.c server/db/db.c server/db/entry.c server/db/join.c server/db/lookup.c server/db/pool.c server/db/queue.c server/db/read.c server/db/result.c server/db/send.c server/db/start.c server/db/status.c server/db/url.c server/db/watch.c server/common/buf.c server/common/clock.c server/common/log.c build/gen/statements.c tests/lib/db_world.c */
/*
 * Slow queries on a good day: connections of their own, cancelled where they run, closed when idle.
 */
#include "../lib/db_world.h"
#include "../lib/suite.h"
#include "common/clock.h"

static struct probe *const p = w.probes;

/* Really: while its text is only prepared, a statement counts as "active", too. */
static const char sleeping[] =
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
    "AND application_name = 'interleave' AND datname = 'interleave_test_slow'";

START_TEST(test_slow_queries_do_not_delay_fast_ones)
{
    db_world_open();
    for (int i = 0; i < 8; i++)
        probe_start_int(&p[i], SQL_SLEEP, 10000);
    side_until(sleeping, 8);
    for (int i = 8; i < 100; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i);
    db_world_until(w.done == 92);
    ck_assert_uint_eq(class_of(DB_SLOW).running, 8);
}
END_TEST

START_TEST(test_a_released_query_frees_its_backend_and_its_connection_goes_on)
{
    uint64_t released;

    w.conf.db_slow = 1;
    db_world_open();
    probe_start_int(&p[0], SQL_SLEEP, 10000);
    side_until(sleeping, 1);
    released = clock_ns();
    db_release(&p[0].q);
    side_until(sleeping, 0);
    ck_assert_uint_lt(clock_ns() - released, 2 * NS_PER_S);
    probe_start_int(&p[1], SQL_SLEEP, 0);
    db_world_until(p[1].done == 1);
    ck_assert_int_eq(p[1].failure, FAIL_NONE);
    ck_assert_uint_eq(p[0].done + p[0].ended, 0);
    ck_assert_uint_eq(class_of(DB_SLOW).dropped_late, 1);
    ck_assert_int_eq(aside("SELECT count(*) FROM pg_stat_activity WHERE application_name = "
                           "'interleave' AND datname = 'interleave_test_slow'"),
                     4); /* two fast, one slow, control */
}
END_TEST

START_TEST(test_queries_released_in_the_turn_of_their_start_leave_no_trace)
{
    db_world_open();
    for (int i = 0; i < 50; i++)
        probe_start_int(&p[i], i % 2 ? SQL_SLEEP : SQL_WORLD_BY_ID, 1);
    for (int i = 0; i < 50; i++)
        db_release(&p[i].q);
    probe_start_int(&p[50], SQL_WORLD_BY_ID, 1);
    db_world_until(p[50].done == 1);
    ck_assert_uint_eq(w.done, 1);
    ck_assert_uint_eq(class_of(DB_FAST).queries, 1);
    ck_assert_uint_eq(class_of(DB_SLOW).connections + class_of(DB_SLOW).waiting, 0);
}
END_TEST

START_TEST(test_late_answers_of_released_reads_are_dropped)
{
    db_world_open();
    for (int i = 0; i < 40; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_turn_end(w.db);
    for (int i = 0; i < 40; i += 2)
        db_release(&p[i].q);
    db_world_until(w.done == 20 && class_of(DB_FAST).running == 0);
    ck_assert_uint_eq(class_of(DB_FAST).dropped_late, 20);
}
END_TEST

START_TEST(test_more_slow_queries_than_connections_take_turns)
{
    unsigned most = 0;

    w.conf.db_slow = 2;
    db_world_open();
    for (int i = 0; i < 9; i++)
        probe_start_int(&p[i], SQL_SLEEP, 20);
    for (uint64_t end = db_world_patience(); w.done < 9 && db_world_in_time(end);) {
        db_world_turn();
        if (class_of(DB_SLOW).running > most)
            most = class_of(DB_SLOW).running;
    }
    ck_assert_uint_eq(probes_failed(9, FAIL_NONE), 9);
    ck_assert_uint_eq(most, 2);
    ck_assert_uint_gt(spans_of(SPAN_QUEUE), 6);
    ck_assert_uint_ge(p[8].q.ticket.usage.queue_ns, 60 * NS_PER_MS);
}
END_TEST

static const char waiting_for_locks[] =
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7203 AND NOT granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = 'interleave_test_slow')";

START_TEST(test_a_lock_tells_how_long_it_was_waited_for)
{
    const char *const params[] = {"5", "30"};

    db_world_open();
    side("SELECT pg_advisory_lock(7203, 5)");
    p[0].keep = p[1].keep = true;
    probe_start(&p[0], SQL_LOCK, params, 2, 0);
    side_until(waiting_for_locks, 1);
    side("SELECT pg_advisory_unlock(7203, 5)");
    db_world_until(w.done == 1);
    probe_start(&p[1], SQL_LOCK, params, 2, 0);
    db_world_until(w.done == 2);
    ck_assert_uint_eq(probes_failed(2, FAIL_NONE), 2);
    ck_assert_int_gt(db_int(&p[0].q, 0, 0), 0);
    ck_assert_int_ge(db_int(&p[0].q, 0, 1), 30000);
    ck_assert_int_eq(db_int(&p[1].q, 0, 0), 0);
    ck_assert_int_ge(db_int(&p[1].q, 0, 1), 30000);
}
END_TEST

START_TEST(test_a_lock_that_others_hold_is_waited_for)
{
    const char *const params[] = {"6", "0"};

    db_world_open();
    side("SELECT pg_advisory_lock(7203, 6)");
    for (int i = 0; i < 8; i++)
        probe_start(&p[i], SQL_LOCK, params, 2, 0);
    side_until(waiting_for_locks, 8);
    ck_assert_uint_eq(w.done, 0);
    side("SELECT pg_advisory_unlock(7203, 6)");
    db_world_until(w.done == 8);
    ck_assert_uint_eq(probes_failed(8, FAIL_NONE), 8);
}
END_TEST

START_TEST(test_the_report_adds_up_what_is_there)
{
    int64_t orders = 0;

    db_world_open();
    p->keep = true;
    probe_start_int(p, SQL_REPORT, 365);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p->failure, FAIL_NONE);
    ck_assert_int_eq(db_rows(&p->q), 24);
    ck_assert_str_eq(db_column_name(&p->q, 2), "orders");
    ck_assert(!db_column_is_number(&p->q, 0));
    ck_assert(db_column_is_number(&p->q, 2));
    for (int i = 0; i < db_rows(&p->q); i++)
        orders += db_int(&p->q, i, 2);
    ck_assert_int_eq(orders, 200000);
}
END_TEST

START_TEST(test_slow_connections_are_closed_after_a_minute_and_fast_ones_stay)
{
    const char *const params[] = {"8", "0"};

    db_world_open();
    side("SELECT pg_advisory_lock(7203, 8)");
    for (int i = 0; i < 3; i++)
        probe_start(&p[i], SQL_LOCK, params, 2, 0);
    side_until(waiting_for_locks, 3);
    side("SELECT pg_advisory_unlock(7203, 8)");
    db_world_until(w.done == 3);
    ck_assert_uint_eq(class_of(DB_SLOW).connections, 3);
    w.ahead_ns = 61 * NS_PER_S;
    db_world_until(class_of(DB_SLOW).connections == 0);
    ck_assert_uint_eq(class_of(DB_FAST).connections, 2);
    probe_start_int(&p[3], SQL_SLEEP, 1);
    db_world_until(p[3].done == 1);
    ck_assert_int_eq(p[3].failure, FAIL_NONE);
}
END_TEST

START_TEST(test_slow_connections_are_ready_before_a_query_needs_one)
{
    struct db_class_status slow;

    w.conf.db_slow_ready = 3;
    db_world_open();
    db_world_until((db_class_status(w.db, DB_SLOW, &slow), slow.connections == 3));
    for (int i = 0; i < 3; i++)
        probe_start_int(&p[i], SQL_SLEEP, 1);
    db_world_until(w.done == 3);
    db_class_status(w.db, DB_SLOW, &slow);
    ck_assert_uint_eq(slow.connections, 3);
    ck_assert_uint_eq(slow.queries, 3);

    w.ahead_ns += 61 * NS_PER_S; /* closed for their age, and opened anew */
    db_world_until((db_class_status(w.db, DB_SLOW, &slow), slow.connections < 3));
    db_world_until((db_class_status(w.db, DB_SLOW, &slow), slow.connections == 3));
}
END_TEST

START_TEST(test_backends_of_slow_queries_end_soon_after_their_front_end)
{
    struct db *killed;

    db_world_open();
    probe_start_int(&p[0], SQL_SLEEP, 10000);
    side_until(sleeping, 1);
    /* closing the sockets without a word is all that a killed process does */
    killed = w.db;
    db_release(&p[0].q);
    w.db = db_open(w.base, &w.conf, NULL);
    db_close(killed);
    side_until(sleeping, 0);
}
END_TEST

START_TEST(test_a_full_queue_refuses_at_once)
{
    w.conf.db_slow = 1;
    w.conf.db_slow_queue = 3;
    db_world_open();
    probe_start_int(&p[0], SQL_SLEEP, 10000);
    side_until(sleeping, 1);
    for (int i = 1; i < 6; i++)
        probe_start_int(&p[i], SQL_SLEEP, 10000);
    ck_assert_uint_eq(w.done, 0);
    db_world_turn();
    ck_assert_uint_eq(probes_failed(6, FAIL_DB_FULL), 2);
    ck_assert_int_eq(p[4].failure, FAIL_DB_FULL);
    ck_assert_uint_eq(p[4].began + p[4].ended, 0);
    ck_assert_uint_eq(class_of(DB_SLOW).refused, 2);
    ck_assert_uint_eq(class_of(DB_SLOW).waiting, 3);
}
END_TEST

START_TEST(test_a_query_that_runs_too_long_is_late_and_cancelled)
{
    w.conf.db_slow = 1;
    w.conf.db_slow_wait = 300;
    db_world_open();
    probe_start_int(&p[0], SQL_SLEEP, 10000);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[0].failure, FAIL_DB_LATE);
    ck_assert_uint_eq(p[0].ended, 1);
    side_until(sleeping, 0);
    probe_start_int(&p[1], SQL_SLEEP, 0);
    db_world_until(w.done == 2);
    ck_assert_int_eq(p[1].failure, FAIL_NONE);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db_slow");
    TCase *tc = tcase_create("db_slow");
    int result;

    tcase_add_checked_fixture(tc, db_world_begin, db_world_end);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_slow_queries_do_not_delay_fast_ones);
    tcase_add_test(tc, test_a_released_query_frees_its_backend_and_its_connection_goes_on);
    tcase_add_test(tc, test_queries_released_in_the_turn_of_their_start_leave_no_trace);
    tcase_add_test(tc, test_late_answers_of_released_reads_are_dropped);
    tcase_add_test(tc, test_more_slow_queries_than_connections_take_turns);
    tcase_add_test(tc, test_a_lock_tells_how_long_it_was_waited_for);
    tcase_add_test(tc, test_a_lock_that_others_hold_is_waited_for);
    tcase_add_test(tc, test_the_report_adds_up_what_is_there);
    tcase_add_test(tc, test_slow_connections_are_closed_after_a_minute_and_fast_ones_stay);
    tcase_add_test(tc, test_slow_connections_are_ready_before_a_query_needs_one);
    tcase_add_test(tc, test_backends_of_slow_queries_end_soon_after_their_front_end);
    tcase_add_test(tc, test_a_full_queue_refuses_at_once);
    tcase_add_test(tc, test_a_query_that_runs_too_long_is_late_and_cancelled);
    suite_add_tcase(suite, tc);
    db_world_create("interleave_test_slow", "");
    result = suite_run(suite);
    db_world_drop();
    return result;
}
