/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_world.c tests/lib/job_kernels.c */
/*
 * Jobs that compute on the loop thread: in turns, or all at once.
 */
#include "../lib/job_kernels.h"
#include "../lib/job_world.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "common/memory.h"

#include <string.h>

static struct world w;
static struct waiter a, b;

static void
set_up(void)
{
    world_open(&w);
    w.conf.workers = 0;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
}

static void
tear_down(void)
{
    job_release(&a.job);
    job_release(&b.job);
    world_close(&w);
    ck_assert_uint_eq(memory_used(), 0);
}

START_TEST(test_a_loop_job_runs_one_task_per_turn)
{
    world_start(&w, &a, &kernel_sum, 1000, 3, EXEC_LOOP);
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert_uint_eq(a.done, 0);
        ck_assert(world_turn(&w)); /* there is more, or the waiter is to be told */
        ck_assert_uint_eq(a.ended, i);
    }
    ck_assert(world_turn(&w)); /* its waiter is told before the next task */
    ck_assert_uint_eq(a.done, 1);
    ck_assert_str_eq(world_answer(&a), "500500");
    ck_assert(!world_turn(&w)); /* now the loop may sleep */
    ck_assert_uint_eq(a.job.workers, 0);
    ck_assert_uint_eq(a.job.cpus > 0, 1);
    ck_assert_uint_eq(a.job.ticket.usage.tasks, 3);
    ck_assert_uint_gt(a.job.ticket.usage.cpu_ns, 0);
}
END_TEST

START_TEST(test_loop_jobs_take_turns)
{
    world_start(&w, &a, &kernel_spin, 2, 5, EXEC_LOOP); /* 2 tasks, 2 ms each */
    world_start(&w, &b, &kernel_spin, 2, 5, EXEC_LOOP);
    world_turn(&w);
    world_turn(&w);
    ck_assert_uint_eq(a.ended, 1);
    ck_assert_uint_eq(b.ended, 1);
    world_wait(&w, &a);
    world_wait(&w, &b);
    ck_assert_uint_ge(a.job.ticket.usage.cpu_ns, NS_PER_MS);
}
END_TEST

START_TEST(test_a_blocking_job_runs_as_a_whole_in_one_turn)
{
    world_start(&w, &a, &kernel_sum, 1000, 7, EXEC_LOOP_BLOCKING);
    world_start(&w, &b, &kernel_sum, 1000, 7, EXEC_LOOP_BLOCKING);
    world_turn(&w);
    ck_assert_uint_eq(a.began, 7);
    ck_assert_uint_eq(a.ended, 7);
    ck_assert_uint_eq(b.began, 0); /* first come, first served */
    world_turn(&w);
    ck_assert_uint_eq(a.done, 1);
    world_turn(&w);
    ck_assert_str_eq(world_answer(&b), "500500");
}
END_TEST

START_TEST(test_stages_and_area_are_the_same_on_the_loop)
{
    const struct kernel_piece *pieces;
    unsigned count;
    enum executor executor = _i == 0 ? EXEC_LOOP : EXEC_LOOP_BLOCKING;

    world_start(&w, &a, &kernel_area, 251 * 4, 4, executor);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.job.tasks, 4 + 3);
    ck_assert_str_eq(world_answer(&a), "125500"); /* 4 * (0 + 1 + ... + 250) */
    ck_assert_int_eq(job_answer(&a.job, &pieces, &count), 0);
    ck_assert_uint_eq(count, 2);
    ck_assert_mem_eq(pieces[1].data, "\0\1\2\3", 4);
}
END_TEST

START_TEST(test_a_kernel_that_takes_uploads_may_not_run_on_the_loop)
{
    world_start(&w, &a, &kernel_workers_only, 10, 1, EXEC_LOOP);
    world_turn(&w);
    ck_assert_uint_eq(a.failure, FAIL_JOB_INPUT);
    ck_assert_ptr_nonnull(strstr(a.job.why, "needs workers"));
}
END_TEST

START_TEST(test_a_kernel_that_refuses_its_input_says_why_on_the_loop_too)
{
    world_start(&w, &a, &kernel_bad, 10, 3, EXEC_LOOP);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.failure, FAIL_JOB_INPUT);
    ck_assert_str_eq(a.job.why, "this is no picture");
    ck_assert_uint_eq(a.began, a.ended);
}
END_TEST

START_TEST(test_a_job_on_the_loop_ends_at_its_deadline_in_the_middle_of_a_task)
{
    enum executor executor = _i == 0 ? EXEC_LOOP : EXEC_LOOP_BLOCKING;

    w.conf.job_timeout = 30;
    world_start(&w, &a, &kernel_spin, 20000, 1, executor);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.failure, FAIL_JOB_LATE);
    ck_assert_uint_eq(a.began, a.ended);
    ck_assert_uint_lt(a.job.ended_ns - a.job.started_ns, 10 * NS_PER_S);
}
END_TEST

START_TEST(test_a_released_loop_job_runs_no_further)
{
    world_start(&w, &a, &kernel_sum, 1000, 9, EXEC_LOOP);
    world_start(&w, &b, &kernel_sum, 1000, 9, EXEC_LOOP_BLOCKING);
    job_release(&b.job);
    world_turn(&w);
    ck_assert_uint_eq(a.ended, 1);
    job_release(&a.job);
    ck_assert(!world_turn(&w));
    ck_assert_uint_eq(a.ended, 1);
    ck_assert_uint_eq(a.done + b.began, 0);
}
END_TEST

START_TEST(test_tasks_and_queue_are_in_the_trace)
{
    unsigned tasks = 0, queues = 0;
    struct span s;

    world_start(&w, &a, &kernel_sum, 1000, 3, EXEC_LOOP);
    world_wait(&w, &a);
    for (uint64_t i = span_ring_first(w.ring); i < span_ring_next(w.ring); i++) {
        ck_assert(span_ring_get(w.ring, i, &s));
        ck_assert_uint_eq(s.request, 7);
        if (s.kind == SPAN_TASK) {
            ck_assert_uint_eq(s.lane, LANE_LOOP);
            ck_assert_uint_eq(s.arg, tasks);
            tasks++;
        }
        queues += s.kind == SPAN_QUEUE;
    }
    ck_assert_uint_eq(tasks, 3);
    ck_assert_uint_eq(queues, 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("jobs on the loop");
    TCase *t = tcase_create("loop");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, test_a_loop_job_runs_one_task_per_turn);
    tcase_add_test(t, test_loop_jobs_take_turns);
    tcase_add_test(t, test_a_blocking_job_runs_as_a_whole_in_one_turn);
    tcase_add_loop_test(t, test_stages_and_area_are_the_same_on_the_loop, 0, 2);
    tcase_add_test(t, test_a_kernel_that_takes_uploads_may_not_run_on_the_loop);
    tcase_add_test(t, test_a_kernel_that_refuses_its_input_says_why_on_the_loop_too);
    tcase_add_loop_test(t, test_a_job_on_the_loop_ends_at_its_deadline_in_the_middle_of_a_task, 0,
                        2);
    tcase_add_test(t, test_a_released_loop_job_runs_no_further);
    tcase_add_test(t, test_tasks_and_queue_are_in_the_trace);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
