/*
 * PostgreSQL dies, freezes, is full or locked, while steady load of all kinds goes on. During each
 * fault, and behind it:
 *
 *   /plaintext              200, always
 *   what needs PostgreSQL   200, 502, 503 or 504 within its limit; never 500, never nothing
 *   after the end of it     /db answers 200, and nothing else, within a second of the moment when
 *                           PostgreSQL itself takes a plain connection again
 *
 * The cluster is this test's own. What it measured stands in its log, a line for each fault.
 */
#include "cluster.h"
#include "steady.h"
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1e6

enum { BACK_MS = 1000, BACK_SLOWED_MS = 3000, PLACES = 40 };
/* A machine that is busy with other things has a little longer: so many connections' time. */
enum { SLOWNESS = 10 };
enum { GIVEN_UP_AT_ONCE = 4 }; /* connections, at most */

/* The limits: twice (one retry) what a query may wait and run, by the options below, and a second
 * for a machine that is busy with other things. */
enum { PLAINTEXT, DB, SLEEP, UPDATES, ROWS };
static const struct steady_row rows[ROWS] = {
    [PLAINTEXT] = {"/plaintext", 3, 2000, true, "Hello, World!"},
    [DB] = {"/db", 4, 4000, false, "randomNumber"},
    [SLEEP] = {"/db/sleep?ms=10", 3, 9000, false, "slept_ms"},
    [UPDATES] = {"/updates?queries=3", 3, 8000, false, "randomNumber"},
};
static const char *const options[] = {
    "workers=0",     "db_suspect=100ms", "db_fast_wait=1s", "db_answer=500ms",
    "db_connect=1s", "db_write_wait=2s", "db_slow_wait=2s", NULL,
};

static struct server *server;
static struct steady *load;
static struct pg_conn *super; /* a superuser's, for the faults; NULL: none now */
static pid_t stopped_postmaster;
static struct backends stopped;
static struct pg_conn *places[PLACES];
static unsigned nplaces;

static const char all_of_the_server[] =
    "select pid from pg_stat_activity where application_name = 'interleave'";

static void
start(void)
{
    char sql[64];

    cluster_open();
    super = cluster_superuser();
    snprintf(sql, sizeof(sql), "alter system set max_connections = %d", PLACES);
    database_run(super, sql);
    database_disconnect(super);
    super = NULL;
    cluster_stop();
    cluster_start();
    server = server_start(options);
    status_wait(server, "database.up", 1, 1);
}

static void
stop(void)
{
    server_stop(server);
    cluster_close();
}

static void
begin(void)
{
    super = cluster_superuser();
    load = steady_start(server, rows, ROWS);
    steady_wait_good(load, 10);
}

static void
drop_super(void)
{
    if (super != NULL)
        database_disconnect(super);
    super = NULL;
}

static void
give_places_back(void)
{
    while (nplaces > 0)
        database_disconnect(places[--nplaces]);
}

static void
wake_all(void)
{
    if (stopped_postmaster > 1)
        kill(stopped_postmaster, SIGCONT);
    stopped_postmaster = 0;
    backends_signal(&stopped, SIGCONT);
    stopped.count = 0;
}

/* Whatever a failed test has left. */
static void
calm(void)
{
    wake_all();
    give_places_back();
    drop_super();
    cluster_start();
    steady_drop(&load);
}

static int
status_of(const char *target)
{
    struct reply r = http_get(server, target);
    int status = r.status;

    reply_free(&r);
    return status;
}

/* The fault is over: waits until all is as before, judges, and prints what it was like. */
static void
end(const char *fault)
{
    const double within = strstr(server_binary(), "/san/") != NULL ? BACK_SLOWED_MS : BACK_MS;
    struct steady_count n[ROWS];
    double connect_ms, first, last = 0;
    const uint64_t accepts = cluster_wait_accepts(&connect_ms);
    const double limit = within + SLOWNESS * connect_ms;
    int status;

    while ((status = status_of("/db")) != 200)
        ck_assert_msg(status >= 502 && status <= 504 &&
                          steady_now_ns() < accepts + (uint64_t)(E2E_DEADLINE_MS * NS_PER_MS),
                      "%s: /db: %d", fault, status);
    first = (double)(steady_now_ns() - accepts) / NS_PER_MS;
    steady_wait_good(load, 20);
    steady_end(&load, n);
    drop_super();
    if (n[DB].last_refused_ns > accepts)
        last = (double)(n[DB].last_refused_ns - accepts) / NS_PER_MS;
    printf("%s: /db is back after %.0f ms, the last refusal came after %.0f ms; "
           "200 and refused: /plaintext %lu 0, /db %lu %lu, /db/sleep %lu %lu, /updates %lu %lu; "
           "longest %u, %u, %u, %u ms\n",
           fault, first, last, n[PLAINTEXT].good, n[DB].good, n[DB].refused, n[SLEEP].good,
           n[SLEEP].refused, n[UPDATES].good, n[UPDATES].refused, n[PLAINTEXT].longest_ms,
           n[DB].longest_ms, n[SLEEP].longest_ms, n[UPDATES].longest_ms);
    ck_assert_msg(first <= limit && last <= limit,
                  "%s: /db is back after %.0f ms, for good %.0f ms", fault, first, last);
}

