/*
 * A configuration of seven keys and a machine of two CPUs, in place of common/conf.c and
 * common/cpus.c: for tests of what stands on them. A line "broken" is an error.
 */
#ifndef TESTS_FAKE_CONF_H
#define TESTS_FAKE_CONF_H

#include "common/conf.h"

/* From lines "key=value" in `text`; the test fails when that is not right. */
struct conf_set *fake_conf(const char *text);

#endif
