/*
 * task: what a worker does all its life: waits for a task, computes it, says that it is done.
 */
#ifndef WORKERS_TASK_H
#define WORKERS_TASK_H

#include "common/attr.h"

#include <stdbool.h>

struct worker_page;

/* Serves tasks from the socket until its other end is closed. index: which worker this is.
 * allow_exact: see slices_open(). 0: closed; -1: the socket broke, errno. */
MUST_CHECK int task_serve(int fd, struct worker_page *page, unsigned index, bool allow_exact);

#endif
