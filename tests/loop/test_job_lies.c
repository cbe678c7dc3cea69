/* links: server/jobs/area.c server/jobs/cost.c server/jobs/grudge.c server/jobs/job.c server/jobs/jobs.c server/jobs/local.c server/jobs/look.c server/jobs/message.c server/jobs/pool.c server/jobs/sched.c server/jobs/start.c server/jobs/status.c server/jobs/tasks.c server/jobs/worker.c server/common/memory.c server/common/wire.c server/common/span.c server/common/slices.c server/common/buf.c server/common/log.c server/common/clock.c workers/task.c workers/area.c tests/lib/job_case.c tests/lib/job_world.c tests/lib/job_kernels.c */
/*
 * Workers that lie, in messages or in their page, or say nothing at all, held in the test's own
 * hands.
 */
#include "../lib/job_case.h"
#include "../lib/job_kernels.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "common/memory.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

/* ---- lies ---- */

enum lie { LIE_TYPE, LIE_JOB, LIE_STAGE, LIE_INDEX, LIE_KERNEL, LIE_SMALL, LIE_FAILED, LIES };

START_TEST(test_a_wrong_message_is_the_end_of_a_worker_and_not_of_its_task)
{
    struct task_message m, lie;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    lie = m = held_run(&w, 0);
    lie.type = _i == LIE_TYPE ? TASK_RUN : TASK_DONE;
    lie.job += _i == LIE_JOB;
    lie.stage += _i == LIE_STAGE;
    lie.index += _i == LIE_INDEX;
    lie.kernel += _i == LIE_KERNEL;
    lie.small_len = _i == LIE_SMALL ? KERNEL_SMALL_MAX + 1 : 8;
    lie.failed = _i == LIE_FAILED ? 2 : 0;
    held_send(&w, 0, &lie);
    world_turn(&w);
    ck_assert_uint_eq(w.nkills, 1);
    ck_assert_int_eq(w.kills[0].pid, w.workers[0].pid);
    ck_assert_uint_eq(jobs_workers(w.jobs), 0);
    held_done(&w, 0, &m, 1); /* too late: it is not believed any more */
    world_turn(&w);
    world_lose(&w, 0, SIGKILL);
    ck_assert_uint_eq(a.done, 0);
    world_add_held(&w, 1);
    world_turn(&w);
    m = held_run(&w, 1);
    held_done(&w, 1, &m, 9);
    world_wait(&w, &a);
    ck_assert_str_eq(world_answer(&a), "9");
}
END_TEST

START_TEST(test_an_answer_that_nobody_asked_for_is_the_end_of_a_worker)
{
    const struct task_message m = {.type = TASK_DONE, .job = 1};

    world_add_held(&w, 0);
    held_send(&w, 0, &m);
    world_turn(&w);
    ck_assert_uint_eq(w.nkills, 1);
}
END_TEST

START_TEST(test_a_message_of_another_size_is_the_end_of_a_worker)
{
    world_add_held(&w, 0);
    ck_assert_int_eq(send(w.workers[0].fd, "DONE", 4, MSG_NOSIGNAL), 4);
    world_turn(&w);
    ck_assert_uint_eq(w.nkills, 1);
}
END_TEST

/* One task done with these times; its span. */
static struct span
span_of_task(uint64_t start, uint64_t end)
{
    struct span s = {0};
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    m.type = TASK_DONE;
    m.start = start;
    m.end = end;
    m.cpu_ns = m.switches = UINT64_MAX;
    m.cpu = UINT32_MAX;
    held_send(&w, 0, &m);
    world_wait(&w, &a);
    for (uint64_t i = span_ring_first(w.ring); i < span_ring_next(w.ring); i++) {
        ck_assert(span_ring_get(w.ring, i, &s));
        if (s.kind == SPAN_TASK)
            return s;
    }
    ck_abort_msg("no span of the task");
    return s;
}

