/* links: workers/kernels/spin.c tests/lib/kernel_drive.c server/common/clock.c */
/*
 * The computing part of /work burns the CPU time that was asked for, however it is cut.
 */
#include "../lib/kernel_drive.h"
#include "../lib/suite.h"
#include "common/clock.h"
#include "kernels/spin.h"

#include <string.h>

START_TEST(test_the_cpu_time_asked_for_is_burnt_in_any_number_of_sections)
{
    static const unsigned cuts[] = {1, 2, 3, 7, 64, 1000};
    const int64_t cpu_ms = 20;

    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct drive d;
        uint64_t sum;

        ck_assert_int_eq(drive_all(&d, &kernel_spin, &cpu_ms, cuts[i]), 0);
        ck_assert_uint_eq(d.tasks, cuts[i] < 20 ? cuts[i] : 20);
        ck_assert_uint_ge(d.cpu_ns[0], 20 * NS_PER_MS);
        memcpy(&sum, d.state, sizeof(sum));
        ck_assert_uint_ge(sum, 20 * NS_PER_MS);
        ck_assert_uint_le(sum, d.cpu_ns[0]);
        ck_assert_int_eq(strncmp((char *)d.body, "\"cpu_ms\":20,\"burnt_ms\":", 23), 0);
        drive_close(&d);
    }
}
END_TEST

START_TEST(test_nothing_to_burn_is_one_task_that_ends_at_once)
{
    const int64_t cpu_ms = 0;
    struct drive d;

    ck_assert_int_eq(drive_all(&d, &kernel_spin, &cpu_ms, 8), 0);
    ck_assert_uint_eq(d.tasks, 1);
    ck_assert_str_eq((char *)d.body, "\"cpu_ms\":0,\"burnt_ms\":0.0");
    drive_close(&d);
}
END_TEST

START_TEST(test_results_that_cannot_be_right_are_refused)
{
    const int64_t cpu_ms = 4;
    struct drive d;
    struct small good;
    uint64_t ns;

    ck_assert_int_eq(drive_open(&d, &kernel_spin, &cpu_ms, 2), 0);
    drive_stage(&d);
    good = d.small[1];
    ck_assert_int_eq(drive_next(&d), 0);
    d.small[1].len--;
    ck_assert_int_eq(drive_next(&d), -1);
    d.small[1] = good;
    ns = 2 * NS_PER_MS - 1; /* less than its share */
    memcpy(d.small[1].data, &ns, sizeof(ns));
    ck_assert_int_eq(drive_next(&d), -1);
    ns = UINT64_MAX;
    memcpy(d.small[1].data, &ns, sizeof(ns));
    ck_assert_int_eq(drive_next(&d), -1);
    drive_close(&d);
}
END_TEST

static bool
stop_at_ten(void *arg)
{
    unsigned *ticks = arg;

    return ++*ticks >= 10;
}

START_TEST(test_a_task_stops_at_once_when_told)
{
    const int64_t cpu_ms = 10000;
    unsigned ticks = 0;
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_spin, &cpu_ms, 1), 0);
    d.tick = stop_at_ten;
    d.tick_arg = &ticks;
    drive_stage(&d);
    ck_assert_uint_eq(ticks, 10);
    ck_assert_uint_lt(d.cpu_ns[0], NS_PER_S);
    drive_close(&d);
}
END_TEST

static bool
count_tick(void *arg)
{
    unsigned *ticks = arg;

    ++*ticks;
    return false;
}

START_TEST(test_a_millisecond_is_at_least_five_ticks)
{
    const int64_t cpu_ms = 100;
    unsigned ticks = 0;
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_spin, &cpu_ms, 1), 0);
    d.tick = count_tick;
    d.tick_arg = &ticks;
    drive_stage(&d);
    ck_assert_uint_ge(ticks, 500);
    drive_close(&d);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("spin");
    TCase *tc = tcase_create("spin");

    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, test_the_cpu_time_asked_for_is_burnt_in_any_number_of_sections);
    tcase_add_test(tc, test_nothing_to_burn_is_one_task_that_ends_at_once);
    tcase_add_test(tc, test_results_that_cannot_be_right_are_refused);
    tcase_add_test(tc, test_a_task_stops_at_once_when_told);
    tcase_add_test(tc, test_a_millisecond_is_at_least_five_ticks);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
