/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_world.c tests/lib/job_kernels.c */
/*
 * Jobs on real workers: processes of their own that run the worker's loop.
 */
#include "../lib/job_kernels.h"
#include "../lib/job_world.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "common/memory.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world w;
static struct waiter a, b;

static void
set_up(void)
{
    world_open(&w);
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    world_add_real(&w, 0);
    world_add_real(&w, 1);
}

static void
tear_down(void)
{
    job_release(&a.job);
    job_release(&b.job);
    world_close(&w);
}

/* Turns of the loop until worker `index` says by its page that it runs this job. */
static void
wait_running(unsigned index)
{
    while (atomic_load(&w.workers[index].page->job) == 0)
        (void)world_turn(&w);
}

static void
wait_idle(unsigned index)
{
    while (atomic_load(&w.workers[index].page->job) != 0)
        (void)world_turn(&w);
}

START_TEST(test_a_sum_is_the_same_for_any_number_of_sections)
{
    static const unsigned sections[] = {0, 1, 2, 3, 64, 1000};

    world_start(&w, &a, &kernel_sum, 1000000, sections[_i], EXEC_WORKERS);
    world_wait(&w, &a);
    ck_assert_str_eq(world_answer(&a), "500000500000");
}
END_TEST

START_TEST(test_two_sections_run_in_two_processes)
{
    world_start(&w, &a, &kernel_spin, 20, 2, EXEC_WORKERS);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.job.workers, 2);
    ck_assert_uint_ge(a.job.cpus, 1);
    ck_assert_uint_eq(a.job.ticket.usage.tasks, 2);
    ck_assert_uint_ge(a.job.ticket.usage.cpu_ns, NS_PER_MS);
}
END_TEST

START_TEST(test_workers_share_an_area_through_two_stages)
{
    const struct kernel_piece *pieces;
    unsigned count;

    for (unsigned i = 0; i < 20; i++) {
        world_start(&w, &a, &kernel_area, 251 * 4000, 8, EXEC_WORKERS);
        world_wait(&w, &a);
        ck_assert_str_eq(world_answer(&a), "125500000");
        ck_assert_int_eq(job_answer(&a.job, &pieces, &count), 0);
        ck_assert_mem_eq(pieces[1].data, "\0\1\2\3", 4);
        job_release(&a.job);
    }
    ck_assert_uint_eq(memory_used(), 0);
}
END_TEST

/* How many areas of jobs a worker has mapped. */
static unsigned
mapped(unsigned index)
{
    char path[64], line[512];
    unsigned count = 0;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/maps", w.workers[index].pid);
    maps = fopen(path, "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        count += strstr(line, "memfd:interleave-job") != NULL;
    fclose(maps);
    return count;
}

START_TEST(test_workers_let_go_of_the_areas_of_ended_jobs)
{
    world_start(&w, &a, &kernel_area, 100000, 4, EXEC_WORKERS);
    world_wait(&w, &a);
    ck_assert_uint_eq(mapped(0), 1);
    job_release(&a.job);
    while (mapped(0) + mapped(1) > 0)
        (void)world_turn(&w);
}
END_TEST

START_TEST(test_many_jobs_at_once_all_come_out_right)
{
    enum { MANY = 100 };
    static struct waiter many[MANY];
    char expected[32];

    for (unsigned i = 0; i < MANY; i++)
        world_start(&w, &many[i], &kernel_sum, 100 + i, 1 + i % 7, EXEC_WORKERS);
    for (unsigned i = 0; i < MANY; i++) {
        world_wait(&w, &many[i]);
        snprintf(expected, sizeof(expected), "%u", (100 + i) * (101 + i) / 2);
        ck_assert_str_eq(world_answer(&many[i]), expected);
        ck_assert_uint_eq(many[i].began, many[i].ended);
        job_release(&many[i].job);
    }
}
END_TEST

START_TEST(test_a_kernel_that_refuses_its_input_is_heard)
{
    world_start(&w, &a, &kernel_bad, 10, 1, EXEC_WORKERS);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.failure, FAIL_JOB_INPUT);
    ck_assert_str_eq(a.job.why, "this is no picture");
}
END_TEST

