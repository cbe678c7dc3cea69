/*
 * What the tests of server/jobs have in common: one world for each test, two waiters in it, and
 * time that stands still.
 */
#ifndef TESTS_JOB_CASE_H
#define TESTS_JOB_CASE_H

#include "job_world.h"

#include <check.h>

extern struct world w;
extern struct waiter a, b;
extern uint64_t fake_now;

/* A case of the suite whose tests begin with an empty world, and must leave no memory taken. */
TCase *job_case(Suite *, const char *name);
/* From now on time stands still but for what the test adds to fake_now. */
void stop_the_clock(void);

#endif
