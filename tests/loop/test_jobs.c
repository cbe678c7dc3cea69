/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_case.c tests/lib/job_world.c tests/lib/job_kernels.c */
/*
 * Jobs, with workers that the test holds in its own hands: who gets which task, and what ends a
 * job.
 */
#include "../lib/job_case.h"
#include "../lib/job_kernels.h"
#include "../lib/suite.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/memory.h"

#include <string.h>

/* ---- who gets which task ---- */

START_TEST(test_every_idle_worker_has_a_task_before_any_has_two)
{
    for (unsigned i = 0; i < 3; i++)
        world_add_held(&w, i);
    world_start(&w, &a, &kernel_sum, 1000, 3, EXEC_WORKERS);
    world_turn(&w);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(held_run(&w, i).index, i);
        held_expect_nothing(&w, i);
    }
    ck_assert_uint_eq(a.began, 3);
}
END_TEST

START_TEST(test_a_worker_holds_two_tasks_at_most)
{
    struct task_message first;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 5, EXEC_WORKERS);
    world_turn(&w);
    first = held_run(&w, 0);
    ck_assert_uint_eq(held_run(&w, 0).index, 1);
    held_expect_nothing(&w, 0);
    ck_assert_uint_eq(a.began, 1); /* the second one waits */
    held_done(&w, 0, &first, 1);
    world_turn(&w);
    ck_assert_uint_eq(a.began, 2);
    ck_assert_uint_eq(a.ended, 1);
    ck_assert_uint_eq(held_run(&w, 0).index, 2);
    held_expect_nothing(&w, 0);
}
END_TEST

START_TEST(test_no_task_waits_behind_a_long_one)
{
    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000000000, 4, EXEC_WORKERS); /* 250 ms each, it is thought */
    world_turn(&w);
    (void)held_run(&w, 0);
    held_expect_nothing(&w, 0);
}
END_TEST

START_TEST(test_a_job_that_begins_later_does_not_wait_for_all_tasks_of_an_older_one)
{
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 100000, 50, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    (void)held_run(&w, 0);
    world_start(&w, &b, &kernel_sum, 10, 1, EXEC_WORKERS);
    held_done(&w, 0, &m, 0);
    world_turn(&w);
    ck_assert_uint_eq(held_run(&w, 0).count, 1); /* of job b */
}
END_TEST

START_TEST(test_two_jobs_of_the_same_age_share_the_idle_workers)
{
    uint64_t first;

    for (unsigned i = 0; i < 4; i++)
        world_add_held(&w, i);
    world_start(&w, &a, &kernel_sum, 100000, 50, EXEC_WORKERS);
    world_start(&w, &b, &kernel_sum, 100000, 50, EXEC_WORKERS);
    world_turn(&w);
    first = held_run(&w, 0).job;
    ck_assert_uint_ne(held_run(&w, 1).job, first);
    ck_assert_uint_eq(held_run(&w, 2).job, first);
    ck_assert_uint_ne(held_run(&w, 3).job, first);
}
END_TEST

START_TEST(test_auto_cuts_long_jobs_into_tasks_of_milliseconds_and_short_ones_for_all_workers)
{
    for (unsigned i = 0; i < 3; i++)
        world_add_held(&w, i);
    world_start(&w, &a, &kernel_sum, 1000000000, 0, EXEC_WORKERS); /* 1 s, it is thought */
    ck_assert_uint_eq(a.job.tasks, 250);
    world_start(&w, &b, &kernel_sum, 2000000, 0, EXEC_WORKERS);
    ck_assert_uint_eq(b.job.tasks, 3);
}
END_TEST

