/* links: server/trace/edges.c server/common/log.c server/common/clock.c */
/*
 * How many spans cover a moment: in order of time whatever order they came in, no peak where one
 * ends and the next begins, the same as counting them one by one.
 */
#include "suite.h"

#include "trace/edges.h"

#include <stdlib.h>

START_TEST(test_spans_in_any_order_come_out_in_order_of_time)
{
    static const unsigned expected[][2] = {{5, 1}, {10, 2}, {20, 3}, {30, 2}, {40, 0}};
    struct edges e = {0};
    unsigned covering;
    uint64_t at;

    edges_put(&e, 20, 40);
    edges_put(&e, 5, 40);
    edges_put(&e, 10, 30);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert(edges_next(&e, &at, &covering));
        ck_assert_uint_eq(at, expected[i][0]);
        ck_assert_uint_eq(covering, expected[i][1]);
    }
    ck_assert(!edges_next(&e, &at, &covering));
    edges_fini(&e);
}
END_TEST

START_TEST(test_one_that_ends_where_the_next_begins_is_no_change)
{
    struct edges e = {0};
    unsigned covering;
    uint64_t at;

    edges_put(&e, 20, 30);
    edges_put(&e, 10, 20);
    edges_put(&e, 15, 15); /* of no length: never seen */
    ck_assert(edges_next(&e, &at, &covering));
    ck_assert_uint_eq(at, 10);
    ck_assert(edges_next(&e, &at, &covering));
    ck_assert_uint_eq(at, 30);
    ck_assert_uint_eq(covering, 0);
    ck_assert(!edges_next(&e, &at, &covering));
    edges_fini(&e);
}
END_TEST

START_TEST(test_many_spans_agree_with_counting_one_by_one)
{
    enum { SPANS = 2000, MOMENTS = 500 };
    static unsigned start[SPANS], end[SPANS];
    unsigned counted[MOMENTS] = {0}, told[MOMENTS] = {0}, covering = 0, from = 0;
    struct edges e = {0};
    uint64_t at;

    srandom(7);
    for (unsigned i = 0; i < SPANS; i++) {
        start[i] = (unsigned)random() % (MOMENTS - 1);
        end[i] = start[i] + (unsigned)random() % (MOMENTS - start[i]);
        edges_put(&e, start[i], end[i]);
        for (unsigned m = start[i]; m < end[i]; m++)
            counted[m]++;
    }
    for (unsigned before = 0; edges_next(&e, &at, &covering); before = covering) {
        for (; from < at; from++)
            told[from] = before;
    }
    ck_assert_uint_eq(covering, 0);
    ck_assert_mem_eq(counted, told, sizeof(counted));
    edges_fini(&e);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_spans_in_any_order_come_out_in_order_of_time,
        test_one_that_ends_where_the_next_begins_is_no_change,
        test_many_spans_agree_with_counting_one_by_one,
    };

    return suite_run(suite_of("edges", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
