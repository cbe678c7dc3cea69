/*
 * memory: see memory.h. Runs in the front end; owns three numbers. One thread, no locks.
 */
#include "common/memory.h"

#include <assert.h>
#include <stdint.h>

static size_t limit = SIZE_MAX;
static size_t used;
static size_t refused;

void
memory_set_limit(size_t octets)
{
    limit = octets;
}

size_t
memory_limit(void)
{
    return limit;
}

bool
memory_take(size_t octets)
{
    if (used > limit || octets > limit - used) {
        refused++;
        return false;
    }
    used += octets;
    return true;
}

void
memory_give(size_t octets)
{
    assert(octets <= used);
    used -= octets;
}

size_t
memory_used(void)
{
    return used;
}

size_t
memory_refused(void)
{
    return refused;
}
