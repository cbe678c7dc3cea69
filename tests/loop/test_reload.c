/* links: server/supervisor/supervisor.c server/supervisor/generation.c server/supervisor/seat.c server/supervisor/children.c server/supervisor/placement.c server/supervisor/signals.c server/supervisor/settings.c server/supervisor/listen.c server/supervisor/sockets.c server/supervisor/identity.c server/supervisor/listen_owner.c server/supervisor/banner.c server/supervisor/backoff.c server/common/wire.c server/common/proctitle.c server/common/buf.c server/common/clock.c server/common/log.c tests/lib/supervised.c tests/lib/fake_front.c tests/lib/fake_conf.c */
/*
 * Signals: HUP puts a new generation beside the old one or changes nothing; TERM and INT finish
 * what runs, a second one does not. Over fake front ends and workers.
 */
#include "../lib/suite.h"
#include "../lib/supervised.h"
#include "common/clock.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct supervised s;

static void
open_world(void)
{
    supervised_open(&s);
}

static void
close_world(void)
{
    supervised_close(&s);
}

static struct fake_front *
start(const char *conf)
{
    struct fake_front *front = &s.world->fronts[1];

    supervised_start(&s, conf, NULL);
    supervised_wait_ready(&s);
    supervised_wait(&s, &front->up[0], 1, "worker 0");
    supervised_wait(&s, &front->up[1], 1, "worker 1");
    return front;
}

static void
send_signal(int number)
{
    ck_assert_int_eq(kill(s.pid, number), 0);
}

static void
expect_exit_0(void)
{
    int got = supervised_wait_end(&s);

    ck_assert(WIFEXITED(got));
    ck_assert_int_eq(WEXITSTATUS(got), 0);
}

static void
stop_and_expect_0(void)
{
    send_signal(SIGTERM);
    expect_exit_0();
}

static int
who_answers(void)
{
    return supervised_answer(&s, supervised_connect(&s));
}

/* ---- HUP ---- */

START_TEST(test_hup_starts_a_new_generation_with_the_new_settings_and_drains_the_old)
{
    struct fake_front *old = start("workers=2"), *new = &s.world->fronts[2];

    supervised_rewrite(&s, "workers=3");
    send_signal(SIGHUP);
    supervised_wait(&s, &new->up[2], 1, "a third worker");
    supervised_wait(&s, &old->drains, 1, "drain of the old one");
    supervised_wait_gone(&s, old->pid);
    supervised_wait_gone(&s, old->worker[0]);
    supervised_wait_gone(&s, old->worker[1]);
    ck_assert_int_eq(who_answers(), 2);
    ck_assert(supervised_has_logged(&s, "reloaded: generation 2 serves"));
    stop_and_expect_0();
}
END_TEST

START_TEST(test_the_old_generation_serves_until_the_new_one_is_ready)
{
    struct fake_front *old = start("workers=2"), *new = &s.world->fronts[2];

    atomic_store(&s.world->unready, true);
    atomic_store(&s.world->hold, true);
    send_signal(SIGHUP);
    supervised_wait(&s, &new->up[1], 1, "the workers of the new one");
    ck_assert_int_eq(old->drains, 0);
    atomic_store(&s.world->unready, false);
    supervised_wait(&s, &old->drains, 1, "drain of the old one");
    atomic_store(&s.world->hold, false);
    ck_assert_int_eq(who_answers(), 2);
    stop_and_expect_0();
}
END_TEST

/* Were a front end started for them, the right file would be served by generation 4. */
START_TEST(test_hup_with_a_wrong_file_names_all_errors_and_changes_nothing)
{
    struct fake_front *old = start("workers=2");
    const int pid = old->pid, worker = old->worker[0];

    supervised_rewrite(&s, "workers=3\nwrokers=4\nprot=5\nlisten=nowhere\n");
    send_signal(SIGHUP);
    supervised_wait_log(&s, "no such key: wrokers=4");
    supervised_wait_log(&s, "no such key: prot=5");
    supervised_wait_log(&s, "\"nowhere\" is not an address");
    supervised_wait_log(&s, "not reloaded: the settings are wrong");
    ck_assert_int_eq(unlink(s.config_path), 0);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "No such file or directory");
    ck_assert_int_eq(who_answers(), 1);
    supervised_rewrite(&s, "workers=2");
    ck_assert_int_eq(old->pid, pid);
    ck_assert_int_eq(old->worker[0], worker);
    ck_assert_int_eq(old->drains, 0);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "reloaded: generation 2 serves");
    stop_and_expect_0();
}
END_TEST

