/*
 * job_case: see job_case.h.
 */
#include "job_case.h"

#include "common/clock.h"
#include "common/memory.h"

#include <string.h>

struct world w;
struct waiter a, b;
uint64_t fake_now;

static uint64_t
fake_clock(void)
{
    return fake_now;
}

void
stop_the_clock(void)
{
    fake_now = clock_ns();
    clock_set_source(fake_clock);
}

static void
set_up(void)
{
    world_open(&w);
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
}

static void
tear_down(void)
{
    job_release(&a.job);
    job_release(&b.job);
    world_close(&w);
    clock_set_source(NULL);
    ck_assert_uint_eq(memory_used(), 0);
}

TCase *
job_case(Suite *suite, const char *name)
{
    TCase *t = tcase_create(name);

    tcase_add_checked_fixture(t, set_up, tear_down);
    suite_add_tcase(suite, t);
    return t;
}