/* ---- backends that die ---- */

START_TEST(test_one_backend_is_terminated)
{
    const double lost = status_number(server, "database.connections_lost");

    begin();
    database_run(super, "select pg_terminate_backend(pid) from pg_stat_activity "
                        "where application_name = 'interleave' and query like '%FROM world%' "
                        "limit 1");
    status_wait(server, "database.connections_lost", lost + 1, lost + 1);
    end("one backend terminated");
}
END_TEST

START_TEST(test_all_backends_are_terminated_again_and_again)
{
    const double lost = status_number(server, "database.connections_lost");

    begin();
    for (int i = 0; i < 5; i++) {
        struct backends b = cluster_backends(super, all_of_the_server);

        backends_signal(&b, SIGTERM);
        backends_wait_gone(&b);
        steady_wait_answers(load, DB, 20);
    }
    ck_assert(status_number(server, "database.connections_lost") >= lost + 5);
    end("all backends terminated");
}
END_TEST

/* PostgreSQL itself then ends all of them and recovers. */
static void
kill_backends(unsigned count, const char *fault)
{
    struct backends b, killed;

    begin();
    killed = b = cluster_backends(super, all_of_the_server);
    ck_assert_uint_gt(b.count, 1);
    killed.count = count < b.count ? count : b.count;
    backends_signal(&killed, SIGKILL);
    backends_wait_gone(&b);
    end(fault);
}

START_TEST(test_one_backend_is_killed)
{
    kill_backends(1, "one backend killed");
}
END_TEST

START_TEST(test_all_backends_are_killed)
{
    kill_backends(CLUSTER_BACKENDS, "all backends killed");
}
END_TEST

/* ---- processes that freeze ---- */

static void
freeze(const char *sql)
{
    stopped = cluster_backends(super, sql);
    ck_assert_uint_gt(stopped.count, 0);
    backends_signal(&stopped, SIGSTOP);
}

/* Between two statements: one that holds a lock of PostgreSQL's own would stop all of PostgreSQL.
 */
static void
freeze_idle(const char *sql)
{
    stopped = cluster_backends(super, sql);
    for (unsigned i = 0; i < stopped.count; i++) {
        const pid_t pid = stopped.pids[i];

        for (kill(pid, SIGSTOP); process_state(pid) != 'T' || !backend_is_idle(pid);
             kill(pid, SIGSTOP)) {
            kill(pid, SIGCONT);
            steady_wait_answers(load, PLAINTEXT, 1);
        }
    }
}

static void
freeze_postmaster(void)
{
    stopped_postmaster = cluster_postmaster();
    ck_assert_int_gt(stopped_postmaster, 1);
    kill(stopped_postmaster, SIGSTOP);
}

START_TEST(test_one_backend_of_each_kind_is_frozen)
{
    const double given_up = status_number(server, "database.given_up");

    begin();
    freeze_idle(
        "select min(pid) from pg_stat_activity where application_name = 'interleave' "
        "and query ~ 'SELECT id, randomnumber FROM world|UPDATE world|pg_sleep' group by query");
    ck_assert_uint_eq(stopped.count, 3);
    status_wait(server, "database.given_up", given_up + 2, given_up + 4);
    steady_wait_good(load, 20); /* while they are frozen */
    wake_all();
    end("one backend of each kind frozen");
}
END_TEST

START_TEST(test_all_backends_are_frozen)
{
    const double given_up = status_number(server, "database.given_up");

    begin();
    freeze(all_of_the_server);
    status_wait(server, "database.given_up", given_up + 2, given_up + 4);
    steady_wait_answers(load, DB, 50);
    wake_all();
    end("all backends frozen");
}
END_TEST

