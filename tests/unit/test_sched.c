/* links: server/jobs/sched.c server/common/log.c server/common/clock.c */
/*
 * Whose task comes next: the least service first, and nobody starves.
 */
#include "../lib/suite.h"
#include "jobs/sched.h"

enum { MANY = 1000 };

static struct sched sched;
static struct sched_entry jobs[MANY];

static void
set_up(void)
{
    sched_init(&sched);
}

static void
tear_down(void)
{
    sched_fini(&sched);
}

static void
enter(unsigned i)
{
    sched_enter(&sched, &jobs[i]);
    sched_offer(&sched, &jobs[i]);
}

START_TEST(test_without_jobs_nothing_is_next)
{
    ck_assert_ptr_null(sched_least(&sched));
}
END_TEST

START_TEST(test_of_two_equal_jobs_the_older_is_next)
{
    enter(1);
    enter(0);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[1]);
}
END_TEST

START_TEST(test_the_job_with_the_least_service_is_next)
{
    for (unsigned i = 0; i < 3; i++)
        enter(i);
    sched_charge(&sched, &jobs[0], 30);
    sched_charge(&sched, &jobs[1], 10);
    sched_charge(&sched, &jobs[2], 20);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[1]);
    sched_charge(&sched, &jobs[1], 15);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[2]);
    sched_charge(&sched, &jobs[0], -29);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[0]);
}
END_TEST

START_TEST(test_a_new_job_begins_with_the_least_service_of_the_active_ones)
{
    enter(0);
    enter(1);
    sched_charge(&sched, &jobs[0], 5000);
    sched_charge(&sched, &jobs[1], 3000);
    enter(2);
    ck_assert_uint_eq(jobs[2].service_ns, 3000);
    sched_charge(&sched, &jobs[2], 1);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[1]);
}
END_TEST

START_TEST(test_a_job_that_waits_for_its_last_tasks_still_counts_as_active)
{
    enter(0);
    enter(1);
    sched_charge(&sched, &jobs[0], 5000);
    sched_charge(&sched, &jobs[1], 3000);
    sched_withdraw(&sched, &jobs[1]);
    enter(2);
    ck_assert_uint_eq(jobs[2].service_ns, 3000);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[2]);
}
END_TEST

START_TEST(test_a_job_that_has_left_no_longer_counts)
{
    enter(0);
    enter(1);
    sched_charge(&sched, &jobs[1], 3000);
    sched_leave(&sched, &jobs[0]);
    ck_assert_ptr_eq(sched_least(&sched), &jobs[1]);
    enter(2);
    ck_assert_uint_eq(jobs[2].service_ns, 3000);
}
END_TEST

START_TEST(test_offering_and_withdrawing_twice_is_the_same_as_once)
{
    enter(0);
    sched_offer(&sched, &jobs[0]);
    ck_assert_uint_eq(sched.count, 1);
    sched_withdraw(&sched, &jobs[0]);
    sched_withdraw(&sched, &jobs[0]);
    ck_assert_ptr_null(sched_least(&sched));
}
END_TEST

START_TEST(test_service_never_falls_below_zero)
{
    enter(0);
    sched_charge(&sched, &jobs[0], 10);
    sched_charge(&sched, &jobs[0], -20);
    ck_assert_uint_eq(jobs[0].service_ns, 0);
}
END_TEST

/* A thousand jobs, served in turn with uneven times: in the end all have had nearly the same. */
START_TEST(test_a_thousand_jobs_get_the_same_service)
{
    uint64_t least = UINT64_MAX, most = 0;
    uint32_t random = 12345;

    for (unsigned i = 0; i < MANY; i++)
        enter(i);
    for (unsigned turn = 0; turn < 100 * MANY; turn++) {
        random = random * 1664525 + 1013904223;
        sched_charge(&sched, sched_least(&sched), 1 + random % 1000);
    }
    for (unsigned i = 0; i < MANY; i++) {
        least = jobs[i].service_ns < least ? jobs[i].service_ns : least;
        most = jobs[i].service_ns > most ? jobs[i].service_ns : most;
    }
    ck_assert_uint_lt(most - least, 1001);
    ck_assert_uint_eq(sched_least(&sched)->service_ns, least);
}
END_TEST

/* Whatever leaves in whatever order: the rest comes out by service. */
START_TEST(test_jobs_come_out_by_service_after_any_departure)
{
    uint64_t before = 0;

    for (unsigned i = 0; i < MANY; i++) {
        enter(i);
        sched_charge(&sched, &jobs[i], (int64_t)(i * 7919 % MANY));
    }
    for (unsigned i = 0; i < MANY; i += 3)
        sched_leave(&sched, &jobs[i]);
    while (sched_least(&sched) != NULL) {
        struct sched_entry *e = sched_least(&sched);

        ck_assert_uint_ge(e->service_ns, before);
        before = e->service_ns;
        sched_leave(&sched, e);
    }
    ck_assert(TAILQ_EMPTY(&sched.active));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("sched");
    TCase *t = tcase_create("least service");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, test_without_jobs_nothing_is_next);
    tcase_add_test(t, test_of_two_equal_jobs_the_older_is_next);
    tcase_add_test(t, test_the_job_with_the_least_service_is_next);
    tcase_add_test(t, test_a_new_job_begins_with_the_least_service_of_the_active_ones);
    tcase_add_test(t, test_a_job_that_waits_for_its_last_tasks_still_counts_as_active);
    tcase_add_test(t, test_a_job_that_has_left_no_longer_counts);
    tcase_add_test(t, test_offering_and_withdrawing_twice_is_the_same_as_once);
    tcase_add_test(t, test_service_never_falls_below_zero);
    tcase_add_test(t, test_a_thousand_jobs_get_the_same_service);
    tcase_add_test(t, test_jobs_come_out_by_service_after_any_departure);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
