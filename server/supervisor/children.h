/*
 * Starting processes: the front end (fork) and the worker programs (fork and exec), each with only
 * the descriptors that it should have, with the signals of a child, and bound to this process: when
 * the supervisor dies, the kernel kills them.
 */
#ifndef SUPERVISOR_CHILDREN_H
#define SUPERVISOR_CHILDREN_H

#include "common/attr.h"
#include "front.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;

typedef int (*front_function)(const struct front_args *);

/* Where a worker finds what it inherits. */
enum { WORKER_TASK_FD = 3, WORKER_PAGE_FD = 4 };

/* Not pinned to a CPU. */
enum { CPU_ANY = -1 };

/* Forks the front end, on `cpu` if not CPU_ANY. Returns its pid, -1 with errno. */
MUST_CHECK pid_t children_start_front(front_function front, const struct front_args *, int cpu);

/* Forks and executes `path` as worker `index` (SCHED_BATCH, nice 5): task_fd becomes
 * WORKER_TASK_FD, page_fd WORKER_PAGE_FD; both stay the caller's. Returns its pid, -1 with errno. A
 * program that can't be executed ends with status 127. */
MUST_CHECK pid_t children_start_worker(const char *path, unsigned index, int cpu, int task_fd,
                                       int page_fd);

/* The path of `program` beside the running one, from /proc/self/exe; 0, -1 errno. */
MUST_CHECK int children_find_beside(const char *program, char *out, size_t size);

/* A wait status in words: "exited with status 1", "was killed by signal 9 (Killed)". */
const char *children_status_text(int status, char *out, size_t size);

#endif
