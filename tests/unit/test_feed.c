/* links: server/trace/feed.c server/trace/feed_write.c server/common/course.c server/common/span.c server/common/buf.c server/common/clock.c server/common/log.c */
/*
 * The feed of the live page, from planted spans: batches that follow each other without a gap, each
 * thing told once, slices that grow, what is left out counted, and memory bounded.
 */
#include "suite.h"

#include "common/clock.h"
#include "trace/feed.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define START (5 * NS_PER_S)
#define MS(n) (START + (uint64_t)(n)*NS_PER_MS)

static struct span_ring *ring;
static struct course *tasks, *queries;
static struct feed *feed;
static struct feed_now now;

static void
open_feed(void)
{
    ring = span_ring_new(1 << 20, true);
    tasks = course_new(1 << 12);
    queries = course_new(1 << 12);
    feed = feed_new(&(struct feed_source){
        .ring = ring, .tasks = tasks, .queries = queries, .start_ns = START, .epoch = 0x65f1c2a0});
    now = (struct feed_now){.workers = 2, .db_up = true};
    feed_begin(feed, START);
}

static void
close_feed(void)
{
    feed_free(feed);
    course_free(tasks);
    course_free(queries);
    span_ring_free(ring);
}

/* The JSON of this batch; its event and id are looked at. */
static json_t *
read_batch(uint64_t number)
{
    const struct feed_batch *b = feed_get(feed, number);
    char head[80];
    json_error_t error;
    json_t *root;

    ck_assert_ptr_nonnull(b);
    snprintf(head, sizeof(head),
             "id: 65f1c2a0-%llu\nevent: batch\ndata: ", (unsigned long long)number);
    ck_assert_uint_gt(b->len, strlen(head) + 2);
    ck_assert_mem_eq(b->text, head, strlen(head));
    ck_assert_mem_eq(b->text + b->len - 2, "\n\n", 2);
    root = json_loadb(b->text + strlen(head), b->len - strlen(head), 0, &error);
    ck_assert_msg(root != NULL, "%s at %d of %.*s", error.text, error.position, (int)b->len,
                  b->text);
    return root;
}

/* Makes batches up to `at`; the JSON of the last one. */
static json_t *
make(uint64_t at)
{
    now.at = at;
    while (feed_make(feed, &now))
        ;
    return read_batch(feed_next(feed) - 1);
}

static json_int_t
number_in(json_t *root, const char *name)
{
    json_t *value = json_object_get(root, name);

    ck_assert_msg(json_is_integer(value), "no %s", name);
    return json_integer_value(value);
}

static size_t
count_in(json_t *root, const char *name)
{
    ck_assert(json_is_array(json_object_get(root, name)));
    return json_array_size(json_object_get(root, name));
}

static json_int_t
cell(json_t *root, const char *name, size_t row, size_t column)
{
    json_t *value = json_array_get(json_array_get(json_object_get(root, name), row), column);

    ck_assert_msg(json_is_integer(value), "no %s[%zu][%zu]", name, row, column);
    return json_integer_value(value);
}

/* Spans of a request that lasted a millisecond, recorded at its end. */
static void
plant_request(uint64_t request, uint64_t end)
{
    span_add(ring, SPAN_LOOP, LANE_LOOP, request, 1, end - NS_PER_MS, end - 900 * NS_PER_US);
    span_add(ring, SPAN_QUERY, LANE_DB_SLOW + 3, request, 0, end - 900 * NS_PER_US, end - 100);
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, request, 7, end - NS_PER_MS, end);
}

START_TEST(test_batches_follow_each_other_and_tell_each_span_once)
{
    json_int_t to = 0;

    for (unsigned i = 1; i <= 20; i++) {
        json_t *root;

        plant_request(i, MS(50 * i - 10));
        root = make(MS(50 * i));
        ck_assert_int_eq(number_in(root, "n"), i);
        ck_assert_int_eq(number_in(root, "from"), to);
        to = number_in(root, "to");
        ck_assert_int_eq(to, 50000 * i);
        ck_assert_uint_eq(count_in(root, "spans"), 3);
        ck_assert_int_eq(number_in(root, "left_out"), 0);
        json_decref(root);
    }
    ck_assert_uint_eq(feed_first(feed), 1);
    ck_assert_uint_eq(feed_next(feed), 21);
    ck_assert_ptr_null(feed_get(feed, 21));
    ck_assert_ptr_null(feed_get(feed, 0));
}
END_TEST