START_TEST(test_all_tasks_done_is_a_job_done)
{
    struct task_message m;
    struct usage *u = &a.job.ticket.usage;

    world_add_held(&w, 0);
    world_add_held(&w, 1);
    world_start(&w, &a, &kernel_sum, 1000, 2, EXEC_WORKERS);
    world_turn(&w);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(a.done, 0);
        m = held_run(&w, i);
        held_done(&w, i, &m, 40 + i);
        world_turn(&w);
    }
    ck_assert_uint_eq(a.done, 1);
    ck_assert_str_eq(world_answer(&a), "81");
    ck_assert_uint_eq(a.began, 2);
    ck_assert_uint_eq(a.ended, 2);
    ck_assert_uint_eq(u->tasks, 2);
    ck_assert_uint_eq(a.job.workers, 2);
    ck_assert_uint_eq(a.job.cpus, 2);
    ck_assert_uint_le(a.job.started_ns, a.job.begun_ns);
    ck_assert_uint_le(a.job.begun_ns, a.job.ended_ns);
    ck_assert_uint_eq(u->queue_ns, a.job.begun_ns - a.job.started_ns);
    job_release(&a.job);
}
END_TEST

START_TEST(test_jobs_wait_while_no_worker_is_there)
{
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(a.began + a.done, 0);
    world_add_held(&w, 2);
    world_turn(&w);
    (void)held_run(&w, 2);
    ck_assert_uint_eq(a.began, 1);
}
END_TEST

/* ---- what ends a job ---- */

static void
expect_failure(const struct kernel *kernel, int64_t n, enum failure failure, const char *why)
{
    world_start(&w, &a, kernel, n, 1, EXEC_WORKERS);
    for (unsigned i = 0; i < 3 && a.done == 0; i++)
        world_turn(&w);
    ck_assert_uint_eq(a.done, 1);
    ck_assert_uint_eq(a.failure, failure);
    ck_assert_msg(strstr(a.job.why, why) != NULL, "%s", a.job.why);
    job_release(&a.job);
}

START_TEST(test_without_workers_a_job_fails_at_once)
{
    w.conf.workers = 0;
    expect_failure(&kernel_sum, 10, FAIL_NO_WORKERS, "workers = 0");
}
END_TEST

START_TEST(test_a_job_that_fails_at_once_does_not_let_the_loop_sleep)
{
    world_add_held(&w, 0); /* something to wait for */
    world_turn(&w);
    w.conf.workers = 0;
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    event_base_loop(w.base, EVLOOP_ONCE);
    (void)jobs_turn_end(w.jobs);
    ck_assert_uint_eq(a.done, 1);
    job_release(&a.job);
}
END_TEST

START_TEST(test_parameters_that_do_not_go_together_are_told_in_a_sentence)
{
    expect_failure(&kernel_refuse, 10, FAIL_JOB_INPUT, "do not go together");
}
END_TEST

START_TEST(test_a_job_that_needs_too_much_memory_is_refused)
{
    expect_failure(&kernel_wide, 65, FAIL_MEMORY, "octets");
    ck_assert_uint_eq(memory_used(), 0);
}
END_TEST

