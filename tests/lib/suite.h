/*
 * How every test program of ours ends: runs one Check suite, prints Check's closing lines, and says
 * by its exit status whether all passed.
 */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* fork = CK_FORK for unit tests (a crash fails one test), CK_NOFORK for end-to-end suites. */
static inline int
suite_run_mode(Suite *suite, enum fork_status mode)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_set_fork_status(runner, mode);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int
suite_run(Suite *suite)
{
    return suite_run_mode(suite, CK_FORK);
}

/* A suite of one case: these tests, with set-up and tear-down around all of them (either may be
 * NULL) and a minute for each. */
static inline Suite *
suite_of(const char *name, SFun setup, SFun teardown, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);

    tcase_add_unchecked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(suite, tc);
    return suite;
}

#endif
