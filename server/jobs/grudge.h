/*
 * grudge: jobs that killed two workers, remembered for a minute: their like (same kernel, same
 * parameters) is refused. A small table; the oldest makes room.
 */
#ifndef JOBS_GRUDGE_H
#define JOBS_GRUDGE_H

#include "common/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRUDGES_MAX = 64 };
#define GRUDGE_NS (60 * NS_PER_S)

struct grudges {
    struct {
        uint64_t like; /* hash of kernel and parameters */
        uint64_t until_ns;
    } rows[GRUDGES_MAX];
};

void grudge_add(struct grudges *, unsigned kernel, const int64_t *params, unsigned n, uint64_t now);
bool grudge_is_held(const struct grudges *, unsigned kernel, const int64_t *params, unsigned n,
                    uint64_t now);

#endif
