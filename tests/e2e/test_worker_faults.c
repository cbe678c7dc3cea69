/*
 * Workers die, freeze and are told to go, while steady load goes on beside them:
 *
 *   others          /plaintext and /db answer 200, always; so do jobs, but in a storm of deaths
 *   a blamed task   runs once more; a second death fails its job alone, by 502
 *   a dead worker   is back in the pool within 50 ms
 *   a stuck one     is killed after 2 s
 *   in the end      no zombie, no orphan: what loses its parent becomes a child of this test
 *
 * Each test has a server of its own. What it measured stands in its log.
 */
#include "family.h"
#include "steady.h"
#include "suite.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1e6

enum { WORKERS = 2, BACK_MS = 50, BACK_SLOWED_MS = 500, STUCK_MS = 2000, STUCK_LATE_MS = 2000 };
enum { STORM = 14, ROUNDS = 5 };

/* Those without a computation come first. Jobs may wait for a stuck worker, or for some behind one
 * another. */
enum { PLAINTEXT, DB, NO_JOBS, PRIMES = NO_JOBS, WORK, ROWS };
static const struct steady_row rows[ROWS] = {
    [PLAINTEXT] = {"/plaintext", 2, 2000, true, "Hello, World!"},
    [DB] = {"/db", 2, 4000, true, "randomNumber"},
    [PRIMES] = {"/cpu/primes?n=1000000", 2, 15000, true, "\"primes\":78498,"},
    [WORK] = {"/work?wait_ms=0&cpu_ms=20&sections=2", 3, 15000, true, NULL},
};
static const struct steady_row storm_rows[ROWS] = {
    [PLAINTEXT] = {"/plaintext", 2, 2000, true, "Hello, World!"},
    [DB] = {"/db", 2, 4000, true, "randomNumber"},
    [PRIMES] = {"/cpu/primes?n=1000000", 2, 15000, false, "\"primes\":78498,"},
    [WORK] = {"/work?wait_ms=0&cpu_ms=20&sections=2", 3, 15000, false, NULL},
};

static struct server *server;
static struct steady *load;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
    status_wait(server, "workers.alive", WORKERS, WORKERS);
    status_wait(server, "database.up", 1, 1);
}

static void
stop(void)
{
    steady_drop(&load);
    server_stop(server);
}

static double
ms_since(uint64_t since)
{
    return (double)(steady_now_ns() - since) / NS_PER_MS;
}

static double
back_limit(void)
{
    return strstr(server_binary(), "/san/") != NULL ? BACK_SLOWED_MS : BACK_MS;
}

/* All is as it was before, and nothing was wrong. */
static void
end(struct steady_count *counts)
{
    status_wait(server, "workers.alive", WORKERS, WORKERS);
    steady_end(&load, counts);
    status_wait(server, "requests.in_progress", 0, 0);
    status_wait(server, "workers.jobs.in_progress", 0, 0);
    family_expect(server, WORKERS);
}

static double
worker_number(unsigned index, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "workers.list.%u.%s", index, name);
    return status_number(server, path);
}

/* 0 would be all of us. */
static void
strike(pid_t pid, int signal_number)
{
    ck_assert_int_gt(pid, 1);
    kill(pid, signal_number);
}

