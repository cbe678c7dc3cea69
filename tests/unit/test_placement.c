/* links: server/supervisor/placement.c */
/*
 * Which process runs on which CPU, on a machine that may use the CPUs 1, 4 and 6.
 */
#include "../lib/suite.h"
#include "common/cpus.h"
#include "supervisor/children.h"
#include "supervisor/placement.h"

#include <string.h>

unsigned
cpus_allowed(unsigned *out, unsigned max)
{
    static const unsigned ours[] = {1, 4, 6};

    ck_assert_uint_ge(max, 3);
    memcpy(out, ours, sizeof(ours));
    return 3;
}

unsigned
cpus_usable(void)
{
    return 3;
}

/* Knows one list. */
int
cpus_parse(const char *text, unsigned *out, unsigned max)
{
    ck_assert_uint_ge(max, 2);
    if (strcmp(text, "7,9") != 0)
        return -1;
    out[0] = 7;
    out[1] = 9;
    return 2;
}

/* Row: worker_cpus, and where the first five workers run. */
static const struct {
    const char *worker_cpus;
    int cpus[5];
} workers[] = {
    {"spread", {1, 4, 6, 1, 4}},
    {"7,9", {7, 9, 7, 9, 7}},
    {"none", {CPU_ANY, CPU_ANY, CPU_ANY, CPU_ANY, CPU_ANY}},
    {"nonsense", {CPU_ANY, CPU_ANY, CPU_ANY, CPU_ANY, CPU_ANY}},
};

START_TEST(test_workers_take_turns_on_the_cpus_that_worker_cpus_names)
{
    struct conf conf = {0};
    int got[5];

    strcpy(conf.worker_cpus, workers[_i].worker_cpus);
    placement_of_workers(&conf, got, 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(got[i], workers[_i].cpus[i]);
}
END_TEST

START_TEST(test_auto_means_as_many_workers_as_there_are_usable_cpus)
{
    struct conf conf = {.workers = CONF_AUTO};

    ck_assert_uint_eq(placement_workers(&conf), 3);
    conf.workers = 0;
    ck_assert_uint_eq(placement_workers(&conf), 0);
    conf.workers = 7;
    ck_assert_uint_eq(placement_workers(&conf), 7);
}
END_TEST

/* Row: loop_cpu, and where the loop runs. */
static const struct {
    const char *loop_cpu;
    int cpu;
} loops[] = {{"any", CPU_ANY}, {"0", 0},        {"11", 11},
             {"", CPU_ANY},    {"1x", CPU_ANY}, {"-1", CPU_ANY}};

START_TEST(test_the_loop_runs_where_loop_cpu_says)
{
    struct conf conf = {0};

    strcpy(conf.loop_cpu, loops[_i].loop_cpu);
    ck_assert_int_eq(placement_of_loop(&conf), loops[_i].cpu);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("placement");
    TCase *tc = tcase_create("placement");

    tcase_add_loop_test(tc, test_workers_take_turns_on_the_cpus_that_worker_cpus_names, 0,
                        sizeof(workers) / sizeof(workers[0]));
    tcase_add_test(tc, test_auto_means_as_many_workers_as_there_are_usable_cpus);
    tcase_add_loop_test(tc, test_the_loop_runs_where_loop_cpu_says, 0,
                        sizeof(loops) / sizeof(loops[0]));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
