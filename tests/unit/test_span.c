/* links: server/common/span.c server/common/span_sweep.c server/common/clock.c server/common/log.c */
/*
 * The span ring: what was recorded is there until it is overwritten; CPUs are counted by lane, in
 * whatever order their slices come; a flood of requests is sampled, a trickle is not.
 */
#include "suite.h"

#include "common/clock.h"
#include "common/span.h"
#include "common/span_sweep.h"

#include <string.h>

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

/* 0 is the loop, 1 and up are workers. */
static void
slice(unsigned process, unsigned cpu, uint64_t start, uint64_t end)
{
    span_add(ring, SPAN_CPU, LANE_CPU + cpu, 0, process, start, end);
}

/* The same numbers in every run. */
static uint64_t random_state = 88172645463325252;

static unsigned
random_below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state % limit);
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

    slice(0, 1, 10, 20);
    for (unsigned i = 0; i < 100000; i++)
        span_add(ring, SPAN_LOOP, LANE_LOOP, i, 0, i, i + 1);
    ck_assert(span_ring_cpu_get(ring, 0, &s));
    ck_assert_uint_eq(s.end, 20);
}
END_TEST

START_TEST(test_running_counts_cpus_that_were_ours_at_one_instant)
{
    uint64_t busy;

    slice(0, 0, 100, 200);
    slice(1, 1, 150, 250);
    slice(0, 0, 300, 400);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, &busy), 2);
    ck_assert_uint_eq(busy, 300);
    ck_assert_uint_eq(span_ring_running_max(ring, 210, 1000, NULL), 1);
    ck_assert_uint_eq(span_ring_running_max(ring, 260, 290, NULL), 0);
}
END_TEST

START_TEST(test_one_cpu_is_one_however_its_slices_overlap)
{
    uint64_t busy;

    slice(1, 3, 100, 200); /* two processes say that they were on CPU 3: ticks are not exact */
    slice(2, 3, 190, 300);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, &busy), 1);
    ck_assert_uint_eq(busy, 200);
}
END_TEST

START_TEST(test_a_slice_that_ends_as_another_begins_is_not_two)
{
    slice(0, 0, 100, 200);
    slice(1, 1, 200, 300);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, NULL), 1);
}
END_TEST

START_TEST(test_slices_that_come_late_are_counted_in_their_place)
{
    slice(0, 0, 100, 110);
    slice(0, 0, 500, 510);
    slice(1, 1, 105, 108); /* of a worker whose page was read later */
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, NULL), 2);
}
END_TEST

/* ---- against counting every nanosecond ---- */

enum { MOMENTS = 3000, PROCESSES = 5, CPUS = 3, ROUNDS = 30 };

static bool occupied[CPUS][MOMENTS];

static unsigned
occupied_at(unsigned moment)
{
    unsigned n = 0;

    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        n += occupied[cpu][moment];
    return n;
}

/* Each process is on some CPU now and then; what it did is told in order, but some processes are
 * asked later than others. */
static void
live(void)
{
    uint64_t done[PROCESSES] = {0};

    for (uint64_t now = 100; now <= MOMENTS; now += 100) {
        for (unsigned i = 0; i < PROCESSES; i++) {
            if (random_below(3) == 0)
                continue;
            while (done[i] < now) {
                uint64_t start = done[i] + random_below(4) * random_below(30);
                uint64_t end = start + 1 + random_below(60);
                unsigned cpu = random_below(CPUS);

                if (end > now)
                    end = now;
                done[i] = end > start ? end : now;
                slice(i, cpu, start, end);
                for (uint64_t t = start; t < end; t++)
                    occupied[cpu][t] = true;
            }
        }
    }
}

static void
check_window(uint64_t from, uint64_t to)
{
    static struct span_running running;
    uint64_t busy, true_busy = 0, told = to, start, end;
    unsigned true_max = 0, lanes, wrong = 0;

    for (uint64_t t = from; t < to; t++) {
        true_busy += occupied_at((unsigned)t);
        true_max = occupied_at((unsigned)t) > true_max ? occupied_at((unsigned)t) : true_max;
    }
    ck_assert_uint_eq(span_ring_running_max(ring, from, to, &busy), true_max);
    ck_assert_uint_eq(busy, true_busy);
    span_running_begin(&running, ring, from, to);
    while (span_running_next(&running, &start, &end, &lanes)) {
        wrong += end != told || start >= end;
        for (uint64_t t = start; t < end; t++)
            wrong += lanes != occupied_at((unsigned)t);
        told = start;
    }
    ck_assert_uint_eq(told, from);
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(test_cpus_are_counted_as_if_every_nanosecond_was_looked_at)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        teardown();
        setup();
        memset(occupied, 0, sizeof(occupied));
        live();
        check_window(0, MOMENTS);
        for (unsigned i = 0; i < 20; i++) {
            uint64_t from = random_below(MOMENTS - 1);

            check_window(from, from + 1 + random_below((unsigned)(MOMENTS - from)));
        }
    }
}
END_TEST

