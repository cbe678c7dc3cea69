/*
 * PostgreSQL as it is on a bad day: away, back, its backends terminated, frozen, its tables locked.
 * The server stays up, answers what needs no database, and recovers by itself. Uses a cluster of
 * its own, since it stops and starts it.
 */
#include "cluster.h"
#include "suite.h"

#include <signal.h>
#include <unistd.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=0", "db_suspect=100ms", "db_answer=400ms", NULL};

    cluster_open();
    server = server_start(options);
    status_wait(server, "database.up", 1, 1);
}

static void
stop(void)
{
    server_stop(server);
    cluster_close();
}

static int
status_of(const char *target)
{
    struct reply r = http_get(server, target);
    int status = r.status;

    reply_free(&r);
    return status;
}

/* Asks until /db answers 200 again. */
static void
wait_for_db(void)
{
    status_wait(server, "database.up", 1, 1);
    while (status_of("/db") != 200)
        ; /* the test's own time limit ends this */
}

START_TEST(test_fifty_requests_wait_for_a_lock_while_others_are_answered)
{
    struct pg_conn *pg = database_connect();
    int fds[50];

    database_run(pg, "select pg_advisory_lock(7203, 5)");
    for (int i = 0; i < 50; i++) {
        fds[i] = client_connect(server);
        client_send_get(fds[i], "/db/lock?key=5&ms=0");
    }
    status_wait(server, "requests.in_progress", 50, 50);
    status_wait(server, "database.slow.running", 50, 50);
    ck_assert_int_eq(status_of("/livez"), 200);
    ck_assert_int_eq(status_of("/plaintext"), 200);
    ck_assert_int_eq(status_of("/db"), 200);
    database_run(pg, "select pg_advisory_unlock(7203, 5)");
    for (int i = 0; i < 50; i++) {
        struct reply r;

        ck_assert(client_read_reply(fds[i], &r, false));
        ck_assert_int_eq(r.status, 200);
        reply_free(&r);
        close(fds[i]);
    }
    database_disconnect(pg);
}
END_TEST

START_TEST(test_terminated_backends_under_load_lose_no_answer)
{
    struct pg_conn *pg = database_connect();
    int fds[40];
    unsigned good = 0;

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 40; i++) {
            fds[i] = client_connect(server);
            client_send_get(fds[i], i % 4 == 0 ? "/db/sleep?ms=50" : "/queries?queries=20");
        }
        database_run(pg, "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                         "where application_name = 'interleave'");
        for (int i = 0; i < 40; i++) {
            struct reply r;

            ck_assert_msg(client_read_reply(fds[i], &r, false), "an answer was lost");
            ck_assert_msg(r.status == 200 || r.status == 503 || r.status == 504, "%d %s", r.status,
                          r.body);
            good += r.status == 200;
            reply_free(&r);
            close(fds[i]);
        }
        ck_assert_int_eq(status_of("/plaintext"), 200);
        wait_for_db();
    }
    ck_assert_uint_gt(good, 0);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_postgresql_stopped_and_started_under_load)
{
    int fds[20];

    for (int i = 0; i < 20; i++) {
        fds[i] = client_connect(server);
        client_send_get(fds[i], "/db/sleep?ms=10000");
    }
    status_wait(server, "database.slow.running", 20, 20);
    cluster_stop();
    for (int i = 0; i < 20; i++) {
        struct reply r;

        ck_assert(client_read_reply(fds[i], &r, false));
        ck_assert_msg(r.status == 503, "%d %s", r.status, r.body);
        reply_free(&r);
        close(fds[i]);
    }
    status_wait(server, "database.up", 0, 0);
    ck_assert_int_eq(status_of("/db"), 503);
    ck_assert_int_eq(status_of("/readyz"), 503);
    ck_assert_int_eq(status_of("/plaintext"), 200);
    ck_assert_int_eq(status_of("/livez"), 200);
    cluster_start();
    wait_for_db();
    ck_assert_int_eq(status_of("/readyz"), 200);
}
END_TEST

START_TEST(test_a_frozen_backend_does_not_freeze_the_server)
{
    struct pg_conn *pg = database_connect();
    pid_t pid;

    wait_for_db();
    pid = (pid_t)database_run(pg, "select min(pid) from pg_stat_activity where application_name = "
                                  "'interleave' and query like '%world%'");
    ck_assert_int_gt(pid, 0);
    kill(pid, SIGSTOP);
    for (int i = 0; i < 30; i++) {
        int status = status_of("/db");

        ck_assert_msg(status == 200 || status == 504 || status == 503, "%d", status);
    }
    ck_assert_int_eq(status_of("/db"), 200);
    ck_assert_int_eq(status_of("/plaintext"), 200);
    kill(pid, SIGCONT);
    database_disconnect(pg);
}
END_TEST

START_TEST(test_the_server_starts_with_the_database_away_and_finds_it_later)
{
    static const char *const options[] = {"workers=0", NULL};
    struct server *early, *kept = server;

    cluster_stop();
    early = server_start(options);
    server = early;
    ck_assert_int_eq(status_of("/plaintext"), 200);
    ck_assert_int_eq(status_of("/db"), 503);
    cluster_start();
    wait_for_db();
    ck_assert_int_eq(status_of("/db/sleep?ms=0"), 200);
    server_stop(early);
    server = kept;
    wait_for_db();
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_fifty_requests_wait_for_a_lock_while_others_are_answered,
        test_terminated_backends_under_load_lose_no_answer,
        test_postgresql_stopped_and_started_under_load,
        test_a_frozen_backend_does_not_freeze_the_server,
        test_the_server_starts_with_the_database_away_and_finds_it_later,
    };

    return suite_run_mode(
        suite_of("database", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
