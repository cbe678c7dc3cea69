/* links: server/common/histogram.c server/common/maxtrack.c server/common/distance.c server/common/log.c */
/*
 * The small counting leaves: percentiles against sorting, maxima against looking at every value,
 * distances against hand-made ones.
 */
#include "suite.h"

#include "common/distance.h"
#include "common/histogram.h"
#include "common/maxtrack.h"

#include <string.h>

/* The same numbers in every run. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

START_TEST(test_percentiles_are_at_most_seven_percent_too_high_and_never_too_low)
{
    enum { COUNT = 20000 };
    static uint64_t values[COUNT];
    static struct histogram h;
    uint64_t state = 88172645463325252ULL;

    for (unsigned i = 0; i < COUNT; i++) {
        values[i] = next_random(&state) >> (25 + next_random(&state) % 30);
        histogram_record(&h, values[i]);
    }
    qsort(values, COUNT, sizeof(values[0]), by_value);
    for (unsigned percent = 1; percent <= 100; percent++) {
        uint64_t truth = values[(uint64_t)COUNT * percent / 100 - 1];
        uint64_t said = histogram_percentile(&h, percent);

        ck_assert_msg(said >= truth && (double)said <= (double)truth * 1.07 + 64,
                      "%u %%: %llu instead of %llu", percent, (unsigned long long)said,
                      (unsigned long long)truth);
    }
    ck_assert_uint_eq(histogram_max(&h), values[COUNT - 1]);
}
END_TEST

START_TEST(test_an_empty_histogram_says_zero_and_huge_values_are_kept)
{
    static struct histogram h;

    ck_assert_uint_eq(histogram_percentile(&h, 99), 0);
    histogram_record_many(&h, UINT64_MAX, 3);
    ck_assert_uint_eq(histogram_percentile(&h, 50), UINT64_MAX);
    ck_assert_uint_eq(histogram_max(&h), UINT64_MAX);
    ck_assert_uint_eq(h.count, 3);
}
END_TEST

START_TEST(test_the_maximum_since_any_moment_is_the_one_of_all_values_since)
{
    enum { STEPS = 3000 };
    static unsigned values[STEPS];
    static uint64_t marks[STEPS];
    struct maxtrack *t = maxtrack_new();
    uint64_t state = 1234567;
    unsigned value = 0;

    for (unsigned i = 0; i < STEPS; i++) {
        value = next_random(&state) % 2 || value == 0 ? value + 1 : value - 1;
        maxtrack_set(t, value);
        values[i] = value;
        marks[i] = maxtrack_mark(t);
        for (unsigned k = 0; k < 5; k++) {
            unsigned since = (unsigned)(next_random(&state) % (i + 1)), truth = 0;

            for (unsigned j = since; j <= i; j++)
                if (values[j] > truth)
                    truth = values[j];
            ck_assert_uint_eq(maxtrack_max_since(t, marks[since]), truth);
        }
    }
    maxtrack_free(t);
}
END_TEST

START_TEST(test_distances_count_letters_changed_left_out_and_swapped)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        {"port", "port", 0},      {"prot", "port", 1},     {"pot", "port", 1},
        {"ports", "port", 1},     {"part", "port", 1},     {"wrokers", "workers", 1},
        {"", "abc", 3},           {"abc", "", 3},          {"sm", "ms", 1},
        {"kitten", "sitting", 3}, {"abcdef", "uvwxyz", 5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(text_distance(cases[i].a, strlen(cases[i].a), cases[i].b, strlen(cases[i].b),
                                    5) == cases[i].distance,
                      "%s, %s", cases[i].a, cases[i].b);
}
END_TEST

START_TEST(test_texts_that_are_too_long_are_far_apart)
{
    char a[100];

    memset(a, 'x', sizeof(a));
    ck_assert_uint_eq(text_distance(a, sizeof(a), a, sizeof(a), 5), 5);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_percentiles_are_at_most_seven_percent_too_high_and_never_too_low,
        test_an_empty_histogram_says_zero_and_huge_values_are_kept,
        test_the_maximum_since_any_moment_is_the_one_of_all_values_since,
        test_distances_count_letters_changed_left_out_and_swapped,
        test_texts_that_are_too_long_are_far_apart,
    };

    return suite_run(suite_of("numbers", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