START_TEST(test_hup_with_a_front_end_that_fails_keeps_the_old_one)
{
    struct fake_front *old = start("workers=2");

    atomic_store(&s.world->fail, 1);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "not reloaded: the new front end failed");
    ck_assert_int_eq(who_answers(), 1);
    ck_assert_int_eq(old->drains, 0);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "reloaded: generation 3 serves");
    stop_and_expect_0();
}
END_TEST

START_TEST(test_hup_with_another_port_says_that_it_needs_a_restart_and_keeps_the_port)
{
    start("workers=2\nport=0");
    supervised_rewrite(&s, "workers=3\nport=1\nlisten=127.0.0.2");
    send_signal(SIGHUP);
    supervised_wait_log(&s, "port = 1 (a file) needs a restart: 0 stays in force");
    supervised_wait_log(&s, "listen = 127.0.0.2 (a file) needs a restart");
    supervised_wait(&s, &s.world->fronts[2].up[2], 1, "a third worker");
    supervised_wait(&s, &s.world->fronts[1].drains, 1, "drain of the old one");
    ck_assert_int_eq(s.world->fronts[2].conf_port, 0);
    ck_assert_int_eq(who_answers(), 2);
    stop_and_expect_0();
}
END_TEST

/* Any file will do: nobody here looks into it. */
START_TEST(test_hup_reads_the_certificate_again)
{
    char path[96], conf[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s.pem", s.config_path);
    f = fopen(path, "we");
    fputs("first", f);
    fclose(f);
    snprintf(conf, sizeof(conf), "workers=2\ntls_certificate=%s\ntls_key=%s", path, path);
    start(conf);
    ck_assert_int_eq(s.world->fronts[1].ntls, 1);
    ck_assert_int_eq(s.world->fronts[1].certificate_len, 5);
    f = fopen(path, "we");
    fputs("the second", f);
    fclose(f);
    ck_assert_int_eq(kill(s.world->fronts[1].pid, SIGKILL), 0);
    supervised_wait(&s, &s.world->fronts[2].up[1], 1, "the next front end");
    ck_assert_int_eq(s.world->fronts[2].certificate_len, 5); /* as it was read */
    send_signal(SIGHUP);
    supervised_wait_log(&s, "reloaded: generation 3 serves");
    ck_assert_int_eq(s.world->fronts[3].certificate_len, 10);
    ck_assert_int_eq(unlink(path), 0);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "tls_certificate: can't read ");
    supervised_wait_log(&s, "not reloaded: the settings are wrong");
    supervised_rewrite(&s, "workers=2");
    send_signal(SIGHUP);
    supervised_wait_log(&s, "https is turned off by a restart only: it stays on");
    stop_and_expect_0();
}
END_TEST

