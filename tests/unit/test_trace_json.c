/* links: server/trace/trace_json.c server/trace/walk.c server/trace/trace_event.c server/trace/edges.c server/trace/window.c server/common/course.c server/common/span.c server/common/span_sweep.c server/common/buf.c server/common/clock.c server/common/log.c */
/*
 * The trace that Perfetto opens: well-formed, bars of one lane disjoint or nested, begins and ends
 * in pairs, only what was asked for, and an honest count of what was left out.
 */
#include "suite.h"

#include "common/clock.h"
#include "trace/trace_json.h"
#include "trace/walk.h"

#include <jansson.h>
#include <string.h>

static const char *
name_of_route(const void *arg, unsigned number)
{
    (void)arg;
    return number == 0 ? "/db" : "/cpu/primes";
}

static bool
is_two(const void *arg, uint64_t request)
{
    (void)arg;
    return request == 2;
}

static json_t *
write_trace(struct span_ring *ring, bool (*belongs)(const void *, uint64_t),
            const struct course *course)
{
    struct trace_cut cut = {.from = 1000,
                            .to = 1000 + 10 * NS_PER_S,
                            .route_name = name_of_route,
                            .belongs = belongs,
                            .course = course};
    struct trace_json *t = trace_json_new(ring, &cut);
    struct buf b = {0};
    json_error_t error;
    json_t *root;

    while (trace_json_more(t, &b))
        ;
    root = json_loadb(b.data, b.len, 0, &error);
    ck_assert_msg(root != NULL, "%s at %d", error.text, error.position);
    trace_json_free(t);
    buf_fini(&b);
    return root;
}

/* Events with this phase and, if not NULL, this beginning of their name. */
static unsigned
count_events(json_t *root, const char *phase, const char *name)
{
    json_t *events = json_object_get(root, "traceEvents"), *event;
    unsigned n = 0;
    size_t i;

    json_array_foreach(events, i, event) {
        if (strcmp(json_string_value(json_object_get(event, "ph")), phase) != 0)
            continue;
        if (name == NULL ||
            strncmp(json_string_value(json_object_get(event, "name")), name, strlen(name)) == 0)
            n++;
    }
    return n;
}

static struct span_ring *
make_ring(void)
{
    struct span_ring *ring = span_ring_new(1 << 20, true);

    span_add(ring, SPAN_LOOP, LANE_LOOP, 1, 0, 2000, 3000);
    span_add(ring, SPAN_QUERY, LANE_DB_FAST, 1, 0, 3000, 9000);
    span_add(ring, SPAN_BATCH, LANE_DB_FAST, 0, 2, 3000, 9500);
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 1, 0, 2000, 10000);
    span_add(ring, SPAN_TASK, LANE_WORKER + 1, 2, 7, 4000, 8000);
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 2, 1, 3500, 9000);
    span_add(ring, SPAN_CPU, LANE_CPU, 0, 0, 2000, 3000);
    span_add(ring, SPAN_CPU, LANE_CPU + 1, 0, 2, 4000, 8000);
    span_add(ring, SPAN_CPU, LANE_CPU + 1, 0, 1, 7900, 8500); /* overlaps: is cut */
    return ring;
}

