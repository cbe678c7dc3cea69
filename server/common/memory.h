/*
 * Memory in flight: what request bodies and jobs hold together, against ONE limit (max_memory).
 * Whoever takes memory whose size a client controls asks here first; refused means 503, not a dead
 * process. This only counts; malloc() and mmap() are the callers' own.
 */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include "common/attr.h"

#include <stdbool.h>
#include <stddef.h>

/* The limit is SIZE_MAX until it is set; what is taken already stays taken. */
void memory_set_limit(size_t octets);
size_t memory_limit(void);

/* Counts `octets` as in flight; false (and nothing is counted): they would pass the limit. */
MUST_CHECK bool memory_take(size_t octets);
/* Gives back what was taken, in as many parts as one likes, never more. */
void memory_give(size_t octets);

size_t memory_used(void);
/* How often memory_take() said no. */
size_t memory_refused(void);

#endif
