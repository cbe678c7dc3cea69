/*
 * /trace.json against what else is known: the summary of a burst, the request's own id, and a load
 * so high that spans are sampled and more happens than one trace may carry.
 */
#include "burst.h"
#include "suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
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

/* The highest value of a counter, its last one, and how often it changes. */
struct counter {
    double max, last;
    unsigned changes;
};

static struct counter
counter_of(json_t *root, const char *name, const char *unit)
{
    struct counter c = {0};
    json_t *event;
    size_t i;

    json_array_foreach(json_object_get(root, "traceEvents"), i, event) {
        if (strcmp(event_text(event, "ph"), "C") != 0 ||
            strcmp(event_text(event, "name"), name) != 0)
            continue;
        c.last = json_number_value(json_object_get(json_object_get(event, "args"), unit));
        if (c.last > c.max)
            c.max = c.last;
        c.changes++;
    }
    return c;
}

static unsigned
count_of(json_t *root, const char *phase, const char *category)
{
    json_t *event;
    unsigned n = 0;
    size_t i;

    json_array_foreach(json_object_get(root, "traceEvents"), i, event)
        n += strcmp(event_text(event, "ph"), phase) == 0 &&
             strcmp(event_text(event, "cat"), category) == 0;
    return n;
}

static double
other(json_t *root, const char *name)
{
    json_t *value = json_object_get(json_object_get(root, "otherData"), name);

    ck_assert_msg(json_is_number(value), "no %s", name);
    return json_number_value(value);
}

static void
check_burst(const char *query)
{
    struct burst_result b =
        burst_run(server, query,
                  "[{\"path\":\"/db/sleep?ms=60\",\"count\":4},"
                  "{\"path\":\"/work?wait_ms=0&cpu_ms=60&sections=2\",\"count\":4}]");
    struct counter in_progress, running;
    char target[128];
    json_t *root;

    snprintf(target, sizeof(target), "/trace.json?burst=%s",
             json_string_value(json_object_get(b.summary, "burst")));
    root = get_json(server, target, 200);
    in_progress = counter_of(root, "in progress", "tasks");
    running = counter_of(root, "running", "CPUs");
    ck_assert_msg(in_progress.max == burst_number(&b, "in_progress_max"), "%g of %g",
                  in_progress.max, burst_number(&b, "in_progress_max"));
    ck_assert(in_progress.last == 0);
    ck_assert_msg(running.max == burst_number(&b, "running_max"), "%g of %g", running.max,
                  burst_number(&b, "running_max"));
    ck_assert_uint_eq(count_of(root, "b", "query"), 4);
    ck_assert_uint_ge(count_of(root, "b", "request"), 8);
    ck_assert(other(root, "left_out") == 0);
    ck_assert(other(root, "covers_ms") == other(root, "asked_ms"));
    ck_assert(other(root, "covers_ms") >= burst_number(&b, "wall_ms") - 0.1);
    json_decref(root);
    burst_free(&b);
}

START_TEST(test_both_counts_of_a_burst_agree_with_its_summary)
{
    static const char *const queries[] = {"at_once=1&run=loop", "run=loop", "at_once=1", NULL};

    check_burst(queries[_i]);
}
END_TEST

/* When the first event of this phase begins whose name begins so. */
static double
first_at(json_t *root, const char *phase, const char *name)
{
    double first = 1e12;
    json_t *event;
    size_t i;

    json_array_foreach(json_object_get(root, "traceEvents"), i, event) {
        const double at = json_number_value(json_object_get(event, "ts"));

        if (strcmp(event_text(event, "ph"), phase) == 0 &&
            strncmp(event_text(event, "name"), name, strlen(name)) == 0 && at < first)
            first = at;
    }
    ck_assert_msg(first < 1e12, "no %s", name);
    return first;
}

/* Queries leave before the loop computes, so that they are worked on meanwhile. A burst begins its
 * addresses in turn, so the second request is the first that computes. */
START_TEST(test_queries_leave_before_a_computation_blocks_the_loop)
{
    struct burst_result b;
    char target[128], task[64];
    double first_request = 1e18;
    json_t *root, *line;
    size_t i;

    status_wait(server, "database.slow.connections", 2, 64); /* it need not open one first */
    b = burst_run(server, "run=loop-blocking",
                  "[{\"path\":\"/db/sleep?ms=20\",\"count\":2},"
                  "{\"path\":\"/work?wait_ms=0&cpu_ms=40&sections=1\",\"count\":2}]");
    json_array_foreach(b.lines, i, line) {
        const double number = json_number_value(json_object_get(line, "request"));

        if (number < first_request)
            first_request = number;
    }
    snprintf(target, sizeof(target), "/trace.json?burst=%s",
             json_string_value(json_object_get(b.summary, "burst")));
    snprintf(task, sizeof(task), "#%.0f task 0", first_request + 1);
    root = get_json(server, target, 200);
    ck_assert_msg(first_at(root, "b", "query of") < first_at(root, "X", task),
                  "the first query began at %g us, the first task at %g us",
                  first_at(root, "b", "query of"), first_at(root, "X", task));
    json_decref(root);
    burst_free(&b);
}
END_TEST

