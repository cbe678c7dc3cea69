/* links: server/db/conn.c server/db/control.c server/db/db.c server/db/entry.c server/db/join.c server/db/lookup.c server/db/pool.c server/db/queue.c server/db/read.c server/db/result.c server/db/send.c server/db/start.c server/db/status.c server/db/url.c server/db/watch.c server/common/buf.c server/common/clock.c server/common/log.c build/gen/statements.c tests/lib/db_world.c */
/*
 * PostgreSQL away: refused, empty, back again, mute, never there.
 */
#include "../lib/db_world.h"
#include "../lib/suite.h"
#include "common/clock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct probe *const p = w.probes;

static void
begin(void)
{
    db_world_begin();
    w.conf.db_suspect = 100;
    w.conf.db_answer = 500;
}

/* ---- the database away ---- */

static void
refuse_connections(bool refuse)
{
    aside("ALTER DATABASE interleave_test_away ALLOW_CONNECTIONS %s", refuse ? "false" : "true");
    if (refuse)
        aside("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
              "application_name = 'interleave' AND datname = 'interleave_test_away'");
}

START_TEST(test_a_database_that_goes_is_known_to_be_down_and_found_again_within_a_second)
{
    uint64_t back;

    db_world_open();
    probe_start_int(&p[0], SQL_SLEEP, 10000);
    db_world_until(p[0].began == 1);
    refuse_connections(true);
    db_world_until(db_state(w.db) == DB_STATE_DOWN);
    db_world_until(w.done == 1);
    ck_assert_msg(p[0].failure == FAIL_DB_DOWN || p[0].failure == FAIL_DB_LOST, "%d",
                  (int)p[0].failure);
    for (int i = 1; i < 6; i++)
        probe_start_int(&p[i], i % 2 ? SQL_SLEEP : SQL_WORLD_BY_ID, 1);
    ck_assert_uint_eq(w.done, 1);
    db_world_turn();
    ck_assert_uint_eq(probes_failed(6, FAIL_DB_DOWN) - (p[0].failure == FAIL_DB_DOWN), 5);
    refuse_connections(false);
    back = clock_ns();
    db_world_until(db_state(w.db) == DB_STATE_UP);
    ck_assert_uint_lt(clock_ns() - back, NS_PER_S);
    probe_start_int(&p[6], SQL_SLEEP, 0);
    probe_start_int(&p[7], SQL_WORLD_BY_ID, 1);
    db_world_until(p[6].done + p[7].done == 2);
    ck_assert(p[6].failure == FAIL_NONE && p[7].failure == FAIL_NONE);
}
END_TEST

START_TEST(test_queries_wait_while_the_first_connection_is_being_made)
{
    w.db = db_open(w.base, &w.conf, NULL);
    ck_assert_int_eq(db_state(w.db), DB_STATE_CONNECTING);
    probe_start_int(&p[0], SQL_WORLD_BY_ID, 1);
    probe_start_int(&p[1], SQL_SLEEP, 0);
    db_world_until(w.done == 2);
    ck_assert_uint_eq(probes_failed(2, FAIL_NONE), 2);
}
END_TEST

START_TEST(test_without_a_schema_it_is_not_up_until_there_is_one)
{
    side("ALTER SCHEMA interleave RENAME TO elsewhere");
    w.db = db_open(w.base, &w.conf, NULL);
    db_world_until(db_state(w.db) == DB_STATE_DOWN);
    probe_start_int(&p[0], SQL_WORLD_BY_ID, 1);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[0].failure, FAIL_DB_DOWN);
    side("ALTER SCHEMA elsewhere RENAME TO interleave");
    db_world_until(db_state(w.db) == DB_STATE_UP);
    probe_start_int(&p[1], SQL_WORLD_BY_ID, 1);
    db_world_until(w.done == 2);
    ck_assert_int_eq(p[1].failure, FAIL_NONE);
}
END_TEST

START_TEST(test_slow_queries_share_what_connections_postgresql_grants)
{
    db_world_open();
    aside("ALTER DATABASE interleave_test_away CONNECTION LIMIT 5");
    aside("DROP ROLE IF EXISTS interleave_test_role");
    aside("CREATE ROLE interleave_test_role LOGIN");
    aside("GRANT interleave_test_role TO current_user"); /* or only a superuser may drop what it
                                                            owns */
    db_close(w.db);
    /* backends that are still leaving would count */
    while (aside("SELECT count(*) FROM pg_stat_activity WHERE datname = 'interleave_test_away' "
                 "AND application_name = 'interleave'") > 0)
        continue;
    side("GRANT USAGE ON SCHEMA interleave TO interleave_test_role");
    side("GRANT SELECT ON ALL TABLES IN SCHEMA interleave TO interleave_test_role");
    /* superusers have no limit */
    snprintf(w.conf.db_url, sizeof(w.conf.db_url), "%s",
             db_world_url("user='interleave_test_role' password=''"));
    db_world_open();
    for (int i = 0; i < 8; i++)
        probe_start_int(&p[i], SQL_SLEEP, 30);
    db_world_until(w.done == 8);
    ck_assert_uint_eq(probes_failed(8, FAIL_NONE), 8);
    ck_assert_uint_le(class_of(DB_SLOW).connections, 2);
    db_close(w.db);
    w.db = NULL;
    aside("ALTER DATABASE interleave_test_away CONNECTION LIMIT -1");
    side("REASSIGN OWNED BY interleave_test_role TO current_user");
    side("DROP OWNED BY interleave_test_role");
    side("DROP ROLE interleave_test_role");
}
END_TEST