START_TEST(test_https_is_not_turned_on_by_hup)
{
    char conf[512];

    start("workers=2");
    ck_assert_int_eq(s.world->fronts[1].ntls, 0);
    snprintf(conf, sizeof(conf), "workers=3\ntls_certificate=%s\ntls_key=%s", s.config_path,
             s.config_path);
    supervised_rewrite(&s, conf);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "https is turned on by a restart only: it stays off");
    supervised_wait(&s, &s.world->fronts[2].up[2], 1, "a third worker");
    ck_assert_int_eq(s.world->fronts[2].ntls, 0);
    ck_assert_int_eq(s.world->fronts[2].certificate_len, 0);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_second_hup_waits_until_the_first_is_done)
{
    start("workers=2");
    atomic_store(&s.world->unready, true);
    send_signal(SIGHUP);
    supervised_wait(&s, &s.world->fronts[2].up[0], 1, "generation 2");
    supervised_rewrite(&s, "workers=3");
    send_signal(SIGHUP);
    send_signal(SIGHUP);
    /* A worker that dies and is back: the supervisor has read both signals by then. */
    ck_assert_int_eq(kill(s.world->fronts[1].worker[0], SIGKILL), 0);
    supervised_wait(&s, &s.world->fronts[1].up[0], 2, "the next worker 0");
    ck_assert_int_eq(s.world->fronts[3].pid, 0);
    atomic_store(&s.world->unready, false);
    supervised_wait(&s, &s.world->fronts[3].up[2], 1, "generation 3 with a third worker");
    supervised_wait(&s, &s.world->fronts[2].drains, 1, "drain of generation 2");
    ck_assert_int_eq(s.world->fronts[4].pid, 0);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_draining_front_end_that_is_killed_is_not_replaced)
{
    struct fake_front *old = start("workers=2");

    atomic_store(&s.world->deaf, true);
    send_signal(SIGHUP);
    supervised_wait(&s, &old->drains, 1, "drain of the old one");
    ck_assert_int_eq(kill(old->pid, SIGKILL), 0);
    supervised_wait_gone(&s, old->pid);
    supervised_wait_gone(&s, old->worker[0]);
    atomic_store(&s.world->deaf, false);
    send_signal(SIGHUP);
    supervised_wait_log(&s, "reloaded: generation 3 serves");
    stop_and_expect_0();
}
END_TEST

START_TEST(test_workers_of_a_draining_generation_are_still_replaced)
{
    struct fake_front *old = start("workers=2");

    atomic_store(&s.world->deaf, true);
    send_signal(SIGHUP);
    supervised_wait(&s, &old->drains, 1, "drain of the old one");
    ck_assert_int_eq(kill(old->worker[1], SIGKILL), 0);
    supervised_wait(&s, &old->up[1], 2, "the next worker 1");
    send_signal(SIGTERM);
    send_signal(SIGINT);
    expect_exit_0();
}
END_TEST

START_TEST(test_the_current_front_end_may_die_while_its_successor_starts)
{
    struct fake_front *old = start("workers=2");

    atomic_store(&s.world->unready, true);
    send_signal(SIGHUP);
    supervised_wait(&s, &s.world->fronts[2].pid, 1, "generation 2");
    ck_assert_int_eq(kill(old->pid, SIGKILL), 0);
    supervised_wait(&s, &s.world->fronts[3].pid, 1, "a replacement of the old one");
    atomic_store(&s.world->unready, false);
    supervised_wait_log(&s, "reloaded: generation 2 serves");
    supervised_wait(&s, &s.world->fronts[3].drains, 1, "drain of the replacement");
    ck_assert_int_eq(who_answers(), 2);
    stop_and_expect_0();
}
END_TEST

/* ---- TERM, INT ---- */

START_TEST(test_term_drains_and_takes_no_more_connections)
{
    struct fake_front *front = start("workers=2");

    /* Between fork and exec a worker still has the socket: let both get beyond that. */
    for (int i = 0; i < 2; i++) {
        supervised_ask(&s, 1, ASK_JOB, i, 0, FAKE_JOB_REPORT);
        supervised_wait(&s, &front->reports[i], 1, "a worker's report");
    }
    atomic_store(&s.world->deaf, true); /* it closes its sockets, but has requests to finish */
    send_signal(SIGTERM);
    supervised_wait(&s, &front->drains, 1, "drain");
    ck_assert_int_eq(supervised_connect(&s), -1);
    send_signal(SIGTERM);
    expect_exit_0();
}
END_TEST

START_TEST(test_a_second_signal_ends_all_at_once)
{
    struct fake_front *front = start("workers=2\ndrain_timeout=3600000");

    atomic_store(&s.world->deaf, true);
    send_signal(SIGINT);
    supervised_wait(&s, &front->drains, 1, "drain");
    send_signal(SIGTERM);
    expect_exit_0();
    ck_assert(supervised_has_logged(&s, "stopping at once"));
}
END_TEST