/* Far less work than there was time: then the loop's own work must not be counted twice. */
START_TEST(test_a_burst_of_one_quick_request_has_no_factor_above_one)
{
    static const char *const paths[] = {"/plaintext", "/db", "/version"};

    for (unsigned i = 0; i < 30; i++) {
        char query[64];
        struct burst_result b;

        snprintf(query, sizeof(query), "path=%s&count=1", paths[i % 3]);
        b = burst_run(server, query, NULL);
        ck_assert_msg(burst_number(&b, "factor") <= 1.0, "%s: %g", query,
                      burst_number(&b, "factor"));
        ck_assert(burst_number(&b, "requests_max") == 1);
        burst_free(&b);
    }
}
END_TEST

START_TEST(test_a_request_is_known_by_its_whole_id_only)
{
    struct reply r = http_get(server, "/db/sleep?ms=1");
    char id[64], target[128];
    const char *number;

    snprintf(id, sizeof(id), "%s", reply_field(&r, "x-request-id"));
    reply_free(&r);
    number = strchr(id, '-') + 1;
    snprintf(target, sizeof(target), "/trace.json?request=%s", id);
    json_decref(get_json(server, target, 200));
    snprintf(target, sizeof(target), "/trace.json?request=%s", number);
    json_decref(get_json(server, target, 200));
    snprintf(target, sizeof(target), "/trace.json?request=5e0be100-%s", number); /* 2020 */
    json_decref(get_json(server, target, 404));
    snprintf(target, sizeof(target), "/trace.json?request=-%s", number);
    json_decref(get_json(server, target, 404));
}
END_TEST

/* ---- under load ---- */

static pid_t
load_start(const char *path)
{
    char url[128];
    pid_t pid;

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server->port, path);
    fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(1);
        execlp("wrk", "wrk", "-t1", "-c24", "-d20s", url, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void
load_stop(pid_t pid)
{
    int status;

    kill(pid, SIGINT);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wrk: %d", status);
}

START_TEST(test_a_trace_under_load_is_whole_for_the_time_it_covers)
{
    struct counter in_progress;
    json_t *root, *event;
    pid_t load;
    size_t i;

    if (system("command -v wrk > /dev/null") != 0) {
        printf("SKIP: a trace under load: wrk is not installed\n");
        return;
    }
    load = load_start("/db");
    status_wait(server, "requests.answered", 20000, 1e9);
    root = get_json(server, "/trace.json?seconds=60", 200);
    load_stop(load);
    in_progress = counter_of(root, "in progress", "tasks");
    /* 24 connections, each with one request and its one query */
    ck_assert_msg(in_progress.max >= 2 && in_progress.max <= 24, "%g", in_progress.max);
    ck_assert_uint_gt(in_progress.changes, 100);
    ck_assert(other(root, "covers_ms") > 0);
    ck_assert(other(root, "covers_ms") <= other(root, "asked_ms"));
    ck_assert(other(root, "spans") <= 20000 && other(root, "cpu_slices") <= 8000);
    json_array_foreach(json_object_get(root, "traceEvents"), i, event) {
        const double at = json_number_value(json_object_get(event, "ts"));

        /* covers_ms is rounded to a tenth */
        ck_assert_msg(at >= 0 && at <= other(root, "covers_ms") * 1000 + 51, "%s at %g us",
                      event_text(event, "name"), at);
    }
    json_decref(root);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_queries_leave_before_a_computation_blocks_the_loop,
        test_a_burst_of_one_quick_request_has_no_factor_above_one,
        test_a_request_is_known_by_its_whole_id_only,
        test_a_trace_under_load_is_whole_for_the_time_it_covers,
    };
    Suite *suite = suite_of("trace", start, stop, tests, sizeof(tests) / sizeof(tests[0]));
    TCase *bursts = tcase_create("bursts");

    tcase_add_checked_fixture(bursts, start, stop);
    tcase_set_timeout(bursts, 120);
    tcase_add_loop_test(bursts, test_both_counts_of_a_burst_agree_with_its_summary, 0, 4);
    suite_add_tcase(suite, bursts);
    return suite_run(suite);
}
