/*
 * The course of a count over time: every change with its moment, for drawing it later. Exact as
 * long as the count changes up to 8 times in a millisecond; of a millisecond with more changes the
 * first ones are kept, then the peak of the rest and the last value. So a peak is never lost, and a
 * flood costs little. Grows up to `most` points; then the newest overwrite the oldest.
 */
#ifndef COMMON_COURSE_H
#define COMMON_COURSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct course;

/* The count was `peak` at this moment, and `value` from then on. */
struct course_point {
    uint64_t at; /* clock_ns() */
    uint32_t peak;
    uint32_t value;
};

/* `most`: a power of two of points, 16 octets each. The count is 0 at first. */
struct course *course_new(size_t most);
void course_free(struct course *);

/* The count is `value` from `at` on (not before the moment told last: such one counts as that). */
void course_set(struct course *, uint64_t at, unsigned value);

/* Points numbered from 0 in order of time; [course_first, course_next) are there. */
uint64_t course_first(const struct course *);
uint64_t course_next(const struct course *);
/* False: that number is gone. */
bool course_get(const struct course *, uint64_t number, struct course_point *out);
/* Number of the last point at or before `at`; course_first() if there is none. */
uint64_t course_find(const struct course *, uint64_t at);

#endif
