/* links: server/supervisor/supervisor.c server/supervisor/generation.c server/supervisor/seat.c server/supervisor/children.c server/supervisor/placement.c server/supervisor/signals.c server/supervisor/settings.c server/supervisor/listen.c server/supervisor/sockets.c server/supervisor/identity.c server/supervisor/listen_owner.c server/supervisor/banner.c server/supervisor/backoff.c server/common/wire.c server/common/proctitle.c server/common/buf.c server/common/clock.c server/common/log.c tests/lib/supervised.c tests/lib/fake_front.c tests/lib/fake_conf.c */
/*
 * Who lives, who dies and who hears of it: a real supervisor over fake front ends and fake workers.
 */
#include "../lib/suite.h"
#include "../lib/supervised.h"
#include "common/clock.h"
#include "supervisor/backoff.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
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

/* Generation `n` is ready and has its first two workers. */
static struct fake_front *
wait_front(int n)
{
    struct fake_front *front = &s.world->fronts[n];

    supervised_wait(&s, &front->pid, 1, "a front end");
    supervised_wait(&s, &front->up[0], 1, "worker 0");
    supervised_wait(&s, &front->up[1], 1, "worker 1");
    return front;
}

static struct fake_front *
start(const char *conf)
{
    supervised_start(&s, conf, NULL);
    supervised_wait_ready(&s);
    return wait_front(1);
}

static void
hang_worker(int generation, int index)
{
    supervised_ask(&s, generation, ASK_JOB, index, 0, FAKE_JOB_HANG);
    supervised_wait(&s, &s.world->fronts[generation].hanging[index], 1, "a worker with a task");
}

static void
expect_exit(int status)
{
    int got = supervised_wait_end(&s);

    ck_assert(WIFEXITED(got));
    ck_assert_int_eq(WEXITSTATUS(got), status);
}

static void
stop_and_expect_0(void)
{
    ck_assert_int_eq(kill(s.pid, SIGTERM), 0);
    expect_exit(0);
}

START_TEST(test_a_started_server_answers_on_the_port_that_it_prints_and_stops_with_0)
{
    start("workers=2");
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), 1);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_server_without_workers_starts_none)
{
    supervised_start(&s, "workers=0", NULL);
    supervised_wait_ready(&s);
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), 1);
    ck_assert_int_eq(s.world->fronts[1].up[0], 0);
    stop_and_expect_0();
}
END_TEST

/* ---- workers ---- */

START_TEST(test_a_killed_worker_is_told_and_another_takes_its_place)
{
    struct fake_front *front = start("workers=2");
    const int old = front->worker[0], other = front->worker[1];

    ck_assert_int_eq(kill(old, SIGKILL), 0);
    supervised_wait(&s, &front->down[0], 1, "news of the death");
    supervised_wait(&s, &front->up[0], 2, "the next worker 0");
    ck_assert_int_eq(WTERMSIG(front->status[0]), SIGKILL);
    ck_assert_int_ne(front->worker[0], old);
    ck_assert_int_eq(front->worker[1], other);
    ck_assert_int_eq(front->up[1], 1);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_workers_that_die_with_a_task_never_have_to_wait)
{
    struct fake_front *front = start("workers=2");

    for (int i = 1; i <= 3 * BACKOFF_DEATHS; i++) {
        hang_worker(1, 0);
        ck_assert_int_eq(kill(front->worker[0], SIGKILL), 0);
        supervised_wait(&s, &front->up[0], i + 1, "the next worker 0");
    }
    ck_assert(!supervised_has_logged(&s, "started again later"));
    stop_and_expect_0();
}
END_TEST

/* Five deaths at once, then waits of 0.1 s and 0.2 s: the seventh start can't be earlier. */
START_TEST(test_a_worker_program_that_dies_at_once_is_started_with_growing_pauses)
{
    const uint64_t begun = clock_ns();

    supervised_start(&s, "workers=1", "/bin/false");
    supervised_wait_ready(&s);
    supervised_wait(&s, &s.world->fronts[1].up[0], BACKOFF_DEATHS + 2, "seven starts");
    ck_assert_uint_ge(clock_ns() - begun, 3 * BACKOFF_FIRST_NS);
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), 1);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_worker_program_that_is_not_there_leaves_the_server_up)
{
    supervised_start(&s, "workers=2", "/nonexistent/interleave-worker");
    supervised_wait_ready(&s);
    supervised_wait_log(&s, "cannot run the worker program /nonexistent/interleave-worker");
    supervised_wait_log(&s, "started again later");
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), 1);
    stop_and_expect_0();
}
END_TEST