START_TEST(test_times_from_a_worker_are_cut_to_what_is_possible)
{
    struct span s = _i == 0 ? span_of_task(0, UINT64_MAX) : span_of_task(UINT64_MAX, 0);

    ck_assert_uint_eq(s.lane, LANE_WORKER + 0);
    ck_assert_uint_eq(s.request, 7);
    ck_assert_uint_ge(s.start, a.job.begun_ns);
    ck_assert_uint_le(s.start, s.end);
    ck_assert_uint_le(s.end, a.job.ended_ns);
    ck_assert_uint_le(a.job.ticket.usage.cpu_ns, s.end - s.start);
    ck_assert_uint_eq(a.job.cpus, 0); /* there is no such CPU */
}
END_TEST

static void
write_slice(struct slice s)
{
    struct worker_page *page = w.workers[0].page;
    uint64_t next = atomic_load(&page->slices_next);

    page->slices[next % PAGE_SLICES] = s;
    atomic_store(&page->slices_next, next + 1);
}

START_TEST(test_slices_from_a_page_are_taken_when_they_are_possible)
{
    struct task_message m;
    struct span s;
    uint64_t now;

    world_add_held(&w, 0);
    now = clock_ns();
    write_slice((struct slice){now - 5 * NS_PER_S, now, 0, 0}); /* before it lived */
    write_slice((struct slice){now, now, 0, 0});                /* empty */
    write_slice((struct slice){now, now + 3600 * NS_PER_S, 0, 0});
    write_slice((struct slice){now, now + 1, 1U << 30, 0}); /* no such CPU */
    write_slice((struct slice){now, now + 1, 1, 0});
    world_start(&w, &a, &kernel_sum, 10, 1, EXEC_WORKERS);
    world_turn(&w);
    m = held_run(&w, 0);
    held_done(&w, 0, &m, 1);
    world_wait(&w, &a);
    ck_assert_uint_eq(span_ring_cpu_next(w.ring), 1);
    ck_assert(span_ring_cpu_get(w.ring, 0, &s));
    ck_assert_uint_eq(s.lane, LANE_CPU + 1);
    ck_assert_uint_eq(s.arg, 1);
    ck_assert_uint_eq(s.start, now);
}
END_TEST

START_TEST(test_a_page_that_jumps_does_not_confuse_the_reader)
{
    struct task_message m;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 3, EXEC_WORKERS);
    world_turn(&w);
    for (unsigned i = 0; i < 3; i++) {
        m = held_run(&w, 0);
        atomic_store(&w.workers[0].page->slices_next, i == 0 ? UINT64_MAX : i == 1 ? 3 : 1000000);
        held_done(&w, 0, &m, 1);
        world_turn(&w);
    }
    ck_assert_uint_eq(a.done, 1);
    ck_assert_str_eq(world_answer(&a), "3");
}
END_TEST

/* ---- silence ---- */

/* Each look at the clock takes 20 ms: so 2 s pass quickly. */
static uint64_t
hurrying_clock(void)
{
    return fake_now += 20 * NS_PER_MS;
}

START_TEST(test_a_worker_without_heartbeat_for_two_seconds_is_killed)
{
    uint64_t begun;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    (void)held_run(&w, 0);
    stop_the_clock();
    clock_set_source(hurrying_clock);
    begun = fake_now;
    world_wait_kills(&w, 1);
    ck_assert_uint_ge(fake_now - begun, 2 * NS_PER_S);
    ck_assert_int_eq(w.kills[0].pid, w.workers[0].pid);
    ck_assert_uint_eq(a.done, 0);
    world_lose(&w, 0, SIGKILL);
    world_add_held(&w, 1);
    world_turn(&w);
    ck_assert_uint_eq(held_run(&w, 1).index, 0); /* elsewhere, once more */
}
END_TEST

/* Usually it is dead, and the news of its death are on their way: nobody is asked to kill it. */
START_TEST(test_a_worker_that_closed_its_socket_has_two_seconds_to_be_dead)
{
    uint64_t begun;

    world_add_held(&w, 0);
    shutdown(w.workers[0].fd, SHUT_RDWR);
    world_turn(&w);
    ck_assert_uint_eq(w.nkills, 0);
    ck_assert_uint_eq(jobs_workers(w.jobs), 0);
    stop_the_clock();
    clock_set_source(hurrying_clock);
    begun = fake_now;
    world_wait_kills(&w, 1);
    ck_assert_uint_ge(fake_now - begun, 2 * NS_PER_S);
}
END_TEST

