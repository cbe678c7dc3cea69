/* links: server/common/cpus.c */
/*
 * Usable CPUs: affinity on this machine, quotas on fake trees of proc and sys, and lists as text.
 */
#include "../lib/suite.h"

#include "common/cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void
setup(void)
{
    snprintf(root, sizeof(root), "/tmp/interleave-cpus-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void
teardown(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

/* Writes a file below root, with its folders. */
static void
put(const char *path, const char *text)
{
    char full[512];
    FILE *f;

    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        ck_assert(mkdir(full, 0700) == 0 || errno == EEXIST);
        *p = '/';
    }
    f = fopen(full, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* ---- quotas ---- */

enum { FILES_MAX = 9 };

/* Row: a tree, and the CPUs that its quota means. */
static const struct {
    const char *what;
    unsigned cpus;
    struct {
        const char *path, *text;
    } files[FILES_MAX];
} trees[] = {
    {"nothing is there", 0, {{NULL, NULL}}},
    {"v2: a group without a limit",
     0,
     {{"proc/self/cgroup", "0::/a\n"}, {"sys/fs/cgroup/a/cpu.max", "max 100000\n"}}},
    {"v2: whole CPUs",
     3,
     {{"proc/self/cgroup", "0::/a\n"}, {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}}},
    {"v2: one and a half are two",
     2,
     {{"proc/self/cgroup", "0::/a\n"}, {"sys/fs/cgroup/a/cpu.max", "150000 100000\n"}}},
    {"v2: a tenth is one",
     1,
     {{"proc/self/cgroup", "0::/a\n"}, {"sys/fs/cgroup/a/cpu.max", "10000 100000\n"}}},
    {"v2: another period",
     3,
     {{"proc/self/cgroup", "0::/a\n"}, {"sys/fs/cgroup/a/cpu.max", "50001 25000\n"}}},
    {"v2: the root of a container",
     2,
     {{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "200000 100000\n"}}},
    {"v2: the tightest is the group itself",
     2,
     {{"proc/self/cgroup", "0::/a/b/c\n"},
      {"sys/fs/cgroup/cpu.max", "800000 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "400000 100000\n"},
      {"sys/fs/cgroup/a/b/c/cpu.max", "200000 100000\n"}}},
    {"v2: the tightest is in the middle",
     3,
     {{"proc/self/cgroup", "0::/a/b/c\n"},
      {"sys/fs/cgroup/a/cpu.max", "600000 100000\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"},
      {"sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n"}}},
    {"v2: the tightest is at the top, and others are none of ours",
     5,
     {{"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/cpu.max", "500000 100000\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/a/other/cpu.max", "100000 100000\n"},
      {"sys/fs/cgroup/a/b/child/cpu.max", "100000 100000\n"},
      {"sys/fs/cpu.max", "100000 100000\n"}}},
    {"v2: the group is not below our mount, its top is",
     4,
     {{"proc/self/cgroup", "0::/docker/1234\n"}, {"sys/fs/cgroup/cpu.max", "400000 100000\n"}}},
    {"v2: a name with colons",
     2,
     {{"proc/self/cgroup", "0::/a:b:c\n"}, {"sys/fs/cgroup/a:b:c/cpu.max", "200000 100000\n"}}},
    {"v1: no limit",
     0,
     {{"proc/self/cgroup", "4:cpu,cpuacct:/a\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}}},
    {"v1: two and a bit, in a group that has no limit",
     3,
     {{"proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/a/b\n1:name=systemd:/\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "200001\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"}}},
    {"v1: the hierarchy under its short name",
     2,
     {{"proc/self/cgroup", "4:cpuacct,cpu:/a\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "200000\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"}}},
    {"v1: cpuset and cpuacct are not cpu",
     0,
     {{"proc/self/cgroup", "3:cpuset:/a\n2:cpuacct:/a\n"},
      {"sys/fs/cgroup/cpuset/a/cpu.cfs_quota_us", "100000\n"},
      {"sys/fs/cgroup/cpuset/a/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"}}},
    {"v1 beside v2: the tighter one",
     2,
     {{"proc/self/cgroup", "4:cpu:/a\n0::/a\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "400000\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/unified/a/cpu.max", "200000 100000\n"}}},
    {"nonsense limits nothing",
     0,
     {{"proc/self/cgroup", "\n:\n0:\n0::/a\n4:cpu:/a"},
      {"sys/fs/cgroup/a/cpu.max", "-100000 100000\n"},
      {"sys/fs/cgroup/cpu.max", "100000 0\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", ""}}},
    {"a quota without end is no small one",
     1048576,
     {{"proc/self/cgroup", "0::/a\n"}, {"sys/fs/cgroup/a/cpu.max", "9223372036854775807 1\n"}}},
};

START_TEST(test_the_tightest_quota_of_all_ancestors_counts_rounded_up)
{
    for (int i = 0; i < FILES_MAX && trees[_i].files[i].path != NULL; i++)
        put(trees[_i].files[i].path, trees[_i].files[i].text);
    ck_assert_msg(cpus_quota(root) == trees[_i].cpus, "%s: %u CPUs", trees[_i].what,
                  cpus_quota(root));
}
END_TEST

START_TEST(test_a_deep_group_is_limited_by_its_ancestors)
{
    char deep[4096] = "0::";

    while (strlen(deep) < 3000)
        strcat(deep, "/abcdefghijklmnop");
    put("proc/self/cgroup", deep);
    put("sys/fs/cgroup/cpu.max", "200000 100000\n");
    ck_assert_uint_eq(cpus_quota(root), 2);
}
END_TEST

/* ---- affinity ---- */

START_TEST(test_a_pinned_process_may_use_one_cpu)
{
    unsigned before[CPU_SETSIZE], after[CPU_SETSIZE];
    const unsigned n = cpus_allowed(before, CPU_SETSIZE);

    ck_assert_uint_ge(n, 1);
    for (unsigned i = 1; i < n; i++)
        ck_assert_uint_lt(before[i - 1], before[i]);
    ck_assert_uint_ge(cpus_usable(), 1);
    ck_assert_uint_le(cpus_usable(), n);
    ck_assert_int_eq(cpus_pin(before[n - 1]), 0);
    ck_assert_uint_eq(cpus_allowed(after, CPU_SETSIZE), 1);
    ck_assert_uint_eq(after[0], before[n - 1]);
    ck_assert_int_eq(sched_getcpu(), (int)before[n - 1]);
    ck_assert_uint_eq(cpus_usable(), 1);
}
END_TEST

START_TEST(test_no_more_cpus_are_listed_than_there_is_room_for)
{
    unsigned cpus[2] = {0, 12345};

    ck_assert_uint_eq(cpus_allowed(cpus, 1), 1);
    ck_assert_uint_eq(cpus[1], 12345);
    ck_assert_uint_eq(cpus_allowed(cpus, 0), 0);
}
END_TEST

START_TEST(test_a_cpu_that_is_not_there_can_not_be_pinned_to)
{
    ck_assert_int_eq(cpus_pin(CPU_SETSIZE), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(cpus_pin(CPU_SETSIZE - 1), -1);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

/* ---- lists ---- */

/* Row: a text, how many CPUs, and which. */
static const struct {
    const char *text;
    int n;
    unsigned cpus[8];
} lists[] = {
    {"0", 1, {0}},
    {"7", 1, {7}},
    {"0,2-3", 3, {0, 2, 3}},
    {"3,1,2", 3, {1, 2, 3}},
    {"1,1-2,2", 2, {1, 2}},
    {"5-5", 1, {5}},
    {"1023", 1, {1023}},
    {"0-7", 8, {0, 1, 2, 3, 4, 5, 6, 7}},
    {"0-8", -1, {0}}, /* more than there is room for */
    {"1024", -1, {0}},
    {"0-1024", -1, {0}},
    {"99999999999999999999", -1, {0}},
    {"", -1, {0}},
    {",", -1, {0}},
    {"0,", -1, {0}},
    {",0", -1, {0}},
    {"0,,1", -1, {0}},
    {"-1", -1, {0}},
    {"1-", -1, {0}},
    {"3-1", -1, {0}},
    {"1-2-3", -1, {0}},
    {"0 1", -1, {0}},
    {" 0", -1, {0}},
    {"+1", -1, {0}},
    {"0x1", -1, {0}},
    {"any", -1, {0}},
};

START_TEST(test_a_list_of_cpus_is_read_in_ascending_order_or_refused)
{
    unsigned cpus[9];

    cpus[8] = 12345;
    ck_assert_int_eq(cpus_parse(lists[_i].text, cpus, 8), lists[_i].n);
    for (int i = 0; i < lists[_i].n; i++)
        ck_assert_uint_eq(cpus[i], lists[_i].cpus[i]);
    ck_assert_uint_eq(cpus[8], 12345);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cpus");
    TCase *quota = tcase_create("quota"), *cpu = tcase_create("cpu");

    tcase_add_checked_fixture(quota, setup, teardown);
    tcase_add_loop_test(quota, test_the_tightest_quota_of_all_ancestors_counts_rounded_up, 0,
                        sizeof(trees) / sizeof(trees[0]));
    tcase_add_test(quota, test_a_deep_group_is_limited_by_its_ancestors);
    suite_add_tcase(suite, quota);
    tcase_add_test(cpu, test_a_pinned_process_may_use_one_cpu);
    tcase_add_test(cpu, test_no_more_cpus_are_listed_than_there_is_room_for);
    tcase_add_test(cpu, test_a_cpu_that_is_not_there_can_not_be_pinned_to);
    tcase_add_loop_test(cpu, test_a_list_of_cpus_is_read_in_ascending_order_or_refused, 0,
                        sizeof(lists) / sizeof(lists[0]));
    suite_add_tcase(suite, cpu);
    return suite_run(suite);
}