/* The control socket keeps the order, so that the wrong wishes were heard before the right one. */
START_TEST(test_the_front_end_can_have_a_worker_killed_but_only_the_one_it_means)
{
    struct fake_front *front = start("workers=2");

    supervised_ask(&s, 1, ASK_KILL, 0, front->worker[1], 0); /* index and pid do not go together */
    supervised_ask(&s, 1, ASK_KILL, 9, front->worker[0], 0); /* no such index */
    supervised_ask(&s, 1, ASK_KILL, 1, front->worker[1], 0);
    supervised_wait(&s, &front->up[1], 2, "the next worker 1");
    ck_assert_int_eq(WTERMSIG(front->status[1]), SIGKILL);
    supervised_ask(&s, 1, ASK_JOB, 0, 0, FAKE_JOB_REPORT);
    supervised_wait(&s, &front->reports[0], 1, "a report of worker 0");
    ck_assert_int_eq(front->self[0].pid, front->worker[0]);
    ck_assert_int_eq(front->up[0], 1);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_workers_killed_on_the_front_ends_wish_are_no_sign_of_illness)
{
    struct fake_front *front = start("workers=2");

    for (int i = 1; i <= 3 * BACKOFF_DEATHS; i++) {
        supervised_ask(&s, 1, ASK_KILL, 0, front->worker[0], 0);
        supervised_wait(&s, &front->up[0], i + 1, "the next worker 0");
    }
    ck_assert(!supervised_has_logged(&s, "started again later"));
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_worker_has_two_descriptors_of_its_own_batch_scheduling_and_its_cpu)
{
    struct fake_front *front = start("workers=2\nworker_cpus=spread");
    cpu_set_t set;
    int cpu = -1;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    for (int i = 0; i < 2; i++) {
        const struct fake_self *self = &front->self[i];

        supervised_ask(&s, 1, ASK_JOB, i, 0, FAKE_JOB_REPORT);
        supervised_wait(&s, &front->reports[i], 1, "a worker's report");
        ck_assert_int_eq(self->pid, front->worker[i]);
        ck_assert_int_eq(self->argument, i);
        ck_assert_uint_eq(self->fds, 0x1f);
        ck_assert_int_eq(self->policy, SCHED_BATCH);
        ck_assert_int_eq(self->nice, getpriority(PRIO_PROCESS, 0) + 5);
        ck_assert_int_eq(self->blocked_signals, 0);
        ck_assert_int_eq(self->cpus, 1);
        ck_assert_int_eq(self->cpu_argument, self->cpu);
        ck_assert(CPU_ISSET((size_t)self->cpu, &set));
        if (CPU_COUNT(&set) > 1)
            ck_assert_int_ne(self->cpu, cpu);
        cpu = self->cpu;
    }
    stop_and_expect_0();
}
END_TEST

START_TEST(test_loop_cpu_pins_the_front_end_and_no_worker)
{
    struct fake_front *front = start("workers=2\nloop_cpu=0\nworker_cpus=none");

    supervised_ask(&s, 1, ASK_JOB, 1, 0, FAKE_JOB_REPORT);
    supervised_wait(&s, &front->reports[1], 1, "a worker's report");
    ck_assert_int_eq(front->cpus, 1);
    ck_assert_int_eq(front->self[1].cpu_argument, -1);
    stop_and_expect_0();
}
END_TEST

/* ---- front end ---- */

START_TEST(test_a_killed_front_end_is_replaced_with_new_workers_and_the_old_ones_go)
{
    struct fake_front *old = start("workers=2"), *new;

    ck_assert_int_eq(kill(old->pid, SIGKILL), 0);
    new = wait_front(2);
    supervised_wait_gone(&s, old->worker[0]);
    supervised_wait_gone(&s, old->worker[1]);
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), 2);
    ck_assert_int_eq(kill(new->worker[0], 0), 0);
    ck_assert(!supervised_has_logged(&s, "still ending")); /* they went by themselves */
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_connection_made_before_the_front_end_died_is_answered_by_the_next_one)
{
    struct fake_front *old = start("workers=2");
    int fd;

    atomic_store(&s.world->hold, true);
    /* The old one looks at `hold` once a turn: what it has answered after this was the last. */
    supervised_ask(&s, 1, ASK_JOB, 0, 0, FAKE_JOB_REPORT);
    fd = supervised_connect(&s);
    ck_assert_int_eq(kill(old->pid, SIGKILL), 0);
    wait_front(2);
    atomic_store(&s.world->hold, false);
    ck_assert_int_eq(supervised_answer(&s, fd), 2);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_stopped_workers_of_a_dead_front_end_are_killed)
{
    struct fake_front *old = start("workers=2");

    ck_assert_int_eq(kill(old->worker[0], SIGSTOP), 0);
    hang_worker(1, 1);
    ck_assert_int_eq(kill(old->pid, SIGKILL), 0);
    wait_front(2);
    supervised_wait_gone(&s, old->worker[0]);
    supervised_wait_gone(&s, old->worker[1]);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_a_front_end_has_no_descriptor_but_its_own)
{
    struct fake_front *old = start("workers=2"), *new;

    ck_assert_int_eq(__builtin_popcountll(old->fds), 5); /* 0, 1, 2, control, one to listen */
    ck_assert_int_eq(kill(old->pid, SIGKILL), 0);
    new = wait_front(2);
    ck_assert_int_eq(__builtin_popcountll(new->fds), 5);
    stop_and_expect_0();
}
END_TEST

/* Row: what a broken front end does to its control socket. */
static const enum fake_ask breaches[] = {ASK_GARBAGE, ASK_WRONG_MESSAGE, ASK_CLOSE};

