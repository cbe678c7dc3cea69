/*
 * The maximum of a changing counter since any earlier moment, without cost per watcher: "how many
 * tasks were in progress at most while this request was there".
 *
 * Kept is a stack of (moment, value) with falling values: a new value removes all smaller or equal
 * ones before it, since they can't be the maximum of any time that reaches to now. So the stack has
 * at most as many entries as the counter has distinct values; changes are O(1) amortised and a
 * question is a binary search.
 */
#ifndef COMMON_MAXTRACK_H
#define COMMON_MAXTRACK_H

#include <stdint.h>

struct maxtrack;

struct maxtrack *maxtrack_new(void);
void maxtrack_free(struct maxtrack *);

/* The counter is `value` from now on. */
void maxtrack_set(struct maxtrack *, unsigned value);
/* This moment, for a later question. */
uint64_t maxtrack_mark(const struct maxtrack *);
/* The largest value between then and now, the value at that moment included. */
unsigned maxtrack_max_since(const struct maxtrack *, uint64_t mark);

#endif
