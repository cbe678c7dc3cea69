/* links: server/common/memory.c */
/*
 * One limit for all memory in flight.
 */
#include "../lib/suite.h"
#include "common/memory.h"

#include <stdint.h>

START_TEST(test_memory_is_taken_up_to_the_limit_and_not_beyond)
{
    memory_set_limit(100);
    ck_assert(memory_take(60));
    ck_assert(memory_take(40));
    ck_assert(!memory_take(1));
    ck_assert_uint_eq(memory_used(), 100);
    ck_assert_uint_eq(memory_refused(), 1);
}
END_TEST

START_TEST(test_a_refused_size_is_not_counted)
{
    memory_set_limit(100);
    ck_assert(!memory_take(101));
    ck_assert_uint_eq(memory_used(), 0);
    ck_assert(memory_take(100));
}
END_TEST

START_TEST(test_memory_given_back_can_be_taken_again)
{
    memory_set_limit(100);
    ck_assert(memory_take(100));
    memory_give(30);
    memory_give(30);
    ck_assert(!memory_take(61));
    ck_assert(memory_take(60));
}
END_TEST

START_TEST(test_a_size_near_the_end_of_numbers_does_not_wrap)
{
    memory_set_limit(100);
    ck_assert(memory_take(50));
    ck_assert(!memory_take(SIZE_MAX));
    ck_assert(!memory_take(SIZE_MAX - 20));
}
END_TEST

START_TEST(test_a_limit_lowered_below_what_is_used_refuses_all)
{
    memory_set_limit(100);
    ck_assert(memory_take(80));
    memory_set_limit(50);
    ck_assert(!memory_take(1));
    memory_give(80);
    ck_assert(memory_take(50));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("memory");
    TCase *t = tcase_create("limit");

    tcase_add_test(t, test_memory_is_taken_up_to_the_limit_and_not_beyond);
    tcase_add_test(t, test_a_refused_size_is_not_counted);
    tcase_add_test(t, test_memory_given_back_can_be_taken_again);
    tcase_add_test(t, test_a_size_near_the_end_of_numbers_does_not_wrap);
    tcase_add_test(t, test_a_limit_lowered_below_what_is_used_refuses_all);
    suite_add_tcase(suite, t);
    return suite_run(suite);
}
