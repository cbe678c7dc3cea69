/*
 * course: see course.h. One array, used as a ring once it has its full size.
 */
#include "common/course.h"

#include "common/clock.h"
#include "common/log.h"

#include <assert.h>
#include <stdlib.h>

enum { POINTS_AT_FIRST = 64, POINTS_A_MS = 8 };

struct course {
    struct course_point *points;
    size_t room, most; /* powers of two */
    uint64_t next;
    uint64_t ms;      /* the millisecond of the newest points */
    unsigned this_ms; /* how many of them */
};

struct course *
course_new(size_t most)
{
    struct course *c = xcalloc(1, sizeof(*c));

    assert(most >= POINTS_AT_FIRST && (most & (most - 1)) == 0);
    c->most = most;
    c->room = POINTS_AT_FIRST;
    c->points = xcalloc(c->room, sizeof(*c->points));
    return c;
}

void
course_free(struct course *c)
{
    if (c == NULL)
        return;
    free(c->points);
    free(c);
}

/* Numbers stay where they are: until the array has its full size none is reused. */
static void
grow(struct course *c)
{
    c->room *= 2;
    c->points = xrealloc(c->points, c->room * sizeof(*c->points));
}

void
course_set(struct course *c, uint64_t at, unsigned value)
{
    if (c->next > 0) {
        struct course_point *last = &c->points[(c->next - 1) & (c->room - 1)];

        if (at < last->at)
            at = last->at;
        if (at / NS_PER_MS != c->ms)
            c->this_ms = 0;
        if (at == last->at || c->this_ms >= POINTS_A_MS) {
            if (value > last->peak)
                last->peak = value;
            last->value = value;
            return;
        }
    }
    if (c->next == c->room && c->room < c->most)
        grow(c);
    c->points[c->next++ & (c->room - 1)] = (struct course_point){at, value, value};
    c->ms = at / NS_PER_MS;
    c->this_ms++;
}

uint64_t
course_first(const struct course *c)
{
    return c->next > c->room ? c->next - c->room : 0;
}

uint64_t
course_next(const struct course *c)
{
    return c->next;
}

bool
course_get(const struct course *c, uint64_t number, struct course_point *out)
{
    if (number < course_first(c) || number >= c->next)
        return false;
    *out = c->points[number & (c->room - 1)];
    return true;
}

uint64_t
course_find(const struct course *c, uint64_t at)
{
    uint64_t low = course_first(c), high = c->next; /* low: not after `at`, or the first */

    while (high > low + 1) {
        uint64_t middle = low + (high - low) / 2;

        if (c->points[middle & (c->room - 1)].at <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}