START_TEST(test_a_front_end_that_breaks_the_contract_is_killed_and_replaced)
{
    struct fake_front *old = start("workers=2");

    supervised_ask(&s, 1, breaches[_i], 0, 0, 0);
    wait_front(2);
    supervised_wait_gone(&s, old->pid);
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), 2);
    stop_and_expect_0();
}
END_TEST

START_TEST(test_five_front_ends_that_fail_before_one_was_ready_end_the_start_with_1)
{
    atomic_store(&s.world->fail, BACKOFF_DEATHS);
    supervised_start(&s, "workers=2", NULL);
    expect_exit(1);
    ck_assert(supervised_has_logged(&s, "exited with status 3"));
    ck_assert(supervised_has_logged(&s, "the server can't start"));
    ck_assert_int_eq(s.world->fronts[BACKOFF_DEATHS + 1].pid, 0);
}
END_TEST

START_TEST(test_four_front_ends_that_fail_are_forgiven)
{
    atomic_store(&s.world->fail, BACKOFF_DEATHS - 1);
    supervised_start(&s, "workers=2", NULL);
    supervised_wait_ready(&s);
    ck_assert_int_eq(supervised_answer(&s, supervised_connect(&s)), BACKOFF_DEATHS);
    stop_and_expect_0();
}
END_TEST

/* Once the server has served it never gives up. The killed one lived shorter than a second, too, so
 * that of the eight deaths the fifth is followed by a pause, and so are the next three. */
START_TEST(test_front_ends_that_die_at_once_later_on_are_started_with_growing_pauses)
{
    struct fake_front *front = start("workers=2");
    const uint64_t begun = clock_ns();

    atomic_store(&s.world->fail, BACKOFF_DEATHS + 2);
    ck_assert_int_eq(kill(front->pid, SIGKILL), 0);
    wait_front(1 + BACKOFF_DEATHS + 3);
    ck_assert_uint_ge(clock_ns() - begun, 3 * BACKOFF_FIRST_NS);
    ck_assert(supervised_has_logged(&s, "the next one waits"));
    stop_and_expect_0();
}
END_TEST

/* ---- supervisor ---- */

START_TEST(test_nothing_remains_of_a_killed_supervisor)
{
    struct fake_front *front = start("workers=2");

    hang_worker(1, 0); /* neither one that is busy nor one that is stopped */
    ck_assert_int_eq(kill(front->worker[1], SIGSTOP), 0);
    ck_assert_int_eq(kill(s.pid, SIGKILL), 0);
    ck_assert(WIFSIGNALED(supervised_wait_end(&s)));
    ck_assert_int_eq(kill(front->pid, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
    ck_assert_int_eq(kill(front->worker[0], 0), -1);
    ck_assert_int_eq(kill(front->worker[1], 0), -1);
    ck_assert_int_eq(supervised_connect(&s), -1);
}
END_TEST

int
main(int argc, char **argv)
{
    Suite *suite;
    TCase *tc;

    supervised_worker_main(argc, argv);
    suite = suite_create("supervisor");
    tc = tcase_create("supervisor");
    tcase_add_checked_fixture(tc, open_world, close_world);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_a_started_server_answers_on_the_port_that_it_prints_and_stops_with_0);
    tcase_add_test(tc, test_a_server_without_workers_starts_none);
    tcase_add_test(tc, test_a_killed_worker_is_told_and_another_takes_its_place);
    tcase_add_test(tc, test_workers_that_die_with_a_task_never_have_to_wait);
    tcase_add_test(tc, test_a_worker_program_that_dies_at_once_is_started_with_growing_pauses);
    tcase_add_test(tc, test_a_worker_program_that_is_not_there_leaves_the_server_up);
    tcase_add_test(tc, test_the_front_end_can_have_a_worker_killed_but_only_the_one_it_means);
    tcase_add_test(tc, test_workers_killed_on_the_front_ends_wish_are_no_sign_of_illness);
    tcase_add_test(tc, test_a_worker_has_two_descriptors_of_its_own_batch_scheduling_and_its_cpu);
    tcase_add_test(tc, test_loop_cpu_pins_the_front_end_and_no_worker);
    tcase_add_test(tc, test_a_killed_front_end_is_replaced_with_new_workers_and_the_old_ones_go);
    tcase_add_test(tc,
                   test_a_connection_made_before_the_front_end_died_is_answered_by_the_next_one);
    tcase_add_test(tc, test_stopped_workers_of_a_dead_front_end_are_killed);
    tcase_add_test(tc, test_a_front_end_has_no_descriptor_but_its_own);
    tcase_add_loop_test(tc, test_a_front_end_that_breaks_the_contract_is_killed_and_replaced, 0,
                        sizeof(breaches) / sizeof(breaches[0]));
    tcase_add_test(tc, test_five_front_ends_that_fail_before_one_was_ready_end_the_start_with_1);
    tcase_add_test(tc, test_four_front_ends_that_fail_are_forgiven);
    tcase_add_test(tc, test_front_ends_that_die_at_once_later_on_are_started_with_growing_pauses);
    tcase_add_test(tc, test_nothing_remains_of_a_killed_supervisor);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
