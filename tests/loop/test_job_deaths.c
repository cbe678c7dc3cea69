/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_case.c tests/lib/job_world.c tests/lib/job_kernels.c */
/*
 * Workers that die, held in the test's own hands: who is blamed, who computes it instead, and when
 * the pool itself is ill.
 */
#include "../lib/job_case.h"
#include "../lib/job_kernels.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "common/memory.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

/* ---- deaths in a task ---- */

START_TEST(test_the_task_of_a_dead_worker_is_computed_by_another)
{
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 2, EXEC_WORKERS);
    world_turn(&w);
    (void)held_run(&w, 0);
    world_lose(&w, 0, SIGKILL);
    ck_assert_uint_eq(a.began, a.ended);
    world_add_held(&w, 1);
    world_turn(&w);
    for (unsigned i = 0; i < 2; i++) {
        m = held_run(&w, 1);
        held_done(&w, 1, &m, 20 + m.index);
        world_turn(&w);
    }
    ck_assert_uint_eq(a.done, 1);
    ck_assert_str_eq(world_answer(&a), "41");
    ck_assert_uint_eq(a.began, a.ended);
}
END_TEST

START_TEST(test_what_a_worker_said_before_it_died_counts)
{
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    held_done(&w, 0, &m, 77);
    world_lose(&w, 0, SIGKILL);
    ck_assert_uint_eq(a.done, 1);
    ck_assert_str_eq(world_answer(&a), "77");
}
END_TEST

/* Gives the job's task to worker `index`, which dies of it. */
static void
die_of(unsigned index)
{
    world_add_held(&w, index);
    world_turn(&w);
    (void)held_run(&w, index);
    world_lose(&w, index, SIGSEGV);
}

static void
kill_two(int64_t n)
{
    world_start(&w, &a, &kernel_sum, n, 1, EXEC_WORKERS);
    die_of(0);
    ck_assert_uint_eq(a.done, 0);
    die_of(1);
    ck_assert_uint_eq(a.done, 1);
    ck_assert_uint_eq(a.failure, FAIL_JOB_DIED);
    ck_assert_uint_eq(a.began, a.ended);
    job_release(&a.job);
}

START_TEST(test_a_second_death_fails_that_job_alone)
{
    struct task_message m;

    kill_two(1000);
    world_start(&w, &b, &kernel_sum, 1001, 1, EXEC_WORKERS);
    world_add_held(&w, 0);
    world_turn(&w);
    m = held_run(&w, 0);
    held_done(&w, 0, &m, 5);
    world_wait(&w, &b);
    ck_assert_str_eq(world_answer(&b), "5");
}
END_TEST

START_TEST(test_the_like_of_a_deadly_job_is_refused_for_a_minute)
{
    stop_the_clock();
    kill_two(1000);
    fake_now += 59 * NS_PER_S;
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(a.failure, FAIL_JOB_REFUSED);
    job_release(&a.job);
    world_start(&w, &a, &kernel_spin, 1000, 1, EXEC_WORKERS); /* another kernel */
    world_turn(&w);
    ck_assert_uint_eq(a.done, 0);
    job_release(&a.job);
    fake_now += 2 * NS_PER_S;
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(a.done, 0);
}
END_TEST

/* Job b's task waits behind job a's, of which two workers die. */
START_TEST(test_the_task_that_only_waited_is_not_blamed)
{
    struct task_message m;

    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    die_of(0);
    world_start(&w, &b, &kernel_sum, 11, 1, EXEC_WORKERS);
    die_of(1);
    ck_assert_uint_eq(a.failure, FAIL_JOB_DIED);
    ck_assert_uint_eq(b.began, 0);
    /* this death is the first one of which b is guilty */
    die_of(2);
    ck_assert_uint_eq(b.done, 0);
    world_add_held(&w, 3);
    world_turn(&w);
    m = held_run(&w, 3);
    held_done(&w, 3, &m, 8);
    world_wait(&w, &b);
    ck_assert_str_eq(world_answer(&b), "8");
}
END_TEST

START_TEST(test_the_death_of_a_worker_frees_a_job_that_nobody_waits_for)
{
    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_area, 5000, 2, EXEC_WORKERS);
    world_turn(&w);
    job_release(&a.job);
    ck_assert_uint_gt(memory_used(), 0);
    world_lose(&w, 0, SIGKILL);
    ck_assert_uint_eq(memory_used(), 0);
}
END_TEST

