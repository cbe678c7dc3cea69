/* links: server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The trace against other clocks: what a query's bar says against the client's watch, what the
 * slices of CPUs say against the CPU time that the kernel accounts.
 */
#include "burst.h"
#include "common/clock.h"
#include "e2e.h"
#include "suite.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct server *server;

static unsigned
first_cpu(void)
{
    cpu_set_t set;
    unsigned cpu = 0;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
    while (!CPU_ISSET(cpu, &set))
        cpu++;
    return cpu;
}

/* Two workers, both on one CPU. */
static void
start(void)
{
    char cpus[32];
    const char *options[] = {"workers=2", cpus, NULL};

    snprintf(cpus, sizeof(cpus), "worker_cpus=%u", first_cpu());
    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
    status_wait(server, "database.slow.connections", 1, 64);
}

static void
stop(void)
{
    server_stop(server);
}

static double
number_of(json_t *event, const char *name)
{
    return json_number_value(json_object_get(event, name));
}

static json_t *
trace_of(const struct burst_result *b)
{
    char target[128];

    snprintf(target, sizeof(target), "/trace.json?burst=%s", event_text(b->summary, "burst"));
    return get_json(server, target, 200);
}

struct slice {
    double from, until; /* us */
    unsigned worker, lane;
};

/* The CPUs' slices of the workers, in order of time. */
struct slices {
    struct slice list[8000];
    size_t count;
    double each[2]; /* us, of each worker */
};

static int
by_time(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return (x->from > y->from) - (x->from < y->from);
}

static void
read_slices(json_t *root, struct slices *s)
{
    json_t *event;
    size_t i;

    memset(s, 0, sizeof(*s));
    json_array_foreach(json_object_get(root, "traceEvents"), i, event) {
        const double from = number_of(event, "ts"), dur = number_of(event, "dur");
        struct slice *new = &s->list[s->count];

        if (strcmp(event_text(event, "ph"), "X") != 0 || number_of(event, "pid") != 1 ||
            sscanf(event_text(event, "name"), "worker %u", &new->worker) != 1)
            continue;
        ck_assert(new->worker < 2 && s->count + 1 < 8000);
        s->each[new->worker] += dur;
        new->from = from;
        new->until = from + dur;
        new->lane = (unsigned)number_of(event, "tid");
        s->count++;
    }
    qsort(s->list, s->count, sizeof(s->list[0]), by_time);
}

/* How often the one CPU went from one worker to the other. */
static unsigned
alternations(const struct slices *s)
{
    unsigned n = 0;

    for (size_t i = 1; i < s->count; i++) {
        const struct slice *before = &s->list[i - 1], *now = &s->list[i];

        ck_assert_uint_eq(now->lane, before->lane);
        ck_assert_msg(now->from >= before->until - 0.01, "slices of one CPU overlap: %g < %g",
                      now->from, before->until);
        n += now->worker != before->worker;
    }
    return n;
}

static struct slices slices;

START_TEST(test_a_querys_bar_is_as_long_as_the_wait)
{
    const uint64_t began = clock_ns();
    struct burst_result b = burst_run(server, NULL, "[{\"path\":\"/db/sleep?ms=100\"}]");
    const double watched = (double)(clock_ns() - began) / 1e3;
    double at[2] = {0, 0};
    json_t *root = trace_of(&b), *event;
    size_t i;

    json_array_foreach(json_object_get(root, "traceEvents"), i, event)
        if (strcmp(event_text(event, "cat"), "query") == 0)
            at[event_text(event, "ph")[0] == 'e'] = number_of(event, "ts");
    ck_assert_msg(at[1] - at[0] >= 100000 && at[1] - at[0] <= watched,
                  "its bar is %g us long, the client saw %g us", at[1] - at[0], watched);
    json_decref(root);
    burst_free(&b);
}
END_TEST

START_TEST(test_slices_of_a_task_are_the_cpu_time_that_it_took)
{
    struct burst_result b =
        burst_run(server, NULL, "[{\"path\":\"/work?wait_ms=0&cpu_ms=100&sections=1\"}]");
    json_t *root = trace_of(&b), *event;
    const double cpu = burst_number(&b, "cpu_ms") * 1000;
    double sum, bar = 0;
    size_t i;

    read_slices(root, &slices);
    sum = slices.each[0] + slices.each[1];
    json_array_foreach(json_object_get(root, "traceEvents"), i, event)
        if (strstr(event_text(event, "name"), " task ") != NULL)
            bar += number_of(event, "dur");
    ck_assert_msg(cpu >= 100000, "%g us", cpu);
    ck_assert_msg(sum > 0.97 * cpu - 1000 && sum < 1.03 * cpu + 1000, "slices %g, CPU %g us", sum,
                  cpu);
    /* on a CPU of its own the bar is no longer; whoever shares it waits in between */
    ck_assert_msg(bar >= 0.99 * cpu, "bar %g, CPU %g us", bar, cpu);
    json_decref(root);
    burst_free(&b);
}
END_TEST

START_TEST(test_two_jobs_on_one_cpu_alternate_and_add_up_to_its_time)
{
    struct burst_result b = burst_run(
        server, NULL, "[{\"path\":\"/work?wait_ms=0&cpu_ms=400&sections=1\",\"count\":2}]");
    json_t *root = trace_of(&b);
    const double cpu = burst_number(&b, "cpu_ms") * 1000;
    double sum;

    read_slices(root, &slices);
    sum = slices.each[0] + slices.each[1];
    ck_assert_msg(alternations(&slices) >= 10, "they took turns %u times", alternations(&slices));
    ck_assert_msg(sum > 0.95 * cpu && sum < 1.05 * cpu, "slices %g, CPU %g us", sum, cpu);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_msg(slices.each[i] > 0.45 * cpu && slices.each[i] < 0.55 * cpu,
                      "worker %u: %g of %g us", i, slices.each[i], cpu);
    json_decref(root);
    burst_free(&b);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_querys_bar_is_as_long_as_the_wait,
        test_slices_of_a_task_are_the_cpu_time_that_it_took,
        test_two_jobs_on_one_cpu_alternate_and_add_up_to_its_time,
    };

    return suite_run(suite_of("clock", start, stop, tests, sizeof(tests) / sizeof(tests[0])));
}
