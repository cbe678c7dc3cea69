/* links: server/db/conn.c server/db/control.c server/db/db.c server/db/entry.c server/db/join.c server/db/lookup.c server/db/pool.c server/db/queue.c server/db/read.c server/db/result.c server/db/send.c server/db/start.c server/db/status.c server/db/url.c server/db/watch.c server/common/buf.c server/common/clock.c server/common/log.c build/gen/statements.c tests/lib/db_world.c */
/*
 * PostgreSQL on a bad day: backends killed, frozen. The whole database away: test_db_away.c.
 */
#include "../lib/db_world.h"
#include "../lib/suite.h"
#include "common/buf.h"
#include "common/clock.h"

#include <signal.h>

static struct probe *const p = w.probes;

static void
begin(void)
{
    db_world_begin();
    w.conf.db_suspect = 100;
    w.conf.db_answer = 500;
}

/* ---- connections lost ---- */

static const char kill_all[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                               "WHERE application_name = 'interleave' AND datname = "
                               "'interleave_test_faults'";

START_TEST(test_reads_whose_connections_die_are_answered_by_new_ones)
{
    w.conf.db_suspect = w.conf.db_answer = 10000;
    db_world_open();
    side("BEGIN; LOCK TABLE interleave.world");
    for (int i = 0; i < 40; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    for (int i = 40; i < 45; i++)
        probe_start_int(&p[i], SQL_SLEEP, 1000);
    db_world_until(class_of(DB_FAST).running + class_of(DB_SLOW).running == 45);
    aside(kill_all);
    side("COMMIT");
    db_world_until(w.done == 45);
    ck_assert_uint_eq(probes_failed(45, FAIL_NONE), 45);
    ck_assert_uint_gt(class_of(DB_FAST).retried, 0);
    for (int i = 0; i < 45; i++)
        ck_assert_uint_eq(p[i].began, p[i].ended);
}
END_TEST

START_TEST(test_a_read_lost_twice_is_given_up)
{
    db_world_open();
    probe_start_int(p, SQL_SLEEP, 10000);
    for (int i = 0; i < 2; i++) {
        db_world_until(p->began == (unsigned)i + 1);
        aside(kill_all);
        db_world_until(p->ended == (unsigned)i + 1);
    }
    db_world_until(w.done == 1);
    ck_assert_int_eq(p->failure, FAIL_DB_LOST);
}
END_TEST

START_TEST(test_idle_connections_that_die_are_replaced)
{
    int old;

    db_world_open();
    old = backend_pid("%world%", 0);
    aside(kill_all);
    db_world_until(class_of(DB_FAST).connections < 2);
    db_world_until(class_of(DB_FAST).connections == 2);
    ck_assert_int_ne(backend_pid("%world%", 0), old);
    probe_start_int(p, SQL_WORLD_BY_ID, 1);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p->failure, FAIL_NONE);
}
END_TEST

/* ---- connections that do not answer ---- */

/* Stops the backend of the first fast connection. */
static int
freeze_one(void)
{
    int pid;

    probe_start_int(&p[PROBES - 1], SQL_WORLD_BY_ID, 1);
    db_world_until(p[PROBES - 1].done == 1);
    w.done = 0;
    pid = (int)aside("SELECT pid FROM pg_stat_activity WHERE application_name = 'interleave' AND "
                     "datname = 'interleave_test_faults' AND query LIKE '%%world%%' "
                     "ORDER BY state_change DESC LIMIT 1");
    ck_assert_int_gt(pid, 0);
    ck_assert_msg(kill(pid, SIGSTOP) == 0,
                  "this test must be allowed to stop PostgreSQL's backends");
    return pid;
}

START_TEST(test_a_frozen_backend_costs_one_query_the_others_go_elsewhere)
{
    int pid;

    db_world_open();
    pid = freeze_one();
    for (int i = 0; i < 20; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    db_world_until(w.done == 20);
    ck_assert_uint_eq(probes_failed(20, FAIL_NONE), 19);
    ck_assert_int_eq(p[0].failure, FAIL_DB_LATE);
    ck_assert_uint_eq(class_of(DB_FAST).retried, 19);
    db_world_until(class_of(DB_FAST).connections == 2);
    kill(pid, SIGCONT);
}
END_TEST

START_TEST(test_a_suspect_that_wakes_answers_and_is_used_again)
{
    int pid;

    w.conf.db_fast = 1;
    w.conf.db_answer = 10000;
    db_world_open();
    pid = freeze_one();
    for (int i = 0; i < 20; i++)
        probe_start_int(&p[i], SQL_WORLD_BY_ID, i + 1);
    for (uint64_t end = clock_ns() + 300 * NS_PER_MS; clock_ns() < end;)
        db_world_turn();
    ck_assert_uint_eq(w.done, 0);
    /* suspect: this one waits */
    probe_start_int(&p[20], SQL_WORLD_BY_ID, 21);
    db_world_turn();
    ck_assert_uint_eq(class_of(DB_FAST).waiting, 1);
    kill(pid, SIGCONT);
    db_world_until(w.done == 21);
    ck_assert_uint_eq(probes_failed(21, FAIL_NONE), 21);
    ck_assert_int_eq(backend_pid("%world%", 0), pid);
}
END_TEST

static long long
status_number(const char *member)
{
    struct buf b = {0};
    long long n;

    db_status_json(w.db, &b);
    buf_add_char(&b, '\0');
    n = aside("SELECT ('%s'::json->>'%s')::int", b.data, member);
    buf_fini(&b);
    return n;
}

START_TEST(test_at_most_four_frozen_backends_are_given_up)
{
    int pids[6];

    w.conf.db_fast = 1;
    db_world_open();
    for (int i = 0; i < 4; i++) {
        pids[i] = freeze_one();
        probe_start_int(&p[i], SQL_WORLD_BY_ID, 1);
        db_world_until(p[i].done == 1);
        ck_assert_int_eq(p[i].failure, FAIL_DB_LATE);
        db_world_until(class_of(DB_FAST).connections == 1);
    }
    ck_assert_int_eq(status_number("given_up_now"), 4);
    /* the fifth stays, and wakes */
    pids[4] = freeze_one();
    probe_start_int(&p[4], SQL_WORLD_BY_ID, 1);
    db_world_until(p[4].done == 1);
    ck_assert_int_eq(p[4].failure, FAIL_DB_LATE);
    ck_assert_int_eq(status_number("given_up"), 4);
    kill(pids[4], SIGCONT);
    probe_start_int(&p[5], SQL_WORLD_BY_ID, 1);
    db_world_until(p[5].done == 1);
    ck_assert_int_eq(p[5].failure, FAIL_NONE);
    ck_assert_int_eq(status_number("connections_lost"), 4);
    /* those that wake find that they are to end */
    for (int i = 0; i < 4; i++)
        kill(pids[i], SIGCONT);
    w.ahead_ns = NS_PER_S;
    db_world_until(status_number("given_up_now") == 0);
}
END_TEST

START_TEST(test_a_frozen_slow_backend_is_given_up_after_its_client)
{
    int pid;

    w.conf.db_slow = 1;
    db_world_open();
    probe_start_int(&p[0], SQL_SLEEP, 10000);
    side_until("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = "
               "'interleave_test_faults' AND wait_event = 'PgSleep'",
               1);
    pid = backend_pid("%pg\\_sleep%", 0);
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    db_release(&p[0].q);
    probe_start_int(&p[1], SQL_SLEEP, 0);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[1].failure, FAIL_NONE);
    ck_assert_int_eq(status_number("given_up"), 1);
    kill(pid, SIGCONT);
    w.ahead_ns = NS_PER_S;
    db_world_until(status_number("given_up_now") == 0);
}
END_TEST

START_TEST(test_an_idle_connection_that_froze_is_noticed_without_a_query)
{
    int pid;

    db_world_open();
    pid = freeze_one();
    w.ahead_ns = 6 * NS_PER_S;
    db_world_until(status_number("given_up") == 1);
    db_world_until(class_of(DB_FAST).connections == 2);
    ck_assert_uint_eq(class_of(DB_FAST).dropped_late, 0);
    kill(pid, SIGCONT);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db_faults");
    TCase *tc = tcase_create("db_faults");
    int result;

    tcase_add_checked_fixture(tc, begin, db_world_end);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_reads_whose_connections_die_are_answered_by_new_ones);
    tcase_add_test(tc, test_a_read_lost_twice_is_given_up);
    tcase_add_test(tc, test_idle_connections_that_die_are_replaced);
    tcase_add_test(tc, test_a_frozen_backend_costs_one_query_the_others_go_elsewhere);
    tcase_add_test(tc, test_a_suspect_that_wakes_answers_and_is_used_again);
    tcase_add_test(tc, test_at_most_four_frozen_backends_are_given_up);
    tcase_add_test(tc, test_a_frozen_slow_backend_is_given_up_after_its_client);
    tcase_add_test(tc, test_an_idle_connection_that_froze_is_noticed_without_a_query);
    suite_add_tcase(suite, tc);
    db_world_create("interleave_test_faults", "");
    result = suite_run(suite);
    db_world_drop();
    return result;
}
