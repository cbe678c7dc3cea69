/* links: server/common/span.c server/common/clock.c server/common/log.c */
/*
 * The span ring: what was recorded is there until it is overwritten; CPUs are counted by lane, in
 * whatever order their slices come; a flood of requests is sampled, a trickle is not.
 */
#include "suite.h"

#include "common/clock.h"
#include "common/span.h"

static struct span_ring *ring;

static void
setup(void)
{
    ring = span_ring_new(256 * 1024, true);
}

static void
teardown(void)
{
    span_ring_free(ring);
}

static void
slice(unsigned cpu, uint64_t start, uint64_t end)
{
    span_add(ring, SPAN_CPU, LANE_CPU + cpu, 0, 0, start, end);
}

START_TEST(test_a_span_is_read_back_as_it_was_recorded)
{
    struct span s;

    span_add(ring, SPAN_QUERY, LANE_DB_FAST + 1, 77, 5, 1000, 2000);
    ck_assert_uint_eq(span_ring_next(ring), 1);
    ck_assert(span_ring_get(ring, 0, &s));
    ck_assert_uint_eq(s.start, 1000);
    ck_assert_uint_eq(s.end, 2000);
    ck_assert_uint_eq(s.request, 77);
    ck_assert_uint_eq(s.arg, 5);
    ck_assert_uint_eq(s.lane, LANE_DB_FAST + 1);
    ck_assert_uint_eq(s.kind, SPAN_QUERY);
    ck_assert(!span_ring_get(ring, 1, &s));
}
END_TEST

START_TEST(test_the_newest_spans_overwrite_the_oldest)
{
    struct span s;
    uint64_t first;

    for (uint64_t i = 0; i < 100000; i++)
        span_add(ring, SPAN_LOOP, LANE_LOOP, i, 0, i, i + 1);
    first = span_ring_first(ring);
    ck_assert_uint_gt(first, 0);
    ck_assert(!span_ring_get(ring, first - 1, &s));
    ck_assert(span_ring_get(ring, first, &s));
    ck_assert_uint_eq(s.request, first);
    ck_assert(span_ring_get(ring, 99999, &s));
    ck_assert_uint_eq(s.request, 99999);
}
END_TEST

START_TEST(test_slices_have_a_ring_of_their_own)
{
    struct span s;

    slice(1, 10, 20);
    for (unsigned i = 0; i < 100000; i++)
        span_add(ring, SPAN_LOOP, LANE_LOOP, i, 0, i, i + 1);
    ck_assert(span_ring_cpu_get(ring, 0, &s));
    ck_assert_uint_eq(s.end, 20);
}
END_TEST

START_TEST(test_running_counts_cpus_that_were_ours_at_one_instant)
{
    uint64_t busy;

    slice(0, 100, 200);
    slice(1, 150, 250);
    slice(0, 300, 400);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, &busy), 2);
    ck_assert_uint_eq(busy, 300);
    ck_assert_uint_eq(span_ring_running_max(ring, 210, 1000, NULL), 1);
    ck_assert_uint_eq(span_ring_running_max(ring, 260, 290, NULL), 0);
}
END_TEST

START_TEST(test_one_cpu_is_one_however_its_slices_overlap)
{
    uint64_t busy;

    slice(3, 100, 200); /* two processes say that they were on CPU 3: clocks differ a little */
    slice(3, 190, 300);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, &busy), 1);
    ck_assert_uint_eq(busy, 200);
}
END_TEST

START_TEST(test_a_slice_that_ends_as_another_begins_is_not_two)
{
    slice(0, 100, 200);
    slice(1, 200, 300);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, NULL), 1);
}
END_TEST

START_TEST(test_slices_that_come_late_are_counted_in_their_place)
{
    slice(0, 100, 110);
    slice(0, 500, 510);
    slice(1, 105, 108); /* of a worker whose page was read later */
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, NULL), 2);
}
END_TEST

START_TEST(test_a_trickle_of_requests_is_recorded_whole)
{
    for (uint64_t i = 0; i < 3000; i++) {
        ck_assert(span_ring_sample(ring, 5 * NS_PER_S + i));
        span_add(ring, SPAN_REQUEST, LANE_REQUEST, i, 0, i, i + 1);
    }
    ck_assert_uint_eq(span_ring_sampling(ring), 1);
}
END_TEST

START_TEST(test_a_flood_is_sampled_by_whole_requests_and_recovers)
{
    unsigned recorded = 0;

    for (uint64_t second = 10; second < 14; second++) {
        recorded = 0;
        for (uint64_t i = 0; i < 100000; i++) {
            if (!span_ring_sample(ring, second * NS_PER_S + i * 10000))
                continue;
            recorded++;
            span_add(ring, SPAN_REQUEST, LANE_REQUEST, i, 0, i, i + 1);
        }
    }
    ck_assert_msg(recorded > 1000 && recorded < 9000, "%u recorded in the last second", recorded);
    ck_assert_uint_gt(span_ring_sampling(ring), 8);
    ck_assert(span_ring_sample(ring, 100 * NS_PER_S)); /* a quiet moment later */
    ck_assert_uint_eq(span_ring_sampling(ring), 1);
}
END_TEST

START_TEST(test_without_recording_nothing_is_kept)
{
    struct span_ring *off = span_ring_new(256 * 1024, false);

    span_add(off, SPAN_LOOP, LANE_LOOP, 1, 0, 1, 2);
    ck_assert(!span_ring_sample(off, 1));
    ck_assert_uint_eq(span_ring_next(off), 0);
    span_ring_free(off);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_a_span_is_read_back_as_it_was_recorded,
        test_the_newest_spans_overwrite_the_oldest,
        test_slices_have_a_ring_of_their_own,
        test_running_counts_cpus_that_were_ours_at_one_instant,
        test_one_cpu_is_one_however_its_slices_overlap,
        test_a_slice_that_ends_as_another_begins_is_not_two,
        test_slices_that_come_late_are_counted_in_their_place,
        test_a_trickle_of_requests_is_recorded_whole,
        test_a_flood_is_sampled_by_whole_requests_and_recovers,
        test_without_recording_nothing_is_kept,
    };
    Suite *suite = suite_create("span");
    TCase *tc = tcase_create("span");

    tcase_add_checked_fixture(tc, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