START_TEST(test_the_postmaster_is_frozen)
{
    struct backends b;

    begin();
    freeze_postmaster();
    steady_wait_good(load, 20); /* the connections that are there suffice */
    b = cluster_backends(super, all_of_the_server);
    backends_signal(&b, SIGTERM);
    status_wait(server, "database.up", 0, 0); /* nobody makes new ones now */
    steady_wait_answers(load, DB, 50);
    wake_all();
    end("postmaster frozen, all backends terminated");
}
END_TEST

START_TEST(test_all_of_postgresql_is_frozen)
{
    begin();
    freeze_postmaster();
    freeze(all_of_the_server);
    status_wait(server, "database.up", 0, 0);
    steady_wait_answers(load, DB, 50);
    wake_all();
    end("all of PostgreSQL frozen");
}
END_TEST

/* ---- PostgreSQL goes and comes back ---- */

START_TEST(test_postgresql_is_restarted)
{
    begin();
    cluster_stop();
    status_wait(server, "database.up", 0, 0);
    steady_wait_answers(load, DB, 50);
    cluster_start();
    end("restarted");
}
END_TEST

/* All of its processes go; another start recovers what they had. */
static void
crash(int signal_number, const char *fault)
{
    begin();
    cluster_crash(signal_number);
    status_wait(server, "database.up", 0, 0);
    steady_wait_answers(load, DB, 50);
    cluster_start();
    end(fault);
}

START_TEST(test_postgresql_crashes_at_once)
{
    crash(SIGQUIT, "crashed at once (immediate mode)");
}
END_TEST

START_TEST(test_the_postmaster_is_killed)
{
    crash(SIGKILL, "postmaster killed");
}
END_TEST

/* ---- PostgreSQL is there, for others ---- */

/* Others take every place that the server does not hold. */
static void
take_places(void)
{
    struct pg_conn *c;

    while ((c = cluster_connect()) != NULL) {
        ck_assert_uint_lt(nplaces, PLACES);
        places[nplaces++] = c;
    }
}

START_TEST(test_others_use_up_all_places)
{
    double all;

    begin();
    all = database_run(super, "select current_setting('max_connections')::int - "
                              "current_setting('superuser_reserved_connections')::int");
    take_places();
    steady_wait_good(load, 20); /* the connections that are there suffice */
    while (nplaces < all - 1) { /* one is the superuser's; then those that the server has, too */
        struct backends b = cluster_backends(super, all_of_the_server);

        backends_signal(&b, SIGTERM);
        backends_wait_gone(&b);
        take_places();
    }
    status_wait(server, "database.up", 0, 0);
    steady_wait_answers(load, DB, 50);
    ck_assert_int_eq(status_of("/db"), 503);
    give_places_back();
    end("places used up by others");
}
END_TEST

/* Those that join can't prepare; what was given up must not wait in PostgreSQL for ever more. */
START_TEST(test_somebody_locks_a_table)
{
    const double given_up = status_number(server, "database.given_up");

    begin();
    database_run(super, "begin; lock table interleave.world in access exclusive mode");
    status_wait(server, "database.up", 0, 0);
    status_wait(server, "database.given_up", given_up + GIVEN_UP_AT_ONCE + 2, 1e9);
    steady_wait_answers(load, DB, 50);
    ck_assert(database_run(super,
                           "select count(*) from pg_stat_activity where application_name = "
                           "'interleave' and wait_event_type = 'Lock'") <= GIVEN_UP_AT_ONCE + 1);
    database_run(super, "rollback");
    end("table locked");
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_one_backend_is_terminated,
        test_all_backends_are_terminated_again_and_again,
        test_one_backend_is_killed,
        test_all_backends_are_killed,
        test_one_backend_of_each_kind_is_frozen,
        test_all_backends_are_frozen,
        test_the_postmaster_is_frozen,
        test_all_of_postgresql_is_frozen,
        test_postgresql_is_restarted,
        test_postgresql_crashes_at_once,
        test_the_postmaster_is_killed,
        test_others_use_up_all_places,
        test_somebody_locks_a_table,
    };
    Suite *suite = suite_create("database_faults");
    TCase *tc = tcase_create("database_faults");

    tcase_add_unchecked_fixture(tc, start, stop);
    tcase_add_checked_fixture(tc, NULL, calm);
    tcase_set_timeout(tc, 60);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run_mode(suite, CK_NOFORK);
}