START_TEST(test_a_front_end_that_does_not_finish_is_killed_after_drain_timeout_and_a_second)
{
    struct fake_front *front = start("workers=2\ndrain_timeout=100");
    uint64_t begun = clock_ns();

    atomic_store(&s.world->deaf, true);
    send_signal(SIGTERM);
    expect_exit_0();
    ck_assert_int_eq(front->drains, 1);
    ck_assert_uint_ge(clock_ns() - begun, 1100 * NS_PER_MS);
}
END_TEST

START_TEST(test_stopping_during_a_reload_ends_both_generations)
{
    start("workers=2");
    atomic_store(&s.world->unready, true);
    send_signal(SIGHUP);
    supervised_wait(&s, &s.world->fronts[2].up[1], 1, "generation 2");
    stop_and_expect_0();
    ck_assert_int_eq(s.world->fronts[1].drains, 1);
    ck_assert_int_eq(s.world->fronts[2].drains, 1);
}
END_TEST

START_TEST(test_stopping_before_anything_is_ready_ends_with_0)
{
    atomic_store(&s.world->unready, true);
    supervised_start(&s, "workers=2", NULL);
    supervised_wait(&s, &s.world->fronts[1].up[1], 1, "the workers");
    stop_and_expect_0();
}
END_TEST

/* Row: what reaches the whole process group, while only the supervisor is to act on it. */
static const int group_signals[] = {SIGINT, SIGTERM, SIGHUP};

START_TEST(test_children_do_not_heed_the_signals_of_the_group)
{
    struct fake_front *front = start("workers=2");

    ck_assert_int_eq(kill(front->pid, group_signals[_i]), 0);
    ck_assert_int_eq(kill(front->worker[0], group_signals[_i]), 0);
    supervised_ask(&s, 1, ASK_JOB, 0, 0, FAKE_JOB_REPORT);
    supervised_wait(&s, &front->reports[0], 1, "the same worker");
    ck_assert_int_eq(front->self[0].pid, front->worker[0]);
    ck_assert_int_eq(front->up[0], 1);
    ck_assert_int_eq(who_answers(), 1);
    stop_and_expect_0();
}
END_TEST

int
main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    supervised_worker_main(argc, argv);
    suite = suite_create("reload and stop");
    tc = tcase_create("reload and stop");
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_hup_starts_a_new_generation_with_the_new_settings_and_drains_the_old);
    tcase_add_test(tc, test_the_old_generation_serves_until_the_new_one_is_ready);
    tcase_add_test(tc, test_hup_with_a_wrong_file_names_all_errors_and_changes_nothing);
    tcase_add_test(tc, test_hup_with_a_front_end_that_fails_keeps_the_old_one);
    tcase_add_test(tc, test_hup_with_another_port_says_that_it_needs_a_restart_and_keeps_the_port);
    tcase_add_test(tc, test_hup_reads_the_certificate_again);
    tcase_add_test(tc, test_https_is_not_turned_on_by_hup);
    tcase_add_test(tc, test_a_second_hup_waits_until_the_first_is_done);
    tcase_add_test(tc, test_a_draining_front_end_that_is_killed_is_not_replaced);
    tcase_add_test(tc, test_workers_of_a_draining_generation_are_still_replaced);
    tcase_add_test(tc, test_the_current_front_end_may_die_while_its_successor_starts);
    tcase_add_test(tc, test_term_drains_and_takes_no_more_connections);
    tcase_add_test(tc, test_a_second_signal_ends_all_at_once);
    tcase_add_test(
        tc, test_a_front_end_that_does_not_finish_is_killed_after_drain_timeout_and_a_second);
    tcase_add_test(tc, test_stopping_during_a_reload_ends_both_generations);
    tcase_add_test(tc, test_stopping_before_anything_is_ready_ends_with_0);
    tcase_add_loop_test(tc, test_children_do_not_heed_the_signals_of_the_group, 0,
                        sizeof(group_signals) / sizeof(group_signals[0]));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