START_TEST(test_a_span_is_its_numbers_in_microseconds_since_the_start)
{
    static const json_int_t wanted[] = {SPAN_QUERY, LANE_DB_SLOW + 3, 41, 0, 29100, 899};
    json_t *root;

    plant_request(41, MS(30));
    root = make(MS(50));
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(cell(root, "spans", 1, i), wanted[i]);
    ck_assert_int_eq(cell(root, "spans", 2, 3), 7);
    ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(root, "sampled"), 0)), 1);
    json_decref(root);
}
END_TEST

START_TEST(test_a_slice_that_grows_comes_again_under_its_key)
{
    json_t *root;

    span_add(ring, SPAN_CPU, LANE_CPU + 1, 0, 2, MS(10), MS(14));
    root = make(MS(50));
    ck_assert_uint_eq(count_in(root, "slices"), 1);
    ck_assert_int_eq(cell(root, "slices", 0, 0), 1);
    ck_assert_int_eq(cell(root, "slices", 0, 1), 2);
    ck_assert_int_eq(cell(root, "slices", 0, 2), 10000);
    ck_assert_int_eq(cell(root, "slices", 0, 3), 4000);
    json_decref(root);

    span_add(ring, SPAN_CPU, LANE_CPU + 1, 0, 2, MS(14), MS(18)); /* the same goes on */
    span_add(ring, SPAN_CPU, LANE_CPU + 1, 0, 2, MS(30), MS(31));
    root = make(MS(100));
    ck_assert_uint_eq(count_in(root, "slices"), 2);
    ck_assert_int_eq(cell(root, "slices", 0, 2), 10000);
    ck_assert_int_eq(cell(root, "slices", 0, 3), 8000);
    ck_assert_int_eq(cell(root, "slices", 1, 2), 30000);
    json_decref(root);

    root = make(MS(150));
    ck_assert_uint_eq(count_in(root, "slices"), 0);
    json_decref(root);
}
END_TEST

START_TEST(test_of_too_many_slices_the_newest_are_told_and_the_others_counted)
{
    json_t *root;

    for (unsigned i = 0; i < FEED_SLICES_MAX + 33; i++)
        span_add(ring, SPAN_CPU, LANE_CPU, 0, 0, MS(10) + i * 50000ULL, MS(10) + i * 50000ULL + 9);
    root = make(MS(50));
    ck_assert_uint_eq(count_in(root, "slices"), FEED_SLICES_MAX);
    ck_assert_int_eq(number_in(root, "left_out"), 33);
    ck_assert_int_eq(cell(root, "slices", 0, 2), 10000 + 33 * 50);
    json_decref(root);
}
END_TEST

START_TEST(test_of_too_many_spans_whole_requests_are_told_and_the_others_counted)
{
    unsigned char spans[1000] = {0};
    unsigned requests = 0;
    json_t *root;

    for (unsigned i = 0; i < 1000; i++)
        plant_request(1 + i, MS(10) + i * 10000ULL);
    root = make(MS(50));
    ck_assert_uint_gt(count_in(root, "spans"), FEED_SPANS_MAX / 2);
    ck_assert_uint_le(count_in(root, "spans"), FEED_SPANS_MAX);
    ck_assert_int_eq((json_int_t)count_in(root, "spans") + number_in(root, "left_out"), 3000);
    for (size_t i = 0; i < count_in(root, "spans"); i++)
        spans[cell(root, "spans", i, 2) - 1]++;
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert_msg(spans[i] == 0 || spans[i] == 3, "request %u has %u spans", 1 + i, spans[i]);
        requests += spans[i] == 3;
    }
    ck_assert_uint_ge(requests, 60);
    json_decref(root);
}
END_TEST

/* Requests and turns as fast as the ring takes them. */
START_TEST(test_a_flood_is_told_by_4000_spans_a_second_and_the_rest_is_counted)
{
    uint64_t told = 0, left_out = 0, request = 0;
    const uint64_t seconds = 5;

    for (uint64_t at = 50; at <= seconds * 1000; at += 50) {
        json_t *root;

        for (unsigned i = 0; i < 200; i++) {
            const uint64_t end = MS(at) - (200 - i) * 200000ULL;

            plant_request(++request, end);
            span_add(ring, SPAN_TURN, LANE_LOOP, 0, 3, end - 1000, end);
        }
        root = make(MS(at));
        told += count_in(root, "spans");
        left_out += (uint64_t)number_in(root, "left_out");
        json_decref(root);
    }
    ck_assert_uint_le(told, seconds * 4000);
    ck_assert_uint_gt(told, seconds * 3000);
    ck_assert_uint_eq(told + left_out, span_ring_next(ring));
}
END_TEST

