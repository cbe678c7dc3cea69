/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_case.c tests/lib/job_world.c tests/lib/job_kernels.c */
/*
 * Jobs that nobody waits for any more, and the memory that their tasks share, with workers that the
 * test holds in its own hands.
 */
#include "../lib/job_case.h"
#include "../lib/job_kernels.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- nobody waits any more ---- */

START_TEST(test_releasing_a_running_job_cancels_its_tasks_and_drops_the_others)
{
    struct task_message m[2];

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 9, EXEC_WORKERS);
    world_turn(&w);
    m[0] = held_run(&w, 0);
    m[1] = held_run(&w, 0);
    job_release(&a.job);
    ck_assert_ptr_null(a.job.work);
    ck_assert_uint_eq(atomic_load(&w.workers[0].page->cancel_job), m[0].job);
    ck_assert_uint_gt(memory_used(), 0); /* until its tasks are back */
    held_done(&w, 0, &m[0], 1);
    held_done(&w, 0, &m[1], 1);
    world_turn(&w);
    held_expect_nothing(&w, 0);
    ck_assert_uint_eq(memory_used(), 0);
    ck_assert_uint_eq(atomic_load(&w.workers[0].page->cancel_job), 0);
    ck_assert_uint_eq(a.done, 0);
}
END_TEST