START_TEST(test_jobs_share_one_limit_of_memory)
{
    world_start(&w, &b, &kernel_wide, 40, 1, EXEC_WORKERS);
    expect_failure(&kernel_wide, 40, FAIL_MEMORY, "in use");
    job_release(&b.job);
    world_start(&w, &a, &kernel_wide, 40, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(a.done, 0);
    job_release(&a.job);
}
END_TEST

START_TEST(test_there_is_a_largest_number_of_jobs)
{
    enum { MOST = 1024 };
    static struct waiter many[MOST];

    w.conf.max_memory = 1LL << 32;
    memory_set_limit(1ULL << 32);
    for (unsigned i = 0; i < MOST; i++)
        world_start(&w, &many[i], &kernel_sum, 10, 1, EXEC_WORKERS);
    expect_failure(&kernel_sum, 10, FAIL_JOBS_FULL, "1024 jobs");
    job_release(&many[0].job);
    world_start(&w, &many[0], &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(many[0].done, 0);
    for (unsigned i = 0; i < MOST; i++)
        job_release(&many[i].job);
}
END_TEST

/* One worker answers the job's only task with this small result. */
static void
answer_only_task(const struct kernel *kernel, uint32_t failed, const char *small)
{
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, kernel, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    m.type = TASK_DONE;
    m.failed = failed;
    m.small_len = (uint32_t)strlen(small);
    memcpy(m.small, small, strlen(small));
    held_send(&w, 0, &m);
    world_turn(&w);
}

START_TEST(test_a_kernel_that_refuses_its_input_says_why)
{
    answer_only_task(&kernel_bad, 1, "this is no picture");
    ck_assert_uint_eq(a.failure, FAIL_JOB_INPUT);
    ck_assert_str_eq(a.job.why, "this is no picture");
    ck_assert_uint_eq(a.ended, 1);
    job_release(&a.job);
}
END_TEST

START_TEST(test_results_that_cannot_be_right_fail_the_job)
{
    answer_only_task(&kernel_wrong, 0, "");
    ck_assert_uint_eq(a.failure, FAIL_JOB_DIED);
    job_release(&a.job);
}
END_TEST

START_TEST(test_a_job_that_takes_too_long_ends_and_its_tasks_are_told_to_stop)
{
    struct task_message m;

    w.conf.job_timeout = 50;
    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 5, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.failure, FAIL_JOB_LATE);
    ck_assert_uint_ge(a.job.ended_ns - a.job.started_ns, 50 * NS_PER_MS);
    ck_assert_uint_eq(a.began, a.ended);
    ck_assert_uint_eq(atomic_load(&w.workers[0].page->cancel_job), m.job);
    job_release(&a.job);
    /* what comes late is dropped, and the worker is free for others */
    held_done(&w, 0, &m, 1);
    m = held_run(&w, 0); /* it was on its way */
    held_done(&w, 0, &m, 1);
    world_start(&w, &b, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    held_done(&w, 0, &m, 5);
    world_wait(&w, &b);
    ck_assert_str_eq(world_answer(&b), "5");
    job_release(&b.job);
}
END_TEST

/* ---- for people ---- */

START_TEST(test_status_counts_what_is_there)
{
    struct buf out = {0};

    world_add_held(&w, 0);
    world_add_held(&w, 1);
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    jobs_status_json(w.jobs, &out);
    buf_add_char(&out, '\0');
    ck_assert_ptr_nonnull(strstr(out.data, "\"alive\":2,\"running\":1,"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"in_progress\":1,"));
    ck_assert_ptr_nonnull(strstr(out.data, "\"sum\":{\"unit_ns\":1,"));
    buf_fini(&out);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("jobs");
    TCase *t = job_case(suite, "tasks");

    tcase_add_test(t, test_every_idle_worker_has_a_task_before_any_has_two);
    tcase_add_test(t, test_a_worker_holds_two_tasks_at_most);
    tcase_add_test(t, test_no_task_waits_behind_a_long_one);
    tcase_add_test(t, test_a_job_that_begins_later_does_not_wait_for_all_tasks_of_an_older_one);
    tcase_add_test(t, test_two_jobs_of_the_same_age_share_the_idle_workers);
    tcase_add_test(
        t, test_auto_cuts_long_jobs_into_tasks_of_milliseconds_and_short_ones_for_all_workers);
    tcase_add_test(t, test_all_tasks_done_is_a_job_done);
    tcase_add_test(t, test_jobs_wait_while_no_worker_is_there);
    t = job_case(suite, "ends");
    tcase_add_test(t, test_without_workers_a_job_fails_at_once);
    tcase_add_test(t, test_a_job_that_fails_at_once_does_not_let_the_loop_sleep);
    tcase_add_test(t, test_parameters_that_do_not_go_together_are_told_in_a_sentence);
    tcase_add_test(t, test_a_job_that_needs_too_much_memory_is_refused);
    tcase_add_test(t, test_jobs_share_one_limit_of_memory);
    tcase_add_test(t, test_there_is_a_largest_number_of_jobs);
    tcase_add_test(t, test_a_kernel_that_refuses_its_input_says_why);
    tcase_add_test(t, test_results_that_cannot_be_right_fail_the_job);
    tcase_add_test(t, test_a_job_that_takes_too_long_ends_and_its_tasks_are_told_to_stop);
    t = job_case(suite, "people");
    tcase_add_test(t, test_status_counts_what_is_there);
    return suite_run(suite);
}
