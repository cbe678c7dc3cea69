/*
 * How every test program of ours ends: runs one Check suite, prints Check's closing lines, and says by its exit
 * status whether all passed.
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

#endif