START_TEST(test_a_worker_that_computes_shows_a_heartbeat)
{
    uint64_t before;

    world_start(&w, &a, &kernel_spin, 20000, 1, EXEC_WORKERS);
    world_turn(&w);
    wait_running(0);
    before = atomic_load(&w.workers[0].page->heartbeat);
    while (atomic_load(&w.workers[0].page->heartbeat) < before + 1000)
        (void)world_turn(&w);
}
END_TEST

START_TEST(test_a_released_job_stops_its_worker_within_milliseconds)
{
    uint64_t released;

    world_start(&w, &a, &kernel_spin, 20000, 2, EXEC_WORKERS);
    world_turn(&w);
    wait_running(0);
    wait_running(1);
    job_release(&a.job);
    released = clock_ns();
    wait_idle(0);
    wait_idle(1);
    ck_assert_uint_lt(clock_ns() - released, NS_PER_S); /* of the 20 s; usually some us */
    world_start(&w, &b, &kernel_sum, 1000, 2, EXEC_WORKERS);
    world_wait(&w, &b);
    ck_assert_str_eq(world_answer(&b), "500500");
    ck_assert_uint_eq(w.nkills, 0);
}
END_TEST

START_TEST(test_a_worker_that_is_killed_in_its_task_is_replaced_by_the_other)
{
    world_start(&w, &a, &kernel_spin, 200, 1, EXEC_WORKERS);
    world_turn(&w);
    wait_running(0);
    world_lose(&w, 0, 0);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.failure, FAIL_NONE);
    ck_assert_uint_eq(a.job.workers, 1);
    ck_assert_uint_eq(a.began, 2);
    ck_assert_uint_eq(a.ended, 2);
}
END_TEST

START_TEST(test_a_job_that_kills_two_workers_fails_alone)
{
    world_start(&w, &a, &kernel_crash, 1, 1, EXEC_WORKERS);
    world_start(&w, &b, &kernel_spin, 300, 1, EXEC_WORKERS);
    world_turn(&w);
    world_reap(&w, 0);
    world_add_real(&w, 0);
    while (a.done == 0) {
        (void)world_turn(&w);
        for (unsigned i = 0; i < 2; i++) {
            int status;

            if (waitpid(w.workers[i].pid, &status, WNOHANG) > 0)
                jobs_worker_down(w.jobs, i, w.workers[i].pid, status);
        }
    }
    ck_assert_uint_eq(a.failure, FAIL_JOB_DIED);
    world_wait(&w, &b);
    ck_assert_uint_eq(b.failure, FAIL_NONE);
}
END_TEST

START_TEST(test_a_stopped_worker_is_found_out_and_its_task_computed_elsewhere)
{
    world_start(&w, &a, &kernel_spin, 300, 1, EXEC_WORKERS);
    world_turn(&w);
    wait_running(0);
    kill(w.workers[0].pid, SIGSTOP);
    world_wait_kills(&w, 1);
    ck_assert_uint_eq(w.kills[0].index, 0);
    world_reap(&w, 0);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.failure, FAIL_NONE);
}
END_TEST

START_TEST(test_a_kernel_without_ticks_is_found_out)
{
    world_start(&w, &a, &kernel_hang, 1, 1, EXEC_WORKERS);
    world_wait_kills(&w, 1);
    world_reap(&w, 0);
    world_wait_kills(&w, 2);
    world_reap(&w, 1);
    ck_assert_uint_eq(a.failure, FAIL_JOB_DIED);
}
END_TEST

START_TEST(test_a_small_job_is_done_long_before_large_ones)
{
    static struct waiter large[2];

    for (unsigned i = 0; i < 2; i++)
        world_start(&w, &large[i], &kernel_sum, 3000000000, 1000, EXEC_WORKERS);
    world_turn(&w);
    wait_running(0);
    world_start(&w, &a, &kernel_sum, 20000, 1, EXEC_WORKERS);
    world_wait(&w, &a);
    ck_assert_str_eq(world_answer(&a), "200010000");
    ck_assert_uint_eq(large[0].done + large[1].done, 0);
    job_release(&large[0].job);
    job_release(&large[1].job);
}
END_TEST

