/* links: server/common/course.c server/common/log.c server/common/clock.c */
/*
 * The course of a count: each change with its moment, no peak lost in a flood, the oldest gone when
 * it is full, found again by time.
 */
#include "suite.h"

#include "common/clock.h"
#include "common/course.h"

START_TEST(test_changes_keep_their_moments)
{
    struct course *c = course_new(64);
    struct course_point p;

    course_set(c, 10, 1);
    course_set(c, 20, 3);
    course_set(c, 30, 0);
    ck_assert_uint_eq(course_next(c) - course_first(c), 3);
    ck_assert(course_get(c, 1, &p));
    ck_assert_uint_eq(p.at, 20);
    ck_assert_uint_eq(p.value, 3);
    ck_assert_uint_eq(p.peak, 3);
    ck_assert(!course_get(c, 3, &p));
    course_free(c);
}
END_TEST

START_TEST(test_a_peak_within_one_moment_is_kept)
{
    struct course *c = course_new(64);
    struct course_point p;

    course_set(c, 10, 1);
    course_set(c, 20, 9);
    course_set(c, 20, 2);
    course_set(c, 15, 3); /* told late: counts as the moment before it */
    ck_assert_uint_eq(course_next(c), 2);
    ck_assert(course_get(c, 1, &p));
    ck_assert_uint_eq(p.at, 20);
    ck_assert_uint_eq(p.peak, 9);
    ck_assert_uint_eq(p.value, 3);
    course_free(c);
}
END_TEST

/* A thousand changes in each of ten milliseconds: few points, every millisecond's peak and end. */
START_TEST(test_a_flood_costs_few_points_and_loses_no_peak)
{
    struct course *c = course_new(1024);
    unsigned peaks[10] = {0}, last = 0;
    struct course_point p;

    for (unsigned ms = 0; ms < 10; ms++)
        for (unsigned i = 0; i < 1000; i++)
            course_set(c, (uint64_t)ms * NS_PER_MS + i * 1000, i == 700 ? 500 + ms : i % 7);
    ck_assert_uint_le(course_next(c), 80);
    for (uint64_t n = course_first(c); n < course_next(c); n++) {
        ck_assert(course_get(c, n, &p));
        if (p.peak > peaks[p.at / NS_PER_MS])
            peaks[p.at / NS_PER_MS] = p.peak;
        last = p.value;
    }
    for (unsigned ms = 0; ms < 10; ms++)
        ck_assert_uint_eq(peaks[ms], 500 + ms);
    ck_assert_uint_eq(last, 999 % 7);
    course_free(c);
}
END_TEST

START_TEST(test_when_full_the_oldest_goes)
{
    struct course *c = course_new(64);
    struct course_point p;

    for (unsigned i = 0; i < 200; i++)
        course_set(c, (i + 1) * NS_PER_MS, i);
    ck_assert_uint_eq(course_next(c), 200);
    ck_assert_uint_eq(course_first(c), 136);
    ck_assert(!course_get(c, 135, &p));
    for (uint64_t n = 136; n < 200; n++) {
        ck_assert(course_get(c, n, &p));
        ck_assert_uint_eq(p.value, n);
    }
    course_free(c);
}
END_TEST

START_TEST(test_a_moment_is_found)
{
    struct course *c = course_new(64);

    ck_assert_uint_eq(course_find(c, 5), 0);
    for (unsigned i = 0; i < 100; i++)
        course_set(c, (i + 1) * NS_PER_MS, i);
    ck_assert_uint_eq(course_find(c, 0), course_first(c));
    ck_assert_uint_eq(course_find(c, 50 * NS_PER_MS), 49);
    ck_assert_uint_eq(course_find(c, 50 * NS_PER_MS + 1), 49);
    ck_assert_uint_eq(course_find(c, 1000 * NS_PER_MS), 99);
    course_free(c);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_changes_keep_their_moments,
        test_a_peak_within_one_moment_is_kept,
        test_a_flood_costs_few_points_and_loses_no_peak,
        test_when_full_the_oldest_goes,
        test_a_moment_is_found,
    };

    return suite_run(suite_of("course", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