START_TEST(test_spans_that_the_ring_lost_are_counted)
{
    const uint64_t room = 1 << 16; /* more than the ring has */
    json_t *root;

    for (uint64_t i = 0; i < room; i++)
        span_add(ring, SPAN_LOOP, LANE_LOOP, 1 + i, 0, MS(1) + i, MS(1) + i + 1);
    ck_assert_uint_gt(span_ring_first(ring), 0);
    root = make(MS(50));
    ck_assert_uint_eq((uint64_t)number_in(root, "left_out") + count_in(root, "spans"), room);
    json_decref(root);
}
END_TEST

START_TEST(test_old_batches_are_forgotten_by_their_age)
{
    for (unsigned i = 1; i <= 100; i++)
        json_decref(make(MS(400 * i)));
    ck_assert_uint_le(feed_get(feed, feed_first(feed))->to, MS(10500));
    ck_assert_uint_ge(feed_get(feed, feed_first(feed))->to, MS(9500));
    ck_assert_uint_eq(feed_next(feed), 101);
}
END_TEST

START_TEST(test_all_batches_together_stay_below_two_megabytes)
{
    size_t octets = 0;

    for (unsigned i = 1; i <= 500; i++) {
        for (unsigned k = 0; k < FEED_SLICES_MAX; k++)
            span_add(ring, SPAN_CPU, LANE_CPU + k % 8, 0, k % 200, MS(50 * i) + k * 100000ULL,
                     MS(50 * i) + k * 100000ULL + 50000);
        json_decref(make(MS(50 * i)));
    }
    for (uint64_t n = feed_first(feed); n < feed_next(feed); n++)
        octets += feed_get(feed, n)->len;
    ck_assert_uint_le(octets, FEED_OCTETS_MAX);
    ck_assert_uint_gt(octets, FEED_OCTETS_MAX - 20000);
    ck_assert_uint_gt(feed_first(feed), 1);
}
END_TEST

START_TEST(test_a_quiet_server_gets_two_batches_a_second)
{
    ck_assert(feed_is_due(feed, MS(50), false)); /* somebody new wants one */
    json_decref(make(MS(50)));
    ck_assert(!feed_is_due(feed, MS(100), false));
    ck_assert(!feed_is_due(feed, MS(450), false));
    ck_assert(feed_is_due(feed, MS(550), false));
    json_decref(make(MS(550)));
    plant_request(1, MS(560));
    ck_assert(!feed_is_due(feed, MS(570), false)); /* too soon after the last one */
    ck_assert(feed_is_due(feed, MS(600), false));
    json_decref(make(MS(600)));
    ck_assert(feed_is_due(feed, MS(650), false)); /* slices may come late */
    json_decref(make(MS(650)));
    ck_assert(!feed_is_due(feed, MS(720), false));
    ck_assert(feed_is_due(feed, MS(725), true)); /* requests are there */
}
END_TEST

/* Nobody has read for some seconds: all is told, in pieces. */
START_TEST(test_what_happened_while_nobody_read_is_made_up_for)
{
    uint64_t first, told = 0, to, pieces = 0;

    json_decref(make(MS(50)));
    first = feed_next(feed);
    to = feed_to(feed);
    for (unsigned i = 0; i < 1000; i++)
        plant_request(1 + i, MS(100 + 5 * i));
    for (unsigned i = 0; i < 1000; i++)
        span_add(ring, SPAN_CPU, LANE_CPU, 0, 0, MS(100 + 5 * i), MS(100 + 5 * i) + 1000);
    feed_begin(feed, MS(8000));
    now.at = MS(8000);
    while (feed_make(feed, &now))
        pieces++;
    ck_assert_uint_gt(pieces, 10);
    for (uint64_t n = first; n < feed_next(feed); n++) {
        json_t *root = read_batch(n);

        ck_assert_uint_eq(feed_get(feed, n)->from, to);
        to = feed_get(feed, n)->to;
        told += count_in(root, "spans") + count_in(root, "slices");
        ck_assert_int_eq(number_in(root, "left_out"), 0);
        json_decref(root);
    }
    ck_assert_uint_eq(to, MS(8000));
    ck_assert_uint_eq(told, 4000);
}
END_TEST

START_TEST(test_after_ten_seconds_without_readers_a_number_is_left_out)
{
    json_t *root;

    json_decref(make(MS(50)));
    ck_assert_uint_eq(feed_next(feed), 2);
    plant_request(1, MS(100));
    feed_begin(feed, MS(10100));
    ck_assert_uint_eq(feed_first(feed), 3); /* who has read the first one has missed one */
    ck_assert_uint_eq(feed_next(feed), 3);
    root = make(MS(10150));
    ck_assert_uint_eq(count_in(root, "spans"), 0);
    ck_assert_int_eq(number_in(root, "from"), 10100000);
    json_decref(root);
}
END_TEST

