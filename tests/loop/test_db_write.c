/* links: server/db/conn.c server/db/control.c server/db/db.c server/db/entry.c server/db/join.c server/db/lookup.c server/db/pool.c server/db/queue.c server/db/read.c server/db/result.c server/db/send.c server/db/start.c server/db/status.c server/db/url.c server/db/watch.c server/common/buf.c server/common/clock.c server/common/log.c tests/lib/db_world.c */
/*
 * Writes: each a transaction of its own, told when it is committed, never sent twice. The table of
 * statements is one of this test, with two writes in the places of the report and the sleep.
 */
#include "../lib/db_world.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "db/statement.h"

#include <stdio.h>

#define TEST_INT4 23

const struct db_statement_row db_statement_table[DB_STATEMENTS] = {
    [SQL_CACHED_WORLDS] = {"cached_worlds", "SELECT $1", {TEST_INT4}, DB_FAST, 1},
    [SQL_CANCEL_BACKEND] =
        {"cancel_backend", "SELECT pg_cancel_backend($1)", {TEST_INT4}, DB_CONTROL, 1},
    [SQL_FORTUNES] = {"fortunes", "SELECT 1", {0}, DB_FAST, 0},
    [SQL_LOCK] = {"lock", "SELECT $1, $2", {TEST_INT4, TEST_INT4}, DB_SLOW, 2},
    [SQL_PING] = {"ping", "SELECT 1", {0}, DB_FAST, 0},
    /* the number is unique, but that is checked at the commit only */
    [SQL_REPORT] = {"write", "INSERT INTO written (n) VALUES ($1)", {TEST_INT4}, DB_WRITE, 1},
    [SQL_SLEEP] = {"slow_write",
                   "INSERT INTO written (n) SELECT $1 FROM pg_advisory_xact_lock_shared(7203, 1)",
                   {TEST_INT4},
                   DB_WRITE,
                   1},
    [SQL_TERMINATE_BACKEND] =
        {"terminate_backend", "SELECT 1 WHERE $1 = 0", {TEST_INT4}, DB_CONTROL, 1},
    [SQL_UPDATE_WORLDS] = {"update_worlds", "SELECT $1, $2", {TEST_INT4, TEST_INT4}, DB_WRITE, 2},
    [SQL_WATCH_CLIENT] = {"watch_client", "SELECT 1", {0}, DB_SLOW, 0},
    [SQL_WORLD_BY_ID] = {"world_by_id", "SELECT $1", {TEST_INT4}, DB_FAST, 1},
};

enum { SQL_WRITE = SQL_REPORT, SQL_SLOW_WRITE = SQL_SLEEP };

static struct probe *const p = w.probes;

static void
begin(void)
{
    db_world_begin();
    side("TRUNCATE interleave.written");
}

START_TEST(test_a_write_that_was_told_is_there)
{
    db_world_open();
    for (int i = 0; i < 50; i++)
        probe_start_int(&p[i], (enum db_statement)SQL_WRITE, i);
    db_world_until(w.done == 50);
    ck_assert_uint_eq(probes_failed(50, FAIL_NONE), 50);
    ck_assert_int_eq(side("SELECT count(*) FROM interleave.written"), 50);
    ck_assert_uint_le(class_of(DB_WRITE).connections, 4);
}
END_TEST

START_TEST(test_a_write_whose_commit_fails_has_failed)
{
    db_world_open();
    side("INSERT INTO interleave.written VALUES (7)");
    for (int i = 0; i < 20; i++)
        probe_start_int(&p[i], (enum db_statement)SQL_WRITE, i);
    db_world_until(w.done == 20);
    ck_assert_int_eq(p[7].failure, FAIL_DB_QUERY);
    ck_assert_str_eq(p[7].q.sqlstate, "23505");
    ck_assert_uint_eq(probes_failed(20, FAIL_NONE), 19);
    ck_assert_int_eq(side("SELECT count(*) FROM interleave.written"), 20);
    ck_assert_uint_eq(class_of(DB_WRITE).retried, 0);
}
END_TEST

/* A write that has not ended, and whose backend is known. */
static int
hang_one(struct probe *write, int n)
{
    side("SELECT pg_advisory_lock(7203, 1)");
    probe_start_int(write, (enum db_statement)SQL_SLOW_WRITE, n);
    side_until("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND "
               "database = (SELECT oid FROM pg_database WHERE datname = 'interleave_test_write')",
               1);
    return backend_pid("%pg\\_advisory%", 0);
}

START_TEST(test_a_write_lost_with_its_connection_is_not_sent_again)
{
    int pid;

    db_world_open();
    pid = hang_one(&p[0], 1);
    aside("SELECT pg_terminate_backend(%d)", pid);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[0].failure, FAIL_DB_OUTCOME_UNKNOWN);
    ck_assert_uint_eq(p[0].began, 1);
    ck_assert_uint_eq(p[0].ended, 1);
    side("SELECT pg_advisory_unlock(7203, 1)");
    probe_start_int(&p[1], (enum db_statement)SQL_WRITE, 2);
    db_world_until(w.done == 2);
    ck_assert_int_eq(p[1].failure, FAIL_NONE);
    ck_assert_int_eq(side("SELECT sum(n) FROM interleave.written"), 2);
}
END_TEST

START_TEST(test_a_write_nobody_waits_for_is_not_cancelled)
{
    db_world_open();
    (void)hang_one(&p[0], 5);
    db_release(&p[0].q);
    probe_start_int(&p[1], (enum db_statement)SQL_WRITE, 6);
    db_world_until(p[1].done == 1);
    side("SELECT pg_advisory_unlock(7203, 1)");
    db_world_until(class_of(DB_WRITE).dropped_late == 1);
    ck_assert_int_eq(side("SELECT sum(n) FROM interleave.written"), 11);
}
END_TEST

START_TEST(test_a_write_that_takes_too_long_is_late)
{
    w.conf.db_write_wait = 300;
    db_world_open();
    (void)hang_one(&p[0], 1);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[0].failure, FAIL_DB_LATE);
    ck_assert_uint_eq(class_of(DB_WRITE).retried, 0);
    side("SELECT pg_advisory_unlock(7203, 1)");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db_write");
    TCase *tc = tcase_create("db_write");
    int result;

    tcase_add_checked_fixture(tc, begin, db_world_end);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_a_write_that_was_told_is_there);
    tcase_add_test(tc, test_a_write_whose_commit_fails_has_failed);
    tcase_add_test(tc, test_a_write_lost_with_its_connection_is_not_sent_again);
    tcase_add_test(tc, test_a_write_nobody_waits_for_is_not_cancelled);
    tcase_add_test(tc, test_a_write_that_takes_too_long_is_late);
    suite_add_tcase(suite, tc);
    db_world_create("interleave_test_write", "CREATE TABLE interleave.written "
                                             "(n int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    result = suite_run(suite);
    db_world_drop();
    return result;
}
