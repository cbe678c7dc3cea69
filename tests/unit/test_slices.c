/* links: server/common/slices.c server/common/clock.c server/common/log.c */
/*
 * CPU slices against truth: two threads of control pinned to one CPU take turns; their slices do
 * not overlap, and their sum is the CPU time that the kernel counted. Both sources are tried.
 */
#include "suite.h"

#include "common/clock.h"
#include "common/slices.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLICES_MAX = 4096 };
#define WORK_NS (150 * NS_PER_MS)

struct record {
    volatile unsigned ready;
    unsigned count, exact;
    uint64_t cpu_ns, switches;
    struct slice slices[SLICES_MAX];
};

static void
pin_to_first(void)
{
    cpu_set_t allowed, one;

    sched_getaffinity(0, sizeof(allowed), &allowed);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        CPU_SET(cpu, &one);
        break;
    }
    sched_setaffinity(0, sizeof(one), &one);
}

static void
take_all(struct slices *s, struct record *r)
{
    unsigned n;

    do {
        n = slices_take(s, r->slices + r->count, SLICES_MAX - r->count, &r->switches);
        r->count += n;
    } while (n > 0 && n == SLICES_MAX - r->count);
}

/* Computes for WORK_NS of CPU time, together with the other one, and writes down its slices. */
static void
compute(struct record *own, const struct record *other, bool allow_exact)
{
    struct slices *s;
    uint64_t begin, taken = 0, now;

    pin_to_first();
    s = slices_open(allow_exact);
    own->exact = slices_exact(s);
    own->ready = 1;
    while (other->ready == 0)
        sched_yield();
    take_all(s, own);
    own->count = 0;
    begin = clock_thread_cpu_ns();
    while ((own->cpu_ns = clock_thread_cpu_ns() - begin) < WORK_NS) {
        slices_tick(s);
        now = clock_ns();
        if (now - taken > 5 * NS_PER_MS) {
            taken = now;
            take_all(s, own);
        }
    }
    take_all(s, own);
    slices_close(s);
}

static uint64_t
sum_of(const struct record *r)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < r->count; i++)
        sum += r->slices[i].end - r->slices[i].start;
    return sum;
}

/* Time that both claim to have been on the CPU. */
static uint64_t
overlap_of(const struct record *a, const struct record *b)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < a->count; i++) {
        for (unsigned j = 0; j < b->count; j++) {
            uint64_t from =
                a->slices[i].start > b->slices[j].start ? a->slices[i].start : b->slices[j].start;
            uint64_t to = a->slices[i].end < b->slices[j].end ? a->slices[i].end : b->slices[j].end;

            if (from < to)
                sum += to - from;
        }
    }
    return sum;
}

static void
check_two_on_one_cpu(bool allow_exact)
{
    struct record *r =
        mmap(NULL, 2 * sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[2];

    ck_assert(r != MAP_FAILED);
    for (unsigned i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            compute(&r[i], &r[1 - i], allow_exact);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
    for (unsigned i = 0; i < 2; i++) {
        double ratio = (double)sum_of(&r[i]) / (double)r[i].cpu_ns;

        ck_assert_msg(r[i].count > 0 && ratio > 0.9 && ratio < 1.1,
                      "slices sum up to %.3f of the CPU time", ratio);
    }
    if (allow_exact && !r[0].exact)
        printf("SKIP: exact slices: perf events are forbidden here\n");
    ck_assert_msg((double)overlap_of(&r[0], &r[1]) < 0.05 * (double)r[0].cpu_ns,
                  "%.1f ms on one CPU at the same time", (double)overlap_of(&r[0], &r[1]) / 1e6);
    munmap(r, 2 * sizeof(*r));
}

START_TEST(test_exact_slices_of_two_on_one_cpu_alternate_and_sum_up)
{
    check_two_on_one_cpu(true);
}
END_TEST

START_TEST(test_slices_from_ticks_of_two_on_one_cpu_alternate_and_sum_up)
{
    check_two_on_one_cpu(false);
}
END_TEST

START_TEST(test_a_wait_is_in_no_slice)
{
    struct slices *s = slices_open(true);
    struct slice taken[64];
    int fds[2];
    uint64_t before, after, inside = 0;
    unsigned n;
    pid_t pid;

    ck_assert_int_eq(pipe(fds), 0);
    (void)slices_take(s, taken, 64, NULL);
    pid = fork();
    if (pid == 0) {
        uint64_t end = clock_ns() + 30 * NS_PER_MS;

        while (clock_ns() < end)
            ;
        _exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
    }
    slices_end(s);
    before = clock_ns();
    ck_assert_int_eq(read(fds[0], taken, 1), 1);
    after = clock_ns();
    slices_begin(s);
    n = slices_take(s, taken, 64, NULL);
    for (unsigned i = 0; i < n; i++) {
        uint64_t from = taken[i].start > before ? taken[i].start : before;
        uint64_t to = taken[i].end < after ? taken[i].end : after;

        if (from < to)
            inside += to - from;
    }
    ck_assert_msg(inside < (after - before) / 4, "%.1f of %.1f ms of waiting are in slices",
                  (double)inside / 1e6, (double)(after - before) / 1e6);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    slices_close(s);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_exact_slices_of_two_on_one_cpu_alternate_and_sum_up,
        test_slices_from_ticks_of_two_on_one_cpu_alternate_and_sum_up,
        test_a_wait_is_in_no_slice,
    };

    return suite_run(suite_of("slices", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