/* ---- no PostgreSQL at all ---- */

static void
expect_down(const char *url)
{
    snprintf(w.conf.db_url, sizeof(w.conf.db_url), "%s", url);
    w.db = db_open(w.base, &w.conf, NULL);
    probe_start_int(&p[0], SQL_WORLD_BY_ID, 1);
    ck_assert_uint_eq(w.done, 0);
    db_world_until(w.done == 1);
    ck_assert_int_eq(p[0].failure, FAIL_DB_DOWN);
    db_release(&p[0].q);
}

START_TEST(test_without_a_url_every_query_is_refused)
{
    expect_down("");
    ck_assert_int_eq(db_state(w.db), DB_STATE_NONE);
}
END_TEST

START_TEST(test_a_socket_that_is_not_there_is_down)
{
    expect_down("postgres://somebody@/name?host=/nonexistent");
    ck_assert_int_eq(db_state(w.db), DB_STATE_DOWN);
}
END_TEST

static int
listen_somewhere(int *port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    *port = ntohs(addr.sin_port);
    return fd;
}

START_TEST(test_a_server_that_accepts_and_says_nothing_is_down_after_a_while)
{
    char url[100];
    int port, fd = listen_somewhere(&port);

    w.conf.db_connect = 200;
    snprintf(url, sizeof(url), "postgres://somebody@127.0.0.1:%d/name", port);
    expect_down(url);
    close(fd);
}
END_TEST

START_TEST(test_the_name_of_a_host_is_looked_up)
{
    char url[100];
    int port, fd = listen_somewhere(&port), connection;

    snprintf(url, sizeof(url), "postgres://somebody@localhost:%d/name", port);
    snprintf(w.conf.db_url, sizeof(w.conf.db_url), "%s", url);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    w.db = db_open(w.base, &w.conf, NULL);
    db_world_until((connection = accept(fd, NULL, NULL)) >= 0);
    close(connection);
    close(fd);
}
END_TEST

START_TEST(test_closing_while_everything_is_under_way_leaks_nothing)
{
    db_world_open();
    for (int i = 0; i < 100; i++)
        probe_start_int(&p[i], i % 3 ? SQL_WORLD_BY_ID : SQL_SLEEP, 1000);
    db_world_turn();
    for (int i = 100; i < 200; i++)
        probe_start_int(&p[i], i % 3 ? SQL_WORLD_BY_ID : SQL_SLEEP, 1000);
    db_close(w.db);
    w.db = NULL;
    ck_assert_uint_eq(probes_failed(200, FAIL_NONE), w.done);
}
END_TEST

START_TEST(test_no_password_gets_into_the_log)
{
    static const char *const urls[] = {
        "postgres://somebody:s3cret@127.0.0.1:1/name",
        "postgres://somebody:x@s3cret@127.0.0.1:1/name",
        "postgres://somebody:s3cret/more@127.0.0.1:1/name",
        "postgres://s3cret:s3cret:s3cret@:s3cret",
        "host=/nonexistent password=s3cret",
        "host=/nonexistent password='s3cret",
    };
    char path[] = "/tmp/interleave-log-XXXXXX", text[65536];
    int log = mkstemp(path), kept = dup(STDERR_FILENO);
    ssize_t len;

    setenv("TEST_LOG", "debug", 1);
    db_world_end();
    dup2(log, STDERR_FILENO);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        db_world_begin();
        expect_down(urls[i]);
        db_world_end();
    }
    dup2(kept, STDERR_FILENO);
    db_world_begin();
    len = pread(log, text, sizeof(text) - 1, 0);
    unlink(path);
    ck_assert_int_gt(len, 0);
    text[len] = '\0';
    ck_assert_msg(strstr(text, "s3cret") == NULL, "%s", text);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db_away");
    TCase *tc = tcase_create("db_away");
    int result;

    tcase_add_checked_fixture(tc, begin, db_world_end);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc,
                   test_a_database_that_goes_is_known_to_be_down_and_found_again_within_a_second);
    tcase_add_test(tc, test_queries_wait_while_the_first_connection_is_being_made);
    tcase_add_test(tc, test_without_a_schema_it_is_not_up_until_there_is_one);
    tcase_add_test(tc, test_slow_queries_share_what_connections_postgresql_grants);
    tcase_add_test(tc, test_without_a_url_every_query_is_refused);
    tcase_add_test(tc, test_a_socket_that_is_not_there_is_down);
    tcase_add_test(tc, test_a_server_that_accepts_and_says_nothing_is_down_after_a_while);
    tcase_add_test(tc, test_the_name_of_a_host_is_looked_up);
    tcase_add_test(tc, test_closing_while_everything_is_under_way_leaks_nothing);
    tcase_add_test(tc, test_no_password_gets_into_the_log);
    suite_add_tcase(suite, tc);
    db_world_create("interleave_test_away", "");
    result = suite_run(suite);
    db_world_drop();
    return result;
}
