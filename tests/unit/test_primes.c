/* links: workers/kernels/primes.c workers/kernels/sieve.c tests/lib/kernel_drive.c server/common/clock.c */
/*
 * Primes are counted exactly, however the range is cut, and lies about them are refused.
 */
#include "../lib/kernel_drive.h"
#include "../lib/suite.h"
#include "kernels/primes.h"
#include "kernels/sieve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned cuts[] = {1, 2, 3, 7, 64, 1000};
enum { CUTS = sizeof(cuts) / sizeof(cuts[0]) };

struct expected {
    int64_t n;
    uint64_t primes;
    uint64_t largest;
};

static void
check(int64_t n, unsigned sections, uint64_t primes, uint64_t largest)
{
    struct drive d;
    char text[120];

    snprintf(text, sizeof(text), "\"n\":%lld,\"primes\":%llu,\"largest\":%llu", (long long)n,
             (unsigned long long)primes, (unsigned long long)largest);
    ck_assert_int_eq(drive_all(&d, &kernel_primes, &n, sections), 0);
    ck_assert_msg(strcmp((char *)d.body, text) == 0, "%u sections: %s, not %s", sections, d.body,
                  text);
    drive_close(&d);
}

START_TEST(test_known_counts_come_out_for_any_number_of_sections)
{
    static const struct expected known[] = {
        {1000, 168, 997},
        {10000, 1229, 9973},
        {100000, 9592, 99991},
        {1000000, 78498, 999983},
        {10000000, 664579, 9999991},
        {20000000, 1270607, 19999999},
        {16777216, 1077871, 16777213},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        for (unsigned c = 0; c < CUTS; c++)
            check(known[i].n, cuts[c], known[i].primes, known[i].largest);
    }
}
END_TEST

START_TEST(test_a_thousand_million_has_50847534_primes)
{
    check(1000000000, 1, 50847534, 999999937);
    check(1000000000, 250, 50847534, 999999937);
}
END_TEST

/* The plainest sieve there is, as the judge. */
static unsigned char *
judge_make(uint64_t limit)
{
    unsigned char *composite = calloc(limit + 1, 1);

    ck_assert_ptr_nonnull(composite);
    for (uint64_t p = 2; p * p <= limit; p++) {
        for (uint64_t m = p * p; composite[p] == 0 && m <= limit; m += p)
            composite[m] = 1;
    }
    return composite;
}

START_TEST(test_every_n_up_to_3000_is_right)
{
    enum { LIMIT = 3000 };
    unsigned char *composite = judge_make(LIMIT);
    uint64_t primes = 0, largest = 0;

    for (uint64_t n = 2; n <= LIMIT; n++) {
        if (composite[n] == 0) {
            primes++;
            largest = n;
        }
        for (unsigned c = 0; c < CUTS && n >= 1000; c++)
            check((int64_t)n, cuts[c], primes, largest);
    }
    free(composite);
}
END_TEST

/* Where a segment ends, and where the square of a prime makes it join. */
START_TEST(test_n_near_ends_of_segments_and_squares_of_primes_is_right)
{
    enum { LIMIT = 3100000, SEGMENT = 32 * 1024 * 30 };
    static const uint64_t near[] = {
        31 * 31,         37 * 37,     61 * 61,     997 * 997,      1009 * 1009,
        SEGMENT,         2 * SEGMENT, 3 * SEGMENT, 17017 * 30,     12673 * 30,
        2 * 17017L * 30, LIMIT - 40,  1747 * 1747, 1000000 + 1000,
    };
    unsigned char *composite = judge_make(LIMIT);

    for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
        uint64_t primes = 0, largest = 0;

        for (uint64_t n = 2; n <= near[i] + 31; n++) {
            if (composite[n] == 0) {
                primes++;
                largest = n;
            }
            if (n + 3 >= near[i] && n >= 1000 && (n <= near[i] + 3 || n == near[i] + 31)) {
                check((int64_t)n, 1, primes, largest);
                check((int64_t)n, 3, primes, largest);
            }
        }
    }
    free(composite);
}
END_TEST

/* Primes in [low, high], by trial with every prime up to the root of high. */
static uint64_t
judge_range(uint64_t low, uint64_t high)
{
    unsigned char *composite = judge_make(141422);
    unsigned char *range = calloc(high - low + 1, 1);
    uint64_t primes = 0;

    ck_assert_ptr_nonnull(range);
    for (uint64_t p = 2; p * p <= high; p++) {
        for (uint64_t m = (low + p - 1) / p * p; composite[p] == 0 && m <= high; m += p)
            range[m - low] = 1;
    }
    for (uint64_t i = 0; i <= high - low; i++)
        primes += range[i] == 0;
    free(composite);
    free(range);
    return primes;
}

START_TEST(test_the_top_of_the_range_is_sieved_with_all_primes_up_to_its_root)
{
    const uint64_t n = SIEVE_N_MAX, top = n / 30 + 1;
    const uint64_t begins[] = {top - 100000, top - 65536, top - 1, 141403ULL * 141403 / 30 - 100};
    struct task t = {0};
    struct sieve_found found;

    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        uint64_t end = begins[i] + 70000 < top ? begins[i] + 70000 : top;
        uint64_t high = end * 30 - 1 < n ? end * 30 - 1 : n;

        ck_assert(!sieve_range(begins[i], end, n, &t, &found));
        ck_assert_uint_eq(found.primes, judge_range(begins[i] * 30, high));
    }
    ck_assert(!sieve_range(top - 100, top, n, &t, &found));
    ck_assert_uint_eq(found.largest, 19999999967ULL);
}
END_TEST

