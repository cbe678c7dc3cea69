/*
 * svg_claims: what a picture claims, derived from its spans and from its bars; see svg_reader.h.
 */
#include "svg_reader.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was there at the same time ---- */

/* Something begins or ends. */
struct change {
    double at;
    int step;
    unsigned whose; /* number of a request, or of a CPU */
    bool task;      /* a task of it; else the request itself */
};

struct changes {
    struct change *list;
    size_t count;
};

static void
add_change(struct changes *c, unsigned whose, bool task, double start, double end)
{
    if (start >= end)
        return;
    c->list = realloc(c->list, (c->count + 2) * sizeof(*c->list));
    c->list[c->count++] = (struct change){start, 1, whose, task};
    c->list[c->count++] = (struct change){end, -1, whose, task};
}

/* By time; ends come before begins of the same moment. */
static int
by_time(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    if (x->at != y->at)
        return (x->at > y->at) - (x->at < y->at);
    return x->step - y->step;
}

static double
item(json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

static json_t *
list_of(const struct svg *svg, const char *name)
{
    json_t *list = json_object_get(svg->meta, name);

    ck_assert_msg(json_is_array(list), "no %s in the metadata", name);
    return list;
}

enum { WHOSE_MAX = 1 << 16 };

unsigned
svg_in_progress(const struct svg *svg)
{
    struct changes c = {0};
    struct {
        int there, tasks;
    } *now = calloc(WHOSE_MAX, sizeof(*now));
    int most = 0, all = 0;
    json_t *span;
    size_t i;

    json_array_foreach(list_of(svg, "spans"), i, span) {
        const char *kind = json_string_value(json_array_get(span, 0));
        const unsigned request = (unsigned)item(span, 2) % WHOSE_MAX;
        const bool task = strcmp(kind, "task") == 0 || strcmp(kind, "query") == 0;

        if (task || strcmp(kind, "request") == 0)
            add_change(&c, request, task, item(span, 3), item(span, 3) + item(span, 4));
    }
    if (c.count > 0)
        qsort(c.list, c.count, sizeof(*c.list), by_time);
    for (i = 0; i < c.count; i++) {
        const unsigned w = c.list[i].whose;
        const int before = now[w].there > now[w].tasks ? now[w].there : now[w].tasks;

        *(c.list[i].task ? &now[w].tasks : &now[w].there) += c.list[i].step;
        all += (now[w].there > now[w].tasks ? now[w].there : now[w].tasks) - before;
        if (all > most)
            most = all;
    }
    free(c.list);
    free(now);
    return (unsigned)most;
}

/* The most of different `whose` at once; how long there were two or more. */
static unsigned
most_lanes(struct changes *c, double *two)
{
    int *now = calloc(WHOSE_MAX, sizeof(*now)), all = 0, most = 0;
    double since = 0, sum = 0;

    if (c->count > 0)
        qsort(c->list, c->count, sizeof(*c->list), by_time);
    for (size_t i = 0; i < c->count; i++) {
        int *const lane = &now[c->list[i].whose];

        sum += all >= 2 ? c->list[i].at - since : 0;
        since = c->list[i].at;
        all -= *lane > 0;
        *lane += c->list[i].step;
        all += *lane > 0;
        if (all > most)
            most = all;
    }
    if (two != NULL)
        *two = sum;
    free(now);
    free(c->list);
    return (unsigned)most;
}

unsigned
svg_running(const struct svg *svg)
{
    struct changes c = {0};
    json_t *slice;
    size_t i;

    json_array_foreach(list_of(svg, "slices"), i, slice) {
        add_change(&c, (unsigned)item(slice, 0), false, item(slice, 2),
                   item(slice, 2) + item(slice, 3));
    }
    return most_lanes(&c, NULL);
}

/* ---- bars ---- */

/* Microseconds since the begin of the picture. */
static double
time_of(const struct svg *svg, double x)
{
    const double left = svg_number_of(svg, "left"), right = svg_number_of(svg, "right");

    return (x - left) / (right - left) * svg_number_of(svg, "axis_us");
}

/* The CPU of a bar on a CPU's lane, or -1. */
static int
cpu_of(const struct svg_bar *bar)
{
    return strncmp(bar->class, "cpu", 3) == 0 ? (int)strtol(bar->class + 3, NULL, 10) : -1;
}

unsigned
svg_running_bars(const struct svg *svg, double *two_ms)
{
    /* a bar is a grain too long at most */
    const double grain = svg_number_of(svg, "grain_us");
    struct changes c = {0};
    unsigned most;

    for (size_t i = 0; i < svg->count; i++) {
        const struct svg_bar *const bar = &svg->bars[i];

        if (cpu_of(bar) >= 0)
            add_change(&c, (unsigned)cpu_of(bar), false, time_of(svg, bar->x) + grain / 2,
                       time_of(svg, bar->x + bar->width) - grain / 2);
    }
    most = most_lanes(&c, two_ms);
    if (two_ms != NULL)
        *two_ms /= 1000;
    return most;
}

static int
by_x(const void *a, const void *b)
{
    const struct svg_bar *x = a, *y = b;

    return (x->x > y->x) - (x->x < y->x);
}

/* Copies of the bars of one CPU, from left to right; free(). */
static struct svg_bar *
bars_of(const struct svg *svg, unsigned cpu, size_t *count)
{
    struct svg_bar *out = calloc(svg->count + 1, sizeof(*out));

    *count = 0;
    for (size_t i = 0; i < svg->count; i++)
        if (cpu_of(&svg->bars[i]) == (int)cpu)
            out[(*count)++] = svg->bars[i];
    qsort(out, *count, sizeof(*out), by_x);
    return out;
}

unsigned
svg_switches(const struct svg *svg, unsigned cpu, double *busy_ms)
{
    size_t count;
    struct svg_bar *bars = bars_of(svg, cpu, &count);
    unsigned switches = 0;
    double busy = 0;

    for (size_t i = 0; i < count; i++) {
        switches += i > 0 && strcmp(bars[i].fill, bars[i - 1].fill) != 0;
        busy += time_of(svg, bars[i].x + bars[i].width) - time_of(svg, bars[i].x);
    }
    if (busy_ms != NULL)
        *busy_ms = busy / 1000;
    free(bars);
    return switches;
}

/* Is all of this time covered by bars that leave no gap wider than the grain? */
static bool
covered(const struct svg *svg, const struct svg_bar *bars, size_t count, double from, double to,
        double grain)
{
    for (size_t i = 0; i < count && from < to; i++) {
        if (time_of(svg, bars[i].x) - grain > from)
            break;
        if (time_of(svg, bars[i].x + bars[i].width) > from)
            from = time_of(svg, bars[i].x + bars[i].width);
    }
    return from + grain >= to;
}

static void
check_slices(const struct svg *svg, unsigned cpu, double slack)
{
    size_t count, i;
    struct svg_bar *bars = bars_of(svg, cpu, &count);
    json_t *slice;

    json_array_foreach(list_of(svg, "slices"), i, slice) {
        const double from = item(slice, 2), to = from + item(slice, 3);

        if ((unsigned)item(slice, 0) == cpu)
            ck_assert_msg(covered(svg, bars, count, from, to, slack),
                          "CPU %u: no bar for the slice from %g to %g us", cpu, from, to);
    }
    free(bars);
}

/* No bar where nobody was: the slices come latest first, disjoint. */
static void
check_bar(const struct svg *svg, const struct svg_bar *bar, double slack)
{
    double from = time_of(svg, bar->x), to = time_of(svg, bar->x + bar->width);
    json_t *slice;
    size_t i;

    json_array_foreach(list_of(svg, "slices"), i, slice) {
        const double start = item(slice, 2), end = start + item(slice, 3);

        if ((int)item(slice, 0) == cpu_of(bar) && end + slack >= to && start < to)
            to = start;
    }
    ck_assert_msg(to <= from + slack, "a bar on %s where nobody was, at %g us", bar->class, to);
}

void
svg_check_bars(const struct svg *svg)
{
    /* numbers have two decimals, and nothing is drawn narrower than 0.4 */
    const double unit = time_of(svg, svg_number_of(svg, "left") + 1);
    const double slack = svg_number_of(svg, "grain_us") + 0.5 * unit + 2;
    json_t *cpu;
    size_t i;

    json_array_foreach(list_of(svg, "cpus"), i, cpu) {
        check_slices(svg, (unsigned)json_integer_value(cpu), slack);
    }
    for (i = 0; i < svg->count; i++)
        if (cpu_of(&svg->bars[i]) >= 0)
            check_bar(svg, &svg->bars[i], slack);
}
