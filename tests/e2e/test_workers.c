/*
 * Workers that die, stop or lie: the right answer comes from elsewhere, or that job alone fails.
 */
#include "e2e.h"
#include "suite.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
}

static void
stop(void)
{
    server_stop(server);
}

/* The worker that runs a task now, or the test fails. */
static unsigned
running_worker(void)
{
    json_t *root;
    unsigned found = 99;

    status_wait(server, "workers.running", 1, 2);
    root = get_json(server, "/status", 200);
    for (unsigned i = 0; i < 2; i++) {
        char path[64];

        snprintf(path, sizeof(path), "workers.list.%u.running", i);
        if (json_number(root, path) > 0)
            found = i;
    }
    json_decref(root);
    ck_assert_uint_lt(found, 2);
    return found;
}

START_TEST(test_a_worker_killed_in_its_task_is_replaced_and_the_answer_is_right)
{
    int fd = client_connect(server);
    struct reply r;
    unsigned worker;
    pid_t pid;
    json_t *root;

    client_send_get(fd, "/cpu/primes?n=1000000000&sections=1");
    worker = running_worker();
    pid = server_worker(server, worker);
    kill(pid, SIGKILL);
    ck_assert(client_read_reply(fd, &r, false));
    root = reply_json_body(&r);
    ck_assert_msg(json_number(root, "primes") == 50847534, "%s", r.body);
    json_decref(root);
    reply_free(&r);
    close(fd);
    status_wait(server, "workers.alive", 2, 2);
    ck_assert_int_ne(server_worker(server, worker), pid);
    ck_assert(!process_exists(pid));
}
END_TEST

START_TEST(test_a_job_that_kills_its_workers_fails_alone)
{
    struct reply r = http_get(server, "/test/crash?mode=segv");
    json_t *root;

    if (r.status == 404) {
        printf("SKIP: a job that kills its workers: this build has no test kernels\n");
        reply_free(&r);
        return;
    }
    server->crashes_wanted = true;
    ck_assert_msg(r.status == 502, "%d %s", r.status, r.body);
    ck_assert_ptr_nonnull(strstr(r.body, "/problems/job-died"));
    reply_free(&r);
    /* its like is refused for a minute, without another death */
    r = http_get(server, "/test/crash?mode=segv");
    ck_assert_msg(r.status == 502, "%d", r.status);
    ck_assert_ptr_nonnull(strstr(r.body, "/problems/job-refused"));
    ck_assert_ptr_nonnull(reply_field(&r, "retry-after"));
    reply_free(&r);
    status_wait(server, "workers.alive", 2, 2);
    root = get_json(server, "/cpu/primes?n=1000000", 200);
    ck_assert(json_number(root, "primes") == 78498);
    json_decref(root);
}
END_TEST

START_TEST(test_a_stopped_worker_is_found_out_and_replaced)
{
    int fd = client_connect(server);
    struct reply r;
    unsigned worker;
    pid_t pid;
    json_t *root;

    client_send_get(fd, "/cpu/primes?n=2000000000&sections=1");
    worker = running_worker();
    pid = server_worker(server, worker);
    kill(pid, SIGSTOP);
    ck_assert(client_read_reply(fd, &r, false));
    root = reply_json_body(&r);
    ck_assert_msg(json_number(root, "primes") == 98222287, "%s", r.body);
    json_decref(root);
    reply_free(&r);
    close(fd);
    process_wait_gone(pid);
    status_wait(server, "workers.alive", 2, 2);
}
END_TEST

START_TEST(test_a_small_job_is_not_kept_waiting_by_large_ones)
{
    int big[2];
    json_t *root;

    for (int i = 0; i < 2; i++) {
        big[i] = client_connect(server);
        client_send_get(big[i], "/cpu/primes?n=20000000000");
    }
    status_wait(server, "workers.running", 2, 2);
    root = get_json(server, "/cpu/primes?n=20000", 200);
    ck_assert(json_number(root, "primes") == 2262);
    /* large ones are still at it: it did not wait for them */
    ck_assert(status_number(server, "requests.in_progress") >= 1);
    json_decref(root);
    close(big[0]);
    close(big[1]);
    status_wait(server, "requests.in_progress", 0, 0);
}
END_TEST

START_TEST(test_workers_keep_to_their_own_cores)
{
    cpu_set_t usable, own;
    unsigned cpus[2], n = 0;

    if (usable_cpus() < 2) {
        printf("SKIP: workers on cores of their own: there is one CPU\n");
        return;
    }
    sched_getaffinity(0, sizeof(usable), &usable);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++)
        if (CPU_ISSET(cpu, &usable))
            cpus[n++] = cpu;
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(sched_getaffinity(server_worker(server, i), sizeof(own), &own), 0);
        ck_assert_int_eq(CPU_COUNT(&own), 1);
        ck_assert(CPU_ISSET(cpus[i], &own));
        ck_assert_int_eq(sched_getscheduler(server_worker(server, i)), SCHED_BATCH);
    }
}
END_TEST

START_TEST(test_without_workers_jobs_are_refused_and_the_loop_still_computes)
{
    static const char *const options[] = {"workers=0", NULL};
    struct server *lone = server_start(options);
    struct reply r = http_get(lone, "/cpu/primes?n=1000&run=workers");

    ck_assert_int_eq(r.status, 503);
    ck_assert_ptr_nonnull(strstr(r.body, "/problems/no-workers"));
    reply_free(&r);
    r = http_get(lone, "/cpu/primes?n=1000&run=loop");
    ck_assert_int_eq(r.status, 200);
    reply_free(&r);
    server_stop(lone);
}
END_TEST

START_TEST(test_a_job_that_takes_too_long_is_ended)
{
    static const char *const options[] = {"workers=1", "job_timeout=200ms", NULL};
    struct server *hasty = server_start(options);
    struct reply r = http_get(hasty, "/cpu/primes?n=20000000000&sections=1");

    ck_assert_msg(r.status == 504, "%d %s", r.status, r.body);
    reply_free(&r);
    status_wait(hasty, "workers.running", 0, 0);
    server_stop(hasty);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_worker_killed_in_its_task_is_replaced_and_the_answer_is_right,
        test_a_job_that_kills_its_workers_fails_alone,
        test_a_stopped_worker_is_found_out_and_replaced,
        test_a_small_job_is_not_kept_waiting_by_large_ones,
        test_workers_keep_to_their_own_cores,
        test_without_workers_jobs_are_refused_and_the_loop_still_computes,
        test_a_job_that_takes_too_long_is_ended,
    };

    return suite_run_mode(suite_of("workers", start, stop, tests, sizeof(tests) / sizeof(tests[0])),
                          CK_NOFORK);
}