START_TEST(test_a_worker_whose_socket_is_broken_gets_no_task)
{
    world_add_held(&w, 0);
    shutdown(w.workers[0].fd, SHUT_RDWR);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    (void)jobs_turn_end(w.jobs); /* sends, before it has read the end */
    ck_assert_uint_eq(a.began, 0);
    ck_assert_uint_eq(jobs_workers(w.jobs), 0);
    world_add_held(&w, 1);
    world_turn(&w);
    (void)held_run(&w, 1);
}
END_TEST

START_TEST(test_a_worker_that_still_starts_has_ten_seconds)
{
    uint64_t begun;

    world_add_held(&w, 0);
    atomic_store(&w.workers[0].page->ready, 0);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    stop_the_clock();
    clock_set_source(hurrying_clock);
    begun = fake_now;
    world_wait_kills(&w, 1);
    ck_assert_uint_ge(fake_now - begun, 10 * NS_PER_S);
}
END_TEST

START_TEST(test_a_heartbeat_keeps_a_worker_alive_as_long_as_it_takes)
{
    uint64_t begun;

    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    (void)held_run(&w, 0);
    stop_the_clock();
    clock_set_source(hurrying_clock);
    begun = fake_now;
    while (fake_now - begun < 5 * NS_PER_S) {
        atomic_fetch_add(&w.workers[0].page->heartbeat, 1);
        event_base_loop(w.base, EVLOOP_ONCE);
        (void)jobs_turn_end(w.jobs);
    }
    ck_assert_uint_eq(w.nkills, 0);
}
END_TEST

START_TEST(test_when_the_loop_itself_stood_still_no_worker_is_blamed)
{
    world_add_held(&w, 0);
    world_start(&w, &a, &kernel_sum, 1000, 1, EXEC_WORKERS);
    world_turn(&w);
    (void)held_run(&w, 0);
    stop_the_clock();
    for (unsigned i = 0; i < 5; i++) {
        fake_now += 10 * NS_PER_S; /* less than job_timeout in all */
        event_base_loop(w.base, EVLOOP_ONCE);
        (void)jobs_turn_end(w.jobs);
    }
    ck_assert_uint_eq(w.nkills, 0);
    ck_assert_uint_eq(a.done, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("job lies");
    TCase *t = job_case(suite, "lies");

    tcase_add_loop_test(t, test_a_wrong_message_is_the_end_of_a_worker_and_not_of_its_task, 0,
                        LIES);
    tcase_add_test(t, test_an_answer_that_nobody_asked_for_is_the_end_of_a_worker);
    tcase_add_test(t, test_a_message_of_another_size_is_the_end_of_a_worker);
    tcase_add_loop_test(t, test_times_from_a_worker_are_cut_to_what_is_possible, 0, 2);
    tcase_add_test(t, test_slices_from_a_page_are_taken_when_they_are_possible);
    tcase_add_test(t, test_a_page_that_jumps_does_not_confuse_the_reader);
    t = job_case(suite, "silence");
    tcase_set_timeout(t, 20);
    tcase_add_test(t, test_a_worker_without_heartbeat_for_two_seconds_is_killed);
    tcase_add_test(t, test_a_worker_that_closed_its_socket_has_two_seconds_to_be_dead);
    tcase_add_test(t, test_a_worker_whose_socket_is_broken_gets_no_task);
    tcase_add_test(t, test_a_worker_that_still_starts_has_ten_seconds);
    tcase_add_test(t, test_a_heartbeat_keeps_a_worker_alive_as_long_as_it_takes);
    tcase_add_test(t, test_when_the_loop_itself_stood_still_no_worker_is_blamed);
    return suite_run(suite);
}
