/* links: server/jobs/cost.c */
/*
 * What a unit of work costs, and into how many tasks a job is cut.
 */
#include "../lib/suite.h"
#include "common/clock.h"
#include "jobs/cost.h"
#include "kernels/kernel.h"

START_TEST(test_the_first_guess_is_the_kernels_own)
{
    struct cost c;

    cost_init(&c, 2.5);
    ck_assert_uint_eq(cost_guess(&c, 1000), 2500);
}
END_TEST

START_TEST(test_long_jobs_correct_a_wrong_guess_within_a_few)
{
    struct cost c;

    cost_init(&c, 1.0);
    for (unsigned i = 0; i < 10; i++)
        cost_learn(&c, 1e8, 2 * NS_PER_S); /* 20 ns a unit */
    ck_assert_double_eq_tol(c.unit_ns, 20.0, 0.5);
    ck_assert_uint_eq(c.jobs, 10);
}
END_TEST

START_TEST(test_a_tiny_job_hardly_moves_the_average)
{
    struct cost c;

    cost_init(&c, 1.0);
    cost_learn(&c, 10, 5 * NS_PER_US); /* 500 ns a unit: all of it overhead */
    ck_assert_double_lt(c.unit_ns, 1.1);
}
END_TEST

START_TEST(test_nonsense_teaches_nothing)
{
    struct cost c;

    cost_init(&c, 1.0);
    cost_learn(&c, 0, NS_PER_S);
    cost_learn(&c, -1, NS_PER_S);
    cost_learn(&c, 1e6, 0);
    ck_assert_double_eq(c.unit_ns, 1.0);
    ck_assert_uint_eq(c.jobs, 0);
}
END_TEST

START_TEST(test_one_absurd_measurement_moves_the_average_a_bounded_way)
{
    struct cost c;

    cost_init(&c, 1.0);
    cost_learn(&c, 1, UINT64_MAX);
    ck_assert_double_le(c.unit_ns, 51.0);
}
END_TEST

START_TEST(test_a_guess_stays_within_an_hour)
{
    struct cost c;

    cost_init(&c, 1e300);
    ck_assert_uint_eq(cost_guess(&c, 1e300), 3600 * NS_PER_S);
    ck_assert_uint_eq(cost_guess(&c, 0), 1);
    ck_assert_uint_eq(cost_guess(&c, -5), 1);
}
END_TEST

START_TEST(test_long_jobs_are_cut_into_tasks_of_a_few_milliseconds)
{
    ck_assert_uint_eq(cost_sections(4 * NS_PER_S, 2), 1000);
}
END_TEST

START_TEST(test_short_jobs_get_a_task_for_each_worker)
{
    ck_assert_uint_eq(cost_sections(3 * NS_PER_MS, 2), 2);
    ck_assert_uint_eq(cost_sections(3 * NS_PER_MS, 16), 16);
}
END_TEST

START_TEST(test_tiny_jobs_are_not_worth_cutting)
{
    ck_assert_uint_eq(cost_sections(20 * NS_PER_US, 16), 1);
    ck_assert_uint_eq(cost_sections(250 * NS_PER_US, 16), 2);
}
END_TEST

START_TEST(test_there_is_a_largest_number_of_tasks)
{
    ck_assert_uint_eq(cost_sections(3600 * NS_PER_S, 2), KERNEL_TASKS_MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cost");
    TCase *t = tcase_create("cost");

    tcase_add_test(t, test_the_first_guess_is_the_kernels_own);
    tcase_add_test(t, test_long_jobs_correct_a_wrong_guess_within_a_few);
    tcase_add_test(t, test_a_tiny_job_hardly_moves_the_average);
    tcase_add_test(t, test_nonsense_teaches_nothing);
    tcase_add_test(t, test_one_absurd_measurement_moves_the_average_a_bounded_way);
    tcase_add_test(t, test_a_guess_stays_within_an_hour);
    tcase_add_test(t, test_long_jobs_are_cut_into_tasks_of_a_few_milliseconds);
    tcase_add_test(t, test_short_jobs_get_a_task_for_each_worker);
    tcase_add_test(t, test_tiny_jobs_are_not_worth_cutting);
    tcase_add_test(t, test_there_is_a_largest_number_of_tasks);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