START_TEST(test_memory_does_not_grow_and_sections_stay_within_what_there_is_to_cut)
{
    struct kernel_plan plan;

    for (int64_t n = 1000; n <= 1100; n++) {
        ck_assert_int_eq(kernel_primes.plan(&n, 64, &plan, NULL, 0), 0);
        ck_assert_uint_ge(plan.tasks, 16);
        ck_assert_uint_le(plan.tasks, 64);
        ck_assert_uint_eq(plan.area_size, 0);
    }
    ck_assert_int_eq(kernel_primes.plan(&(int64_t){SIEVE_N_MAX}, KERNEL_TASKS_MAX, &plan, NULL, 0),
                     0);
    ck_assert_uint_eq(plan.tasks, KERNEL_TASKS_MAX);
}
END_TEST

static void
put_u64(struct small *s, size_t at, uint64_t v)
{
    memcpy(s->data + at, &v, sizeof(v));
}

static bool
accepts(struct drive *d)
{
    memset(d->state, 0, kernel_primes.state_size);
    return drive_next(d) == 0;
}

START_TEST(test_results_that_cannot_be_right_are_refused)
{
    enum { PRIMES = 0, LARGEST = 8 };
    const int64_t n = 1000000;
    struct drive d;
    struct small good;

    ck_assert_int_eq(drive_open(&d, &kernel_primes, &n, 4), 0);
    drive_stage(&d);
    good = d.small[1];
    ck_assert(accepts(&d));
    d.small[1].len = 0;
    ck_assert(!accepts(&d));
    d.small[1].len = good.len + 1;
    ck_assert(!accepts(&d));
    d.small[1] = good;
    put_u64(&d.small[1], PRIMES, 1000000);
    ck_assert(!accepts(&d));
    put_u64(&d.small[1], PRIMES, UINT64_MAX);
    ck_assert(!accepts(&d));
    put_u64(&d.small[1], PRIMES, 0);
    ck_assert(!accepts(&d));
    d.small[1] = good;
    put_u64(&d.small[1], LARGEST, 0);
    ck_assert(!accepts(&d));
    put_u64(&d.small[1], LARGEST, 17);
    ck_assert(!accepts(&d));
    put_u64(&d.small[1], LARGEST, 999983);
    ck_assert(!accepts(&d));
    d.small[1] = good;
    put_u64(&d.small[3], LARGEST, 1000003);
    ck_assert(!accepts(&d));
    drive_close(&d);
}
END_TEST

START_TEST(test_an_answer_without_room_is_refused)
{
    const int64_t n = 1000;
    struct drive d;

    ck_assert_int_eq(drive_all(&d, &kernel_primes, &n, 1), 0);
    d.answer.text_size = d.len;
    ck_assert_int_eq(drive_answer(&d), -1);
    d.answer.text_size = d.len + 1;
    ck_assert_int_eq(drive_answer(&d), 0);
    drive_close(&d);
}
END_TEST

static bool
stop_at_hundred(void *arg)
{
    unsigned *ticks = arg;

    return ++*ticks >= 100;
}

START_TEST(test_a_task_ticks_often_and_stops_at_once_when_told)
{
    const int64_t n = SIEVE_N_MAX;
    unsigned ticks = 0;
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_primes, &n, 1), 0);
    d.tick = stop_at_hundred;
    d.tick_arg = &ticks;
    drive_stage(&d);
    ck_assert_uint_eq(ticks, 100);
    ck_assert_uint_eq(d.small[0].len, 0);
    drive_close(&d);
    /* and what it leaves behind does not disturb the next task */
    check(1000000, 2, 78498, 999983);
}
END_TEST

static bool
count_tick(void *arg)
{
    unsigned *ticks = arg;

    ++*ticks;
    return false;
}

START_TEST(test_a_million_numbers_are_at_least_eight_ticks)
{
    const int64_t n = 30000000;
    unsigned ticks = 0;
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_primes, &n, 1), 0);
    d.tick = count_tick;
    d.tick_arg = &ticks;
    drive_stage(&d);
    ck_assert_uint_ge(ticks, 240);
    drive_close(&d);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_known_counts_come_out_for_any_number_of_sections,
        test_a_thousand_million_has_50847534_primes,
        test_every_n_up_to_3000_is_right,
        test_n_near_ends_of_segments_and_squares_of_primes_is_right,
        test_the_top_of_the_range_is_sieved_with_all_primes_up_to_its_root,
        test_memory_does_not_grow_and_sections_stay_within_what_there_is_to_cut,
        test_results_that_cannot_be_right_are_refused,
        test_an_answer_without_room_is_refused,
        test_a_task_ticks_often_and_stops_at_once_when_told,
        test_a_million_numbers_are_at_least_eight_ticks,
    };
    Suite *suite = suite_create("primes");
    TCase *tc = tcase_create("primes");

    tcase_set_timeout(tc, 60);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