static uint64_t
cpu_ns(pid_t pid)
{
    struct timespec ts = {0};
    clockid_t clock;

    ck_assert_int_eq(clock_getcpuclockid(pid, &clock), 0);
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The one worker that holds a task now; it has begun with it, and not only with itself. */
static unsigned
computing_worker(void)
{
    unsigned index = 0;
    uint64_t begun;
    pid_t pid;

    status_wait(server, "workers.running", 1, 1);
    while (index < WORKERS && worker_number(index, "running") == 0)
        index++;
    ck_assert_uint_lt(index, WORKERS);
    pid = server_worker(server, index);
    for (begun = cpu_ns(pid); cpu_ns(pid) < begun + 300 * 1000000;)
        sched_yield();
    return index;
}

/* ---- deaths ---- */

/* Kills the workers `first` to `last`; how long, from the last one's death on, until all are in the
 * pool again. None of them runs when the first one dies: a task that is sent from there to the next
 * one does not begin on it, and so does not die twice. */
static double
kill_and_await(unsigned first, unsigned last, int signal_number)
{
    pid_t pids[WORKERS], pid;
    uint64_t dead;

    for (unsigned i = first; i <= last; i++)
        pids[i] = server_worker(server, i);
    for (unsigned i = first; i <= last && first < last; i++)
        strike(pids[i], SIGSTOP);
    for (unsigned i = first; i <= last; i++)
        strike(pids[i], signal_number);
    for (unsigned i = first; i <= last && first < last; i++)
        strike(pids[i], SIGCONT);
    for (unsigned i = first; i <= last; i++)
        process_wait_gone(pids[i]);
    dead = steady_now_ns();
    for (unsigned i = first; i <= last; i++)
        while ((pid = server_worker(server, i)) == 0 || pid == pids[i])
            ck_assert_msg(ms_since(dead) < E2E_DEADLINE_MS, "worker %u does not come back", i);
    return ms_since(dead);
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Kills the workers `first` to `last` again and again. A round ends when each job of its time has
 * been answered: no task dies twice. */
static void
kill_in_rounds(unsigned first, unsigned last, int signal_number, const char *fault)
{
    double ms[ROUNDS];

    server->crashes_wanted = signal_number == SIGSEGV;
    load = steady_start(server, rows, ROWS);
    steady_wait_good(load, 10);
    for (unsigned i = 0; i < ROUNDS; i++) {
        ms[i] = kill_and_await(first, last, signal_number);
        steady_wait_good(load, 10);
    }
    ck_assert(status_number(server, "workers.deaths.all") == ROUNDS * (last - first + 1));
    ck_assert(status_number(server, "workers.tasks.run_again") > 0);
    end(NULL);
    qsort(ms, ROUNDS, sizeof(ms[0]), compare_doubles);
    printf("%s: back in the pool after %.1f ms (the quickest of %d; median %.1f, at most %.1f)\n",
           fault, ms[0], ROUNDS, ms[ROUNDS / 2], ms[ROUNDS - 1]);
    /* the others are as slow as this machine is busy with other things */
    ck_assert_msg(ms[0] <= back_limit(), "%s: back after %.1f ms", fault, ms[0]);
}

START_TEST(test_one_worker_is_killed)
{
    kill_in_rounds(0, 0, SIGKILL, "one worker, SIGKILL");
}
END_TEST

START_TEST(test_one_worker_crashes)
{
    kill_in_rounds(1, 1, SIGSEGV, "one worker, SIGSEGV");
}
END_TEST

START_TEST(test_all_workers_are_killed)
{
    kill_in_rounds(0, WORKERS - 1, SIGKILL, "all workers, SIGKILL");
}
END_TEST

START_TEST(test_all_workers_crash)
{
    kill_in_rounds(0, WORKERS - 1, SIGSEGV, "all workers, SIGSEGV");
}
END_TEST

START_TEST(test_a_job_whose_task_dies_twice_fails_alone)
{
    static const char job[] = "/work?wait_ms=0&cpu_ms=3000&sections=1";
    const int fd = client_connect(server);
    struct reply r;

    load = steady_start(server, rows, NO_JOBS);
    client_send_get(fd, job);
    for (unsigned deaths = 1; deaths <= 2; deaths++) {
        const unsigned index = computing_worker();

        kill_and_await(index, index, SIGKILL);
        status_wait(server, "workers.tasks.run_again", 1, 1);
        /* another one beside it: there is a worker that is free */
        json_decref(get_json(server, "/cpu/primes?n=1000000&sections=1", 200));
    }
    ck_assert(client_read_reply(fd, &r, false));
    ck_assert_msg(r.status == 502, "%d %s", r.status, r.body);
    ck_assert_ptr_nonnull(strstr(r.body, "/problems/job-died"));
    reply_free(&r);
    close(fd);
    r = http_get(server, job);
    ck_assert_msg(r.status == 502, "%d %s", r.status, r.body);
    ck_assert_ptr_nonnull(strstr(r.body, "/problems/job-refused"));
    ck_assert_ptr_nonnull(reply_field(&r, "retry-after"));
    reply_free(&r);
    json_decref(get_json(server, "/work?wait_ms=0&cpu_ms=1&sections=1", 200));
    ck_assert(status_number(server, "workers.deaths.all") == 2);
    end(NULL);
}
END_TEST

/* As soon as a worker is there it is killed: so they are started ever more rarely, and the pool
 * counts as ill for 5 s after the last death. */
START_TEST(test_a_storm_of_deaths_harms_only_jobs)
{
    pid_t killed[WORKERS] = {0};
    struct steady_count n[ROWS];
    uint64_t over;
    struct reply r;

    load = steady_start(server, storm_rows, ROWS);
    steady_wait_good(load, 5);
    for (unsigned i = 0; i < STORM; i++) {
        const unsigned index = i % WORKERS;
        pid_t pid;

        while ((pid = server_worker(server, index)) == 0 || pid == killed[index])
            steady_wait_answers(load, PLAINTEXT, 1);
        killed[index] = pid;
        strike(pid, SIGKILL);
    }
    over = steady_now_ns();
    while ((r = http_get(server, "/cpu/primes?n=1000003")).status != 200) {
        ck_assert_msg(r.status == 502 || r.status == 503, "%d %s", r.status, r.body);
        ck_assert_msg(ms_since(over) < E2E_DEADLINE_MS, "no job is computed any more");
        reply_free(&r);
        steady_wait_answers(load, PLAINTEXT, 1);
    }
    reply_free(&r);
    printf("storm of %d deaths: jobs are computed again %.0f ms after the last one\n", STORM,
           ms_since(over));
    end(n);
    printf("    200 and refused: /cpu/primes %lu %lu, /work %lu %lu\n", n[PRIMES].good,
           n[PRIMES].refused, n[WORK].good, n[WORK].refused);
}
END_TEST

/* ---- workers that do not move ---- */

/* Waits until none of these is there any more, and so many new ones are. */
static void
await_successors(const pid_t *pids, unsigned first, unsigned last, uint64_t since,
                 const char *fault)
{
    double ms;

    for (unsigned i = first; i <= last; i++)
        process_wait_gone(pids[i]);
    ms = ms_since(since);
    printf("%s: killed after %.0f ms\n", fault, ms);
    ck_assert_msg(ms >= STUCK_MS - 100 && ms <= STUCK_MS + STUCK_LATE_MS,
                  "%s: killed after %.0f ms", fault, ms);
    for (unsigned i = first; i <= last; i++)
        while (server_worker(server, i) == 0)
            ck_assert_msg(ms_since(since) < E2E_DEADLINE_MS, "worker %u does not come back", i);
    ck_assert(status_number(server, "workers.deaths.stuck") == last - first + 1);
}

/* Stops the workers `first` to `last` in their tasks. */
static void
freeze_and_await(unsigned first, unsigned last, const char *fault)
{
    pid_t pids[WORKERS];
    uint64_t frozen;

    load = steady_start(server, rows, ROWS);
    steady_wait_good(load, 10);
    for (unsigned i = first; i <= last; i++)
        pids[i] = server_worker(server, i);
    frozen = steady_now_ns();
    for (unsigned i = first; i <= last; i++)
        strike(pids[i], SIGSTOP);
    await_successors(pids, first, last, frozen, fault);
    steady_wait_good(load, 10);
    end(NULL);
}

START_TEST(test_one_worker_is_frozen)
{
    freeze_and_await(0, 0, "one worker frozen");
}
END_TEST

START_TEST(test_all_workers_are_frozen)
{
    freeze_and_await(0, WORKERS - 1, "all workers frozen");
}
END_TEST

START_TEST(test_workers_frozen_while_idle_cost_the_next_job_only_time)
{
    pid_t pids[WORKERS];

    load = steady_start(server, rows, NO_JOBS);
    status_wait(server, "workers.running", 0, 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        pids[i] = server_worker(server, i);
        strike(pids[i], SIGSTOP);
    }
    json_decref(get_json(server, "/cpu/primes?n=1000000&sections=2", 200));
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_int_ne(process_state(pids[i]), 'R');
    end(NULL);
}
END_TEST

START_TEST(test_signals_that_ask_to_end_are_for_the_supervisor_alone)
{
    static const int asks[] = {SIGTERM, SIGINT, SIGHUP};
    pid_t pids[1 + WORKERS] = {server_front(server)};

    for (unsigned i = 0; i < WORKERS; i++)
        pids[1 + i] = server_worker(server, i);
    load = steady_start(server, rows, ROWS);
    steady_wait_good(load, 10);
    for (unsigned i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
        for (unsigned k = 0; k < 1 + WORKERS; k++)
            strike(pids[k], asks[i]);
    steady_wait_good(load, 10);
    ck_assert_int_eq(server_front(server), pids[0]);
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_int_eq(server_worker(server, i), pids[1 + i]);
    ck_assert(status_number(server, "workers.deaths.all") == 0);
    end(NULL);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_one_worker_is_killed,
        test_one_worker_crashes,
        test_all_workers_are_killed,
        test_all_workers_crash,
        test_a_job_whose_task_dies_twice_fails_alone,
        test_a_storm_of_deaths_harms_only_jobs,
        test_one_worker_is_frozen,
        test_all_workers_are_frozen,
        test_workers_frozen_while_idle_cost_the_next_job_only_time,
        test_signals_that_ask_to_end_are_for_the_supervisor_alone,
    };
    Suite *suite = suite_create("worker_faults");
    TCase *tc = tcase_create("worker_faults");

    tcase_add_unchecked_fixture(tc, family_adopt_orphans, NULL);
    tcase_add_checked_fixture(tc, start, stop);
    tcase_set_timeout(tc, 60);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run_mode(suite, CK_NOFORK);
}
