/* links: server/supervisor/backoff.c */
/*
 * When what keeps dying is started again. Times are given, none are waited for.
 */
#include "../lib/suite.h"
#include "supervisor/backoff.h"

static const uint64_t start = 100 * NS_PER_S;

/* Deaths, one each `gap`, from `start` on; returns the time of the last. */
static uint64_t
die(struct backoff *b, unsigned deaths, uint64_t gap, uint64_t *due)
{
    uint64_t now = start;

    for (unsigned i = 0; i < deaths; i++) {
        now = start + i * gap;
        *due = backoff_death(b, now);
    }
    return now;
}

START_TEST(test_the_first_four_deaths_are_followed_by_a_start_at_once)
{
    struct backoff b = {0};

    for (unsigned i = 0; i < BACKOFF_DEATHS - 1; i++)
        ck_assert_uint_eq(backoff_death(&b, start + i), start + i);
    ck_assert(!backoff_waits(&b, start + BACKOFF_DEATHS));
}
END_TEST

START_TEST(test_the_fifth_death_in_five_seconds_waits_a_tenth_of_a_second)
{
    struct backoff b = {0};
    uint64_t due, last = die(&b, BACKOFF_DEATHS, BACKOFF_WINDOW_NS / 4, &due);

    ck_assert_uint_eq(due, last + BACKOFF_FIRST_NS);
    ck_assert(backoff_waits(&b, due - 1));
    ck_assert(!backoff_waits(&b, due));
}
END_TEST

START_TEST(test_deaths_spread_over_more_than_five_seconds_never_wait)
{
    struct backoff b = {0};
    uint64_t due, last = die(&b, 50, BACKOFF_WINDOW_NS / 4 + 1, &due);

    ck_assert_uint_eq(due, last);
}
END_TEST

START_TEST(test_the_wait_doubles_each_round_up_to_five_seconds)
{
    struct backoff b = {0};
    uint64_t due, expected = BACKOFF_FIRST_NS;

    (void)die(&b, BACKOFF_DEATHS, 1, &due);
    for (int round = 0; round < 10; round++) {
        uint64_t now = due;

        expected = expected * 2 < BACKOFF_LAST_NS ? expected * 2 : BACKOFF_LAST_NS;
        due = backoff_death(&b, now);
        ck_assert_uint_eq(due, now + expected);
    }
    ck_assert_uint_eq(expected, BACKOFF_LAST_NS);
}
END_TEST

START_TEST(test_many_deaths_in_one_round_share_one_wait)
{
    struct backoff b = {0};
    uint64_t due, last = die(&b, BACKOFF_DEATHS, 1, &due);

    for (unsigned i = 1; i < 100; i++)
        ck_assert_uint_eq(backoff_death(&b, last + i), due);
    ck_assert_uint_eq(backoff_death(&b, due), due + 2 * BACKOFF_FIRST_NS);
}
END_TEST

START_TEST(test_a_quiet_time_forgets_all)
{
    struct backoff b = {0};
    uint64_t due, now;

    (void)die(&b, BACKOFF_DEATHS + 3, NS_PER_S, &due);
    now = due + BACKOFF_WINDOW_NS + 1;
    for (unsigned i = 0; i < BACKOFF_DEATHS - 1; i++)
        ck_assert_uint_eq(backoff_death(&b, now + i), now + i);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("backoff");
    TCase *tc = tcase_create("backoff");

    tcase_add_test(tc, test_the_first_four_deaths_are_followed_by_a_start_at_once);
    tcase_add_test(tc, test_the_fifth_death_in_five_seconds_waits_a_tenth_of_a_second);
    tcase_add_test(tc, test_deaths_spread_over_more_than_five_seconds_never_wait);
    tcase_add_test(tc, test_the_wait_doubles_each_round_up_to_five_seconds);
    tcase_add_test(tc, test_many_deaths_in_one_round_share_one_wait);
    tcase_add_test(tc, test_a_quiet_time_forgets_all);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