START_TEST(test_news_of_another_process_is_not_believed)
{
    world_add_held(&w, 0);
    jobs_worker_down(w.jobs, 0, w.workers[0].pid + 1, 0);
    jobs_worker_down(w.jobs, 3, 1, 0);
    jobs_worker_down(w.jobs, 100000, 1, 0);
    ck_assert_uint_eq(jobs_workers(w.jobs), 1);
}
END_TEST

/* ---- the pool's own illness ---- */

static void
die_idle(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        world_add_held(&w, 0);
        world_turn(&w);
        world_lose(&w, 0, 127 << 8);
    }
}

START_TEST(test_five_deaths_without_a_task_are_an_illness)
{
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    die_idle(4);
    ck_assert_uint_eq(a.done, 0);
    die_idle(1);
    ck_assert_uint_eq(a.done, 1);
    ck_assert_uint_eq(a.failure, FAIL_NO_WORKERS);
    world_start(&w, &b, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(b.failure, FAIL_NO_WORKERS);
}
END_TEST

START_TEST(test_after_a_rest_jobs_are_taken_again)
{
    stop_the_clock();
    die_idle(5);
    fake_now += 6 * NS_PER_S;
    world_start(&w, &b, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(b.done, 0);
}
END_TEST

START_TEST(test_one_death_soon_after_a_rest_says_that_the_illness_goes_on)
{
    stop_the_clock();
    die_idle(5);
    for (unsigned i = 0; i < 3; i++) {
        fake_now += 6 * NS_PER_S;
        world_start(&w, &a, &kernel_sum, 10 + i, 1, EXEC_WORKERS);
        world_turn(&w);
        ck_assert_uint_eq(a.done, 0);
        die_idle(1);
        ck_assert_uint_eq(a.done, 1);
        ck_assert_uint_eq(a.failure, FAIL_NO_WORKERS);
        job_release(&a.job);
    }
    fake_now += 11 * NS_PER_S;
    world_start(&w, &b, &kernel_sum, 10, 1, EXEC_WORKERS);
    die_idle(1);
    ck_assert_uint_eq(b.done, 0);
}
END_TEST

START_TEST(test_deaths_far_apart_are_no_illness)
{
    stop_the_clock();
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    for (unsigned i = 0; i < 10; i++) {
        fake_now += 2 * NS_PER_S;
        die_idle(1);
    }
    ck_assert_uint_eq(a.done, 0);
}
END_TEST

START_TEST(test_a_worker_that_has_done_its_task_keeps_the_pool_well)
{
    struct task_message m;

    world_add_held(&w, 1);
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 1);
    held_done(&w, 1, &m, 1);
    world_wait(&w, &a);
    die_idle(6);
    world_start(&w, &b, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(b.done, 0);
    (void)held_run(&w, 1);
}
END_TEST

START_TEST(test_deaths_in_tasks_are_not_the_pools_illness)
{
    for (unsigned i = 0; i < 6; i++) {
        world_start(&w, &a, &kernel_sum, 100 + i, 1, EXEC_WORKERS);
        die_of(i % 2);
        job_release(&a.job);
    }
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(a.done, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("job deaths");
    TCase *t = job_case(suite, "in a task");

    tcase_add_test(t, test_the_task_of_a_dead_worker_is_computed_by_another);
    tcase_add_test(t, test_what_a_worker_said_before_it_died_counts);
    tcase_add_test(t, test_a_second_death_fails_that_job_alone);
    tcase_add_test(t, test_the_like_of_a_deadly_job_is_refused_for_a_minute);
    tcase_add_test(t, test_the_task_that_only_waited_is_not_blamed);
    tcase_add_test(t, test_the_death_of_a_worker_frees_a_job_that_nobody_waits_for);
    tcase_add_test(t, test_news_of_another_process_is_not_believed);
    t = job_case(suite, "illness");
    tcase_add_test(t, test_five_deaths_without_a_task_are_an_illness);
    tcase_add_test(t, test_after_a_rest_jobs_are_taken_again);
    tcase_add_test(t, test_one_death_soon_after_a_rest_says_that_the_illness_goes_on);
    tcase_add_test(t, test_deaths_far_apart_are_no_illness);
    tcase_add_test(t, test_a_worker_that_has_done_its_task_keeps_the_pool_well);
    tcase_add_test(t, test_deaths_in_tasks_are_not_the_pools_illness);
    return suite_run(suite);
}
