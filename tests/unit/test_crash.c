/* links: workers/kernels/crash.c tests/lib/kernel_drive.c server/common/clock.c */
/*
 * The kernel that goes wrong on purpose does so, as often as asked, and is good after that.
 */
#include "../lib/kernel_drive.h"
#include "../lib/suite.h"
#include "kernels/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef TEST_KERNELS

enum { MODE, TIMES, TASKS, AT, PARAMS };
enum { GOOD = 42 };

static int64_t
mode(const char *name)
{
    const char *const *choices = kernel_crash.params[MODE].choices;

    for (int64_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], name) == 0)
            return i;
    }
    ck_abort_msg("no mode %s", name);
}

/* Runs stage 0 in a child; how that ended. What it says is not shown: sanitizers say a lot. */
static int
run_in_child(const int64_t *params, int cpu_seconds)
{
    const struct rlimit limit = {(rlim_t)cpu_seconds, (rlim_t)cpu_seconds};
    struct drive d;
    int status;
    pid_t pid;

    ck_assert_int_eq(drive_open(&d, &kernel_crash, params, 1), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        setrlimit(RLIMIT_CPU, &limit);
        drive_stage(&d);
        _exit(GOOD);
    }
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    drive_close(&d);
    return status;
}

START_TEST(test_the_deadly_modes_end_the_process)
{
    static const char *const deadly[] = {"segv", "abort", "exit"};

    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        const int64_t bad[PARAMS] = {mode(deadly[i]), 1, 4, 2};
        const int64_t good[PARAMS] = {mode(deadly[i]), 0, 4, 2};
        int status = run_in_child(bad, 10);

        ck_assert_msg(!WIFEXITED(status) || WEXITSTATUS(status) != GOOD, "%s", deadly[i]);
        status = run_in_child(good, 10);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == GOOD, "%s", deadly[i]);
    }
}
END_TEST

START_TEST(test_hold_never_comes_back)
{
    const int64_t params[PARAMS] = {mode("hold"), 1, 1, 0};
    int status = run_in_child(params, 1);

    ck_assert(WIFSIGNALED(status));
}
END_TEST

static bool
stop_at_hundred(void *arg)
{
    unsigned *ticks = arg;

    return ++*ticks >= 100;
}

START_TEST(test_spin_ticks_until_it_is_told_to_stop)
{
    const int64_t params[PARAMS] = {mode("spin"), 1, 1, 0};
    unsigned ticks = 0;
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_crash, params, 1), 0);
    d.tick = stop_at_hundred;
    d.tick_arg = &ticks;
    drive_stage(&d);
    ck_assert_uint_eq(ticks, 100);
    drive_close(&d);
}
END_TEST

START_TEST(test_a_wrong_result_is_refused_and_a_second_run_is_good)
{
    const int64_t params[PARAMS] = {mode("wrong"), 1, 4, 3};
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_crash, params, 1), 0);
    drive_stage(&d);
    ck_assert_uint_eq(d.small[3].len, KERNEL_SMALL_MAX);
    ck_assert_int_eq(drive_next(&d), -1);
    drive_stage(&d);
    ck_assert_int_eq(drive_next(&d), 0);
    ck_assert_int_eq(drive_answer(&d), 0);
    ck_assert_str_eq((char *)d.body, "\"good_tasks\":4,\"runs_of_the_bad_one\":1");
    drive_close(&d);
}
END_TEST

START_TEST(test_refuse_says_that_the_input_is_not_valid)
{
    const int64_t params[PARAMS] = {mode("refuse"), 100, 2, 0};
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_crash, params, 1), 0);
    drive_stage(&d);
    ck_assert_int_eq(d.failed, 1);
    ck_assert_uint_gt(d.small[0].len, 0);
    drive_close(&d);
}
END_TEST

START_TEST(test_a_bad_task_that_does_not_exist_is_refused)
{
    const int64_t params[PARAMS] = {mode("segv"), 1, 2, 2};
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_crash, params, 1), -1);
    ck_assert_str_eq(d.why, "at must be below tasks, which is 2");
    drive_close(&d);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("crash");
    TCase *tc = tcase_create("crash");

    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, test_the_deadly_modes_end_the_process);
    tcase_add_test(tc, test_hold_never_comes_back);
    tcase_add_test(tc, test_spin_ticks_until_it_is_told_to_stop);
    tcase_add_test(tc, test_a_wrong_result_is_refused_and_a_second_run_is_good);
    tcase_add_test(tc, test_refuse_says_that_the_input_is_not_valid);
    tcase_add_test(tc, test_a_bad_task_that_does_not_exist_is_refused);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}

#else

int
main(void)
{
    puts("SKIP: test kernels are built with -DTEST_KERNELS only");
    return EXIT_SUCCESS;
}

#endif