START_TEST(test_every_kind_of_span_is_drawn)
{
    struct span_ring *ring = make_ring();
    json_t *root = write_trace(ring, NULL, NULL);

    ck_assert_uint_eq(count_events(root, "b", "/db #1"), 1);
    ck_assert_uint_eq(count_events(root, "b", "/cpu/primes #2"), 1);
    ck_assert_uint_eq(count_events(root, "b", "query of #1"), 1);
    ck_assert_uint_eq(count_events(root, "X", "2 queries"), 1);
    ck_assert_uint_eq(count_events(root, "X", "#2 task 7"), 1);
    ck_assert_uint_eq(count_events(root, "X", "loop"), 1);
    ck_assert_uint_eq(count_events(root, "X", "worker"), 2);
    ck_assert_uint_eq(count_events(root, "b", NULL), count_events(root, "e", NULL));
    ck_assert_uint_gt(count_events(root, "C", "running"), 3);
    ck_assert_uint_eq(count_events(root, "M", "process_name"), 5);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_bars_of_a_cpu_are_disjoint)
{
    struct span_ring *ring = make_ring();
    json_t *root = write_trace(ring, NULL, NULL), *events = json_object_get(root, "traceEvents"),
           *event;
    struct {
        double start, end;
    } bars[8];
    unsigned n = 0;
    size_t i;

    json_array_foreach(events, i, event) {
        if (json_integer_value(json_object_get(event, "tid")) != LANE_CPU + 1 ||
            json_object_get(event, "dur") == NULL)
            continue;
        ck_assert_uint_lt(n, 8);
        bars[n].start = json_number_value(json_object_get(event, "ts"));
        bars[n].end = bars[n].start + json_number_value(json_object_get(event, "dur"));
        n++;
    }
    ck_assert_uint_eq(n, 2);
    for (unsigned a = 0; a < n; a++)
        for (unsigned b = a + 1; b < n; b++)
            ck_assert(bars[a].end <= bars[b].start + 1e-9 || bars[b].end <= bars[a].start + 1e-9);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

/* The values of a counter by their time in ns since the begin of the cut. */
static void
check_counter(json_t *root, const char *name, const char *unit, const unsigned (*expected)[2],
              unsigned count)
{
    json_t *events = json_object_get(root, "traceEvents"), *event;
    unsigned found = 0;
    size_t i;

    json_array_foreach(events, i, event) {
        unsigned at, value, k = 0;

        if (strcmp(json_string_value(json_object_get(event, "name")), name) != 0)
            continue;
        at = (unsigned)(json_number_value(json_object_get(event, "ts")) * 1000.0 + 0.5);
        value = (unsigned)json_integer_value(json_object_get(json_object_get(event, "args"), unit));
        while (k < count && expected[k][0] != at)
            k++;
        ck_assert_msg(k < count, "%s changes at %u ns", name, at);
        ck_assert_uint_eq(value, expected[k][1]);
        found++;
    }
    ck_assert_uint_eq(found, count);
}

START_TEST(test_the_two_counts_change_when_tasks_and_cpus_do)
{
    static const unsigned running[][2] = {{0, 0}, {1000, 1}, {2000, 0}, {3000, 1}, {7500, 0}};
    static const unsigned in_progress[][2] = {{0, 1}, {1000, 2}, {3000, 3}, {7000, 0}};
    struct span_ring *ring = make_ring();
    struct course *course = course_new(64);
    json_t *root;

    course_set(course, 500, 1); /* before the cut, and so it is at its begin */
    course_set(course, 2000, 2);
    course_set(course, 4000, 3);
    course_set(course, 8000, 0);
    course_set(course, 1000 + 10 * NS_PER_S, 7); /* behind it */
    root = write_trace(ring, NULL, course);
    check_counter(root, "running", "CPUs", running, 5);
    check_counter(root, "in progress", "tasks", in_progress, 4);
    json_decref(root);
    course_free(course);
    span_ring_free(ring);
}
END_TEST

/* Two tasks of request 2 overlap for a while; it waited at the gate first. */
START_TEST(test_one_request_counts_as_many_as_it_has_tasks)
{
    static const unsigned in_progress[][2] = {{3000, 1}, {4000, 2}, {5000, 1}, {8000, 0}};
    struct span_ring *ring = span_ring_new(1 << 20, true);
    json_t *root;

    span_add(ring, SPAN_GATE, LANE_REQUEST, 2, 0, 2000, 4000);
    span_add(ring, SPAN_TASK, LANE_WORKER, 2, 0, 4500, 6000);
    span_add(ring, SPAN_TASK, LANE_WORKER + 1, 2, 1, 5000, 7000);
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 2, 1, 2000, 9000);
    root = write_trace(ring, is_two, NULL);
    check_counter(root, "in progress", "tasks", in_progress, 4);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_a_cut_for_one_request_has_no_other)
{
    struct span_ring *ring = make_ring();
    json_t *root = write_trace(ring, is_two, NULL);

    ck_assert_uint_eq(count_events(root, "b", "/db"), 0);
    ck_assert_uint_eq(count_events(root, "b", "/cpu/primes #2"), 1);
    ck_assert_uint_eq(count_events(root, "X", "#2 task"), 1);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

static double
covered_ms(json_t *root)
{
    return json_number_value(json_object_get(json_object_get(root, "otherData"), "covers_ms"));
}

/* 50,000 spans of 1 ms, one after the other, and a CPU slice for each of the last 20,000: the trace
 * begins where the newest of both fit in, and has all of that time. */
START_TEST(test_what_is_too_much_makes_the_trace_begin_later)
{
    enum { SPANS = 50000, SLICES = 20000, SHOWN = TRACE_SLICES_MAX - 500 };
    const uint64_t each = 180 * NS_PER_US;
    struct span_ring *ring = span_ring_new(8 << 20, true);
    json_t *root, *other;
    double covers, spans, slices;

    for (uint64_t i = 0; i < SPANS; i++) {
        const uint64_t start = 2000 + i * each;

        span_add(ring, SPAN_LOOP, LANE_LOOP, i + 1, 0, start, start + each / 2);
        if (i >= SPANS - SLICES)
            span_add(ring, SPAN_CPU, LANE_CPU, 0, 0, start, start + each / 2);
    }
    root = write_trace(ring, NULL, NULL);
    other = json_object_get(root, "otherData");
    ck_assert_int_eq(json_integer_value(json_object_get(other, "left_out")), 0);
    covers = covered_ms(root);
    spans = json_number_value(json_object_get(other, "spans"));
    slices = json_number_value(json_object_get(other, "cpu_slices"));
    ck_assert(slices == SHOWN);
    ck_assert(spans >= slices && spans <= slices + 2);
    ck_assert(json_number_value(json_object_get(other, "asked_ms")) == 10000);
    /* from 1 us on 10 s are asked for; spans end after 9 s */
    ck_assert(covers >= 1000 + SHOWN * 0.18 - 1 && covers <= 1000 + SHOWN * 0.18 + 1);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_spans_alone_make_it_begin_later_too)
{
    struct span_ring *ring = span_ring_new(8 << 20, true);
    json_t *root, *other;

    for (uint64_t i = 0; i < 50000; i++)
        span_add(ring, SPAN_LOOP, LANE_LOOP, i + 1, 0, 2000 + i * 10000, 2005 + i * 10000);
    root = write_trace(ring, NULL, NULL);
    other = json_object_get(root, "otherData");
    ck_assert_int_gt(json_integer_value(json_object_get(other, "spans")), 19000);
    ck_assert_int_le(json_integer_value(json_object_get(other, "spans")), TRACE_SPANS_MAX);
    ck_assert_int_eq(json_integer_value(json_object_get(other, "left_out")), 0);
    ck_assert(covered_ms(root) < 9700 && covered_ms(root) > 9690);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_a_ring_that_went_round_covers_less)
{
    struct span_ring *ring = span_ring_new(1 << 16, true); /* 4,096 spans */
    json_t *root;

    for (uint64_t i = 0; i < 5000; i++)
        span_add(ring, SPAN_LOOP, LANE_LOOP, i + 1, 0, i * NS_PER_MS, i * NS_PER_MS + 500);
    root = write_trace(ring, NULL, NULL);
    ck_assert(covered_ms(root) > 10000 - 905 && covered_ms(root) < 10000 - 903);
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

/* 20,000 spans a second for two seconds, then few: the trace says how many were recorded when it
 * mattered, not now. */
START_TEST(test_sampling_is_told_of_the_time_that_is_covered)
{
    struct span_ring *ring = span_ring_new(8 << 20, true);
    uint64_t request = 0, at = 0;
    unsigned now_requests;
    json_t *root;

    for (; at < 2 * NS_PER_S; at += 50 * NS_PER_US)
        if (span_ring_sample(ring, at))
            span_add(ring, SPAN_LOOP, LANE_LOOP, ++request, 0, at, at + 1000);
    for (; at < 8 * NS_PER_S; at += 50 * NS_PER_MS)
        if (span_ring_sample(ring, at))
            span_add(ring, SPAN_LOOP, LANE_LOOP, ++request, 0, at, at + 1000);
    now_requests = span_ring_sampling(ring);
    root = write_trace(ring, NULL, NULL);
    ck_assert_uint_eq(now_requests, 1);
    ck_assert_str_ne(
        json_string_value(json_object_get(json_object_get(root, "otherData"), "requests_recorded")),
        "1 of 1");
    json_decref(root);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_a_request_is_found_by_its_number)
{
    struct span_ring *ring = make_ring();
    uint64_t from, to;

    ck_assert(trace_find_request(ring, 2, &from, &to));
    ck_assert_uint_eq(from, 3500);
    ck_assert_uint_eq(to, 9000);
    ck_assert(!trace_find_request(ring, 3, &from, &to));
    span_ring_free(ring);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_every_kind_of_span_is_drawn,
        test_the_two_counts_change_when_tasks_and_cpus_do,
        test_bars_of_a_cpu_are_disjoint,
        test_a_cut_for_one_request_has_no_other,
        test_one_request_counts_as_many_as_it_has_tasks,
        test_what_is_too_much_makes_the_trace_begin_later,
        test_spans_alone_make_it_begin_later_too,
        test_a_ring_that_went_round_covers_less,
        test_sampling_is_told_of_the_time_that_is_covered,
        test_a_request_is_found_by_its_number,
    };

    return suite_run(suite_of("trace json", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