START_TEST(test_a_sweep_gives_slices_from_late_to_early_and_says_what_is_overwritten)
{
    struct span_sweep sweep;
    uint64_t last = UINT64_MAX;
    unsigned count = 0;
    struct span s;

    for (uint64_t i = 0; i < 20000; i++)
        slice((unsigned)(i % 3), (unsigned)(i % 2), 10 * i, 10 * i + 9);
    span_sweep_begin(&sweep, ring, 100000, 200000);
    while (span_sweep_next(&sweep, &s)) {
        ck_assert_uint_lt(s.end, last);
        ck_assert_uint_ge(s.start, 100000);
        last = s.end;
        if (++count == 100) /* the ring goes on meanwhile, and overwrites */
            for (uint64_t i = 20000; i < 23000; i++)
                slice((unsigned)(i % 3), (unsigned)(i % 2), 10 * i, 10 * i + 9);
    }
    ck_assert_uint_gt(count, 100);
    ck_assert(sweep.overwritten);
    span_sweep_begin(&sweep, ring, 229000, 230000);
    for (count = 0; span_sweep_next(&sweep, &s);)
        count++;
    ck_assert_uint_eq(count, 100);
    ck_assert(!sweep.overwritten);
}
END_TEST

START_TEST(test_pieces_of_one_slice_are_put_together_up_to_20_ms)
{
    struct span s;

    for (uint64_t i = 0; i < 15; i++)
        slice(1, 0, i * 2 * NS_PER_MS, (i + 1) * 2 * NS_PER_MS);
    ck_assert_uint_eq(span_ring_cpu_next(ring), 2);
    ck_assert(span_ring_cpu_get(ring, 0, &s));
    ck_assert_uint_eq(s.end - s.start, 20 * NS_PER_MS);
    slice(1, 1, 30 * NS_PER_MS, 31 * NS_PER_MS); /* another CPU */
    slice(2, 1, 31 * NS_PER_MS, 32 * NS_PER_MS); /* another process */
    slice(2, 1, 33 * NS_PER_MS, 34 * NS_PER_MS); /* a gap */
    ck_assert_uint_eq(span_ring_cpu_next(ring), 5);
}
END_TEST

START_TEST(test_a_process_is_never_on_two_cpus_whatever_it_says)
{
    uint64_t busy;

    slice(1, 0, 100, 200);
    slice(1, 1, 150, 250);
    slice(1, 2, 50, 120);
    slice(1, 0, 90, 260);
    slice(300, 0, 300, 400); /* there is no such worker */
    span_add(ring, SPAN_CPU, LANE_WORKER, 0, 2, 300, 400);
    ck_assert_uint_eq(span_ring_running_max(ring, 0, 1000, &busy), 1);
    ck_assert_uint_eq(busy, 160);
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
            span_add(ring, SPAN_REQUEST, LANE_REQUEST, 1 + i, 0, i, i + 1);
        }
        ck_assert_uint_lt(recorded, 15000); /* even in the second in which it begins */
    }
    ck_assert_msg(recorded > 1000 && recorded < 9000, "%u recorded in the last second", recorded);
    ck_assert_uint_gt(span_ring_sampling(ring), 8);
    ck_assert(span_ring_sample(ring, 100 * NS_PER_S)); /* a quiet moment later */
    ck_assert_uint_eq(span_ring_sampling(ring), 1);
}
END_TEST

START_TEST(test_spans_of_no_request_are_thinned_out_and_leave_requests_alone)
{
    uint64_t before;

    for (uint64_t i = 0; i < 300000; i++) /* three seconds of turns */
        span_add(ring, SPAN_TURN, LANE_LOOP, 0, 1, 5 * NS_PER_S + i * 10000,
                 5 * NS_PER_S + i * 10000 + 5);
    before = span_ring_next(ring);
    for (uint64_t i = 0; i < 100000; i++)
        span_add(ring, SPAN_TURN, LANE_LOOP, 0, 1, 8 * NS_PER_S + i * 10000,
                 8 * NS_PER_S + i * 10000 + 5);
    ck_assert_uint_gt(span_ring_next(ring) - before, 2000);
    ck_assert_uint_lt(span_ring_next(ring) - before, 6000);
    for (uint64_t second = 5; second < 9; second++)
        ck_assert(span_ring_sample(ring, second * NS_PER_S));
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
        test_cpus_are_counted_as_if_every_nanosecond_was_looked_at,
        test_a_sweep_gives_slices_from_late_to_early_and_says_what_is_overwritten,
        test_pieces_of_one_slice_are_put_together_up_to_20_ms,
        test_a_process_is_never_on_two_cpus_whatever_it_says,
        test_a_trickle_of_requests_is_recorded_whole,
        test_a_flood_is_sampled_by_whole_requests_and_recovers,
        test_spans_of_no_request_are_thinned_out_and_leave_requests_alone,
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
