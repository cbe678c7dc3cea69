/*
 * Which process runs on which CPU: worker_cpus and loop_cpu of the configuration.
 *
 * worker_cpus = spread is the default: the kernel moves SCHED_BATCH processes late, so two unbound
 * workers share one CPU for milliseconds while another is free (`make bench ROWS=spread` compares
 * the two).
 */
#ifndef SUPERVISOR_PLACEMENT_H
#define SUPERVISOR_PLACEMENT_H

#include "common/conf.h"

/* How many workers this configuration means: `auto` is the number of usable CPUs. */
unsigned placement_workers(const struct conf *);
/* CPUs of the workers 0 .. n - 1 into out; CPU_ANY: not pinned. */
void placement_of_workers(const struct conf *, int *out, unsigned n);
/* CPU of the front end, or CPU_ANY. */
int placement_of_loop(const struct conf *);

#endif