START_TEST(test_a_cancelled_task_that_waits_behind_another_job_is_cancelled_too)
{
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_start(&w, &b, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    job_release(&b.job);
    ck_assert_uint_ne(atomic_load(&w.workers[0].page->cancel_job), m.job);
    ck_assert_uint_eq(atomic_load(&w.workers[0].page->cancel_job), held_run(&w, 0).job);
    held_done(&w, 0, &m, 3);
    world_wait(&w, &a);
    ck_assert_str_eq(world_answer(&a), "3");
    job_release(&a.job);
}
END_TEST

START_TEST(test_a_job_may_be_released_by_its_own_callback_and_twice)
{
    a.release = true;
    w.conf.workers = 0;
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    ck_assert_uint_eq(a.done, 1);
    ck_assert_ptr_null(a.job.work);
    job_release(&a.job);
    job_release(&(struct job){0});
}
END_TEST

static unsigned again_and_again;

static void
start_again(struct waiter *waiter)
{
    again_and_again++;
    job_release(&waiter->job);
    world_start(&w, waiter, &kernel_sum, 10, 1, EXEC_WORKERS);
    waiter->then = start_again;
}

START_TEST(test_a_job_that_fails_and_is_started_again_for_ever_leaves_others_their_turn)
{
    w.conf.workers = 0;
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    a.then = start_again;
    for (unsigned i = 0; i < 10; i++)
        ck_assert(world_turn(&w));
    ck_assert_uint_ge(again_and_again, 10);
    ck_assert_uint_le(again_and_again, 20);
    job_release(&a.job);
}
END_TEST

START_TEST(test_closing_releases_jobs_in_every_state)
{
    struct waiter running = {0}, over = {0}, left = {0};

    world_add_held(&w, 0);
    world_start(&w, &left, &kernel_area, 5000, 1, EXEC_WORKERS);
    world_start(&w, &running, &kernel_area, 5000, 2, EXEC_WORKERS);
    world_turn(&w);
    job_release(&left.job);
    world_start(&w, &a, &kernel_refuse, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    world_start(&w, &over, &kernel_refuse, 10, 1, EXEC_WORKERS);
    jobs_close(w.jobs);
    ck_assert_ptr_null(running.job.work);
    ck_assert_ptr_null(over.job.work);
    ck_assert_ptr_null(a.job.work);
    ck_assert_uint_eq(memory_used(), 0);
    w.jobs = NULL;
}
END_TEST

/* ---- the shared area ---- */

START_TEST(test_an_area_is_sent_once_per_worker_sealed_and_dropped_in_the_end)
{
    struct task_message m, run;
    struct stat status;
    int fd;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_area, 5000, 2, EXEC_WORKERS);
    world_turn(&w);
    ck_assert(held_receive(&w, 0, &m, &fd));
    ck_assert_uint_eq(m.type, TASK_AREA);
    ck_assert_uint_eq(m.area_size, 5000);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_int_eq(status.st_size, 5000);
    ck_assert_int_ne(ftruncate(fd, 100), 0);
    ck_assert_int_eq(errno, EPERM);
    close(fd);
    run = held_run(&w, 0);
    ck_assert_uint_eq(run.job, m.job);
    ck_assert_uint_eq(held_run(&w, 0).index, 1); /* no second TASK_AREA */
    held_done(&w, 0, &run, 0);
    job_release(&a.job);
    run.index = 1;
    held_done(&w, 0, &run, 0);
    world_turn(&w);
    ck_assert(held_receive(&w, 0, &m, NULL));
    ck_assert_uint_eq(m.type, TASK_DROP);
    ck_assert_uint_eq(m.job, run.job);
}
END_TEST

START_TEST(test_a_worker_without_an_area_hears_of_no_drop)
{
    world_add_held(&w, 0);
    world_add_held(&w, 1);
    world_start(&w, &a, &kernel_area, 5000, 1, EXEC_WORKERS);
    world_turn(&w);
    held_expect_nothing(&w, 1);
    job_release(&a.job);
    held_expect_nothing(&w, 1);
}
END_TEST

enum { FULL_MAX = 40 };
static struct waiter many[FULL_MAX];

/* Reads and answers whatever has come; returns how many areas were dropped. */
static unsigned
read_all(void)
{
    struct task_message m;
    unsigned drops = 0;

    while (held_receive(&w, 0, &m, NULL)) {
        drops += m.type == TASK_DROP;
        if (m.type == TASK_RUN)
            held_done(&w, 0, &m, 1);
    }
    return drops;
}

/* A worker that does not read for a while: _i messages lie in its socket, which is small, before a
 * new job is started. What doesn't fit waits or is sent again. */
START_TEST(test_a_full_socket_loses_nothing)
{
    unsigned count = 1 + (unsigned)_i, drops = 0;

    w.small_sockets = true;
    world_add_held(&w, 0);
    for (unsigned i = 0; i < count; i++) {
        world_start(&w, &many[i], &kernel_area, 500, 1, EXEC_WORKERS);
        for (unsigned turn = 0; many[i].done == 0 && turn < 20; turn++) {
            world_turn(&w);
            drops += read_all();
        }
        ck_assert_uint_eq(many[i].done, 1);
    }
    ck_assert_uint_eq(drops, 0);
    for (unsigned i = 0; i < count; i++)
        job_release(&many[i].job);
    world_start(&w, &a, &kernel_area, 500, 1, EXEC_WORKERS);
    world_turn(&w);
    world_turn(&w);
    for (unsigned turn = 0; turn < 20; turn++) {
        drops += read_all();
        world_turn(&w);
    }
    ck_assert_uint_eq(a.done, 1);
    ck_assert_uint_eq(drops, count);
    ck_assert_uint_eq(w.nkills, 0);
    job_release(&a.job);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("job release");
    TCase *t = job_case(suite, "release");

    tcase_add_test(t, test_releasing_a_running_job_cancels_its_tasks_and_drops_the_others);
    tcase_add_test(t, test_a_cancelled_task_that_waits_behind_another_job_is_cancelled_too);
    tcase_add_test(t, test_a_job_may_be_released_by_its_own_callback_and_twice);
    tcase_add_test(t, test_a_job_that_fails_and_is_started_again_for_ever_leaves_others_their_turn);
    tcase_add_test(t, test_closing_releases_jobs_in_every_state);
    t = job_case(suite, "area");
    tcase_add_test(t, test_an_area_is_sent_once_per_worker_sealed_and_dropped_in_the_end);
    tcase_add_test(t, test_a_worker_without_an_area_hears_of_no_drop);
    tcase_add_loop_test(t, test_a_full_socket_loses_nothing, 0, FULL_MAX);
    return suite_run(suite);
}
