/*
 * maxtrack: see maxtrack.h. Used by the front end; one for tasks in progress.
 */
#include "common/maxtrack.h"

#include "common/log.h"

#include <stdlib.h>

struct entry {
    uint64_t from; /* number of the change by which the counter took this value */
    unsigned value;
};

struct maxtrack {
    struct entry *stack; /* values fall, moments rise; never empty */
    unsigned count, cap;
    uint64_t changes;
};

struct maxtrack *
maxtrack_new(void)
{
    struct maxtrack *t = xcalloc(1, sizeof(*t));

    t->cap = 64;
    t->stack = xcalloc(t->cap, sizeof(*t->stack));
    t->count = 1;
    return t;
}

void
maxtrack_free(struct maxtrack *t)
{
    free(t->stack);
    free(t);
}

void
maxtrack_set(struct maxtrack *t, unsigned value)
{
    t->changes++;
    while (t->count > 0 && t->stack[t->count - 1].value <= value)
        t->count--;
    if (t->count == t->cap) {
        t->cap *= 2;
        t->stack = xrealloc(t->stack, t->cap * sizeof(*t->stack));
    }
    t->stack[t->count++] = (struct entry){t->changes, value};
}

uint64_t
maxtrack_mark(const struct maxtrack *t)
{
    return t->changes;
}

unsigned
maxtrack_max_since(const struct maxtrack *t, uint64_t mark)
{
    unsigned low = 0, high = t->count - 1;

    /* the first entry from the mark on; the one on top is always from it or the value since before
     */
    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (t->stack[middle].from >= mark)
            high = middle;
        else
            low = middle + 1;
    }
    return t->stack[low].value;
}
