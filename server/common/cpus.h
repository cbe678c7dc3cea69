/*
 * Which CPUs this process may use: min(affinity, the tightest quota of ALL cgroup ancestors; v2
 * cpu.max, v1 cpu.cfs_quota_us), rounded up.
 */
#ifndef COMMON_CPUS_H
#define COMMON_CPUS_H

#include "common/attr.h"

#include <stddef.h>

/* CPU numbers allowed by affinity, ascending; returns how many (at most max). */
unsigned cpus_allowed(unsigned *out, unsigned max);
/* CPUs by quota, read under `root` ("/" but for tests: proc and sys below it); 0: no limit. */
unsigned cpus_quota(const char *root);
/* How many workers `auto` means: at least 1. */
unsigned cpus_usable(void);
/* Parses "0,2-3" into ascending CPU numbers; -1: not a list. */
MUST_CHECK int cpus_parse(const char *text, unsigned *out, unsigned max);
/* Pins the calling thread to one CPU; 0, -1 errno. */
MUST_CHECK int cpus_pin(unsigned cpu);

#endif