/* The end of the last span of the tasks. */
static uint64_t
last_task_end(void)
{
    uint64_t end = 0;
    struct span s;

    for (uint64_t i = span_ring_first(w.ring); i < span_ring_next(w.ring); i++) {
        ck_assert(span_ring_get(w.ring, i, &s));
        if (s.kind == SPAN_TASK && s.end > end)
            end = s.end;
    }
    return end;
}

/* By the time the job is done, all of its CPU time is in the trace. */
START_TEST(test_a_worker_shows_on_which_cpu_it_was)
{
    uint64_t busy[2] = {0}, end = 0;
    struct span s;

    world_start(&w, &a, &kernel_spin, 50, 2, EXEC_WORKERS);
    world_wait(&w, &a);
    for (uint64_t i = span_ring_cpu_first(w.ring); i < span_ring_cpu_next(w.ring); i++) {
        ck_assert(span_ring_cpu_get(w.ring, i, &s));
        ck_assert_uint_ge(s.arg, 1);
        ck_assert_uint_le(s.arg, 2);
        ck_assert_uint_ge(s.lane, LANE_CPU);
        ck_assert_uint_lt(s.start, s.end);
        busy[s.arg - 1] += s.end - s.start;
        end = s.end > end ? s.end : end;
    }
    ck_assert_uint_gt(busy[0], NS_PER_MS);
    ck_assert_uint_gt(busy[1], NS_PER_MS);
    ck_assert_uint_ge(end + 100 * NS_PER_US, last_task_end());
}
END_TEST

static void
keep_to_one_cpu(int pid)
{
    cpu_set_t set;
    unsigned cpu = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ck_assert_int_eq(sched_setaffinity(pid, sizeof(set), &set), 0);
}

START_TEST(test_two_workers_on_one_cpu_are_switched_by_the_kernel_which_is_counted)
{
    keep_to_one_cpu(w.workers[0].pid);
    keep_to_one_cpu(w.workers[1].pid);
    world_start(&w, &a, &kernel_spin, 100, 2, EXEC_WORKERS);
    world_wait(&w, &a);
    ck_assert_uint_eq(a.job.workers, 2);
    ck_assert_uint_eq(a.job.cpus, 1);
    ck_assert_uint_ge(a.job.ticket.usage.kernel_switches, 1);
}
END_TEST

START_TEST(test_workers_end_when_the_front_end_has_gone)
{
    int status[2];

    jobs_close(w.jobs);
    w.jobs = NULL;
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(waitpid(w.workers[i].pid, &status[i], 0), w.workers[i].pid);
        ck_assert(WIFEXITED(status[i]));
        ck_assert_int_eq(WEXITSTATUS(status[i]), 0);
        w.workers[i].real = false;
        w.workers[i].fd = -1;
    }
}
END_TEST

int
main(void)
{
    enum { SECONDS = 60 };
    Suite *suite = suite_create("jobs on real workers");
    TCase *t = tcase_create("workers");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, SECONDS);
    tcase_add_loop_test(t, test_a_sum_is_the_same_for_any_number_of_sections, 0, 6);
    tcase_add_test(t, test_two_sections_run_in_two_processes);
    tcase_add_test(t, test_workers_share_an_area_through_two_stages);
    tcase_add_test(t, test_workers_let_go_of_the_areas_of_ended_jobs);
    tcase_add_test(t, test_many_jobs_at_once_all_come_out_right);
    tcase_add_test(t, test_a_kernel_that_refuses_its_input_is_heard);
    tcase_add_test(t, test_a_worker_that_computes_shows_a_heartbeat);
    tcase_add_test(t, test_a_released_job_stops_its_worker_within_milliseconds);
    tcase_add_test(t, test_a_worker_that_is_killed_in_its_task_is_replaced_by_the_other);
    tcase_add_test(t, test_a_job_that_kills_two_workers_fails_alone);
    tcase_add_test(t, test_a_stopped_worker_is_found_out_and_its_task_computed_elsewhere);
    tcase_add_test(t, test_a_kernel_without_ticks_is_found_out);
    tcase_add_test(t, test_a_small_job_is_done_long_before_large_ones);
    tcase_add_test(t, test_a_worker_shows_on_which_cpu_it_was);
    tcase_add_test(t, test_two_workers_on_one_cpu_are_switched_by_the_kernel_which_is_counted);
    tcase_add_test(t, test_workers_end_when_the_front_end_has_gone);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