START_TEST(test_a_course_has_its_peaks_and_ends_with_what_is_now)
{
    json_t *root;

    course_set(tasks, MS(10), 1);
    course_set(tasks, MS(20), 5);
    course_set(tasks, MS(20), 2);
    root = make(MS(50));
    ck_assert_uint_eq(count_in(root, "tasks"), 3);
    ck_assert_int_eq(cell(root, "tasks", 1, 0), 20000);
    ck_assert_int_eq(cell(root, "tasks", 1, 1), 5);
    ck_assert_int_eq(cell(root, "tasks", 2, 0), 20000);
    ck_assert_int_eq(cell(root, "tasks", 2, 1), 2);
    ck_assert_uint_eq(count_in(root, "queries"), 1); /* nothing new: as it is now */
    ck_assert_int_eq(cell(root, "queries", 0, 0), 50000);
    ck_assert_int_eq(cell(root, "queries", 0, 1), 0);
    json_decref(root);

    course_set(tasks, MS(20), 7); /* that moment went on */
    root = make(MS(100));
    ck_assert_uint_eq(count_in(root, "tasks"), 1);
    ck_assert_int_eq(cell(root, "tasks", 0, 1), 7);
    json_decref(root);

    root = make(MS(150));
    ck_assert_uint_eq(count_in(root, "tasks"), 1);
    ck_assert_int_eq(cell(root, "tasks", 0, 0), 150000);
    ck_assert_int_eq(cell(root, "tasks", 0, 1), 7);
    json_decref(root);
}
END_TEST

START_TEST(test_a_long_course_keeps_its_highest_peak)
{
    json_int_t highest = 0;
    json_t *root;

    for (unsigned i = 0; i < 3000; i++)
        course_set(tasks, MS(1) + i * 15000ULL, i == 1234 ? 99 : i % 7);
    root = make(MS(50));
    ck_assert_uint_le(count_in(root, "tasks"), 450);
    for (size_t i = 0; i < count_in(root, "tasks"); i++)
        if (cell(root, "tasks", i, 1) > highest)
            highest = cell(root, "tasks", i, 1);
    ck_assert_int_eq(highest, 99);
    ck_assert_int_eq(cell(root, "tasks", count_in(root, "tasks") - 1, 1), 2999 % 7);
    json_decref(root);
}
END_TEST

START_TEST(test_a_batch_says_what_is_there_now)
{
    json_t *root, *open, *counts;

    now.open[0] = (struct feed_request){
        .id = 5, .start = MS(3), .since = MS(4), .burst = 2, .route = 6, .waits = "db"};
    now.nopen = 1;
    now.open_left_out = 8;
    now.requests = 9;
    now.answered = 1234567;
    now.lag_ns = 1500000;
    root = make(MS(50));
    open = json_array_get(json_object_get(root, "open"), 0);
    ck_assert_int_eq(cell(root, "open", 0, 2), 3000);
    ck_assert_str_eq(json_string_value(json_array_get(open, 3)), "db");
    ck_assert_int_eq(cell(root, "open", 0, 4), 4000);
    ck_assert_int_eq(cell(root, "open", 0, 5), 2);
    ck_assert_int_eq(number_in(root, "open_left_out"), 8);
    counts = json_object_get(root, "counts");
    ck_assert_int_eq(number_in(counts, "requests"), 9);
    ck_assert_int_eq(number_in(counts, "answered"), 1234567);
    ck_assert_int_eq(number_in(counts, "lag"), 1500);
    ck_assert(json_is_true(json_object_get(counts, "db_up")));
    json_decref(root);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("feed");
    TCase *tc = tcase_create("feed");
    const TTest *const tests[] = {
        test_batches_follow_each_other_and_tell_each_span_once,
        test_a_span_is_its_numbers_in_microseconds_since_the_start,
        test_a_slice_that_grows_comes_again_under_its_key,
        test_of_too_many_slices_the_newest_are_told_and_the_others_counted,
        test_of_too_many_spans_whole_requests_are_told_and_the_others_counted,
        test_a_flood_is_told_by_4000_spans_a_second_and_the_rest_is_counted,
        test_spans_that_the_ring_lost_are_counted,
        test_old_batches_are_forgotten_by_their_age,
        test_all_batches_together_stay_below_two_megabytes,
        test_a_quiet_server_gets_two_batches_a_second,
        test_what_happened_while_nobody_read_is_made_up_for,
        test_after_ten_seconds_without_readers_a_number_is_left_out,
        test_a_course_has_its_peaks_and_ends_with_what_is_now,
        test_a_long_course_keeps_its_highest_peak,
        test_a_batch_says_what_is_there_now,
    };

    tcase_add_checked_fixture(tc, open_feed, close_feed);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
