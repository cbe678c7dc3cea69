/*
 * picture: see picture.h. Runs in the front end.
 */
#include "trace/picture.h"

#include "common/log.h"

#include <stdlib.h>
#include <string.h>

static void
keep(struct span **spans, unsigned *count, unsigned *room, const struct span *s)
{
    if (*count == *room) {
        *room = *room == 0 ? 256 : 2 * *room;
        *spans = xrealloc(*spans, *room * sizeof(**spans));
    }
    (*spans)[(*count)++] = *s;
}

/* ---- CPUs ---- */

static void
add_cpu(struct picture *p, unsigned cpu, bool used)
{
    unsigned i = p->ncpus;

    if (picture_lane_of(p, cpu) >= 0)
        return;
    if (p->ncpus == PICTURE_CPUS) {
        p->cpus_left_out++;
        return;
    }
    for (; i > 0 && p->cpus[i - 1] > cpu; i--) {
        p->cpus[i] = p->cpus[i - 1];
        p->cpu_used[i] = p->cpu_used[i - 1];
    }
    p->cpus[i] = cpu;
    p->cpu_used[i] = used;
    p->ncpus++;
}

int
picture_lane_of(const struct picture *p, unsigned cpu)
{
    for (unsigned i = 0; i < p->ncpus; i++)
        if (p->cpus[i] == cpu)
            return (int)i;
    return -1;
}

void
picture_show_cpus(struct picture *p, unsigned count)
{
    for (unsigned cpu = 0; p->ncpus < count && p->ncpus < PICTURE_CPUS; cpu++)
        add_cpu(p, cpu, false);
}

/* ---- counts ---- */

static unsigned
column_of(const struct picture *p, uint64_t at)
{
    const uint64_t whole = p->to - p->from;
    uint64_t column = at > p->from && whole > 0
                          ? (uint64_t)((double)(at - p->from) * PICTURE_COLUMNS / (double)whole)
                          : 0;

    return column < PICTURE_COLUMNS ? (unsigned)column : PICTURE_COLUMNS - 1;
}

/* It was so many from `from` to `to`; from == to: for a moment. */
static void
count_was(struct picture *p, unsigned *columns, uint64_t from, uint64_t to, unsigned value)
{
    const unsigned last = column_of(p, to > from ? to - 1 : from);

    for (unsigned i = column_of(p, from); i <= last; i++)
        if (value > columns[i])
            columns[i] = value;
}

/* ---- what the walk tells ---- */

static void
picture_begin(void *arg, uint64_t from)
{
    struct picture *p = arg;

    p->from = p->tasks_since = from;
    p->running_until = p->to;
}

static void
picture_slice(void *arg, const struct span *s)
{
    struct picture *p = arg;

    keep(&p->slices, &p->nslices, &p->slices_room, s);
    add_cpu(p, s->lane - LANE_CPU, true);
}

static void
picture_running(void *arg, uint64_t at, unsigned lanes)
{
    struct picture *p = arg;

    count_was(p, p->running, at, p->running_until, lanes);
    p->running_until = at;
    if (lanes > p->running_max)
        p->running_max = lanes;
}

static void
picture_in_progress(void *arg, uint64_t at, unsigned tasks)
{
    struct picture *p = arg;

    count_was(p, p->in_progress, p->tasks_since, at, p->tasks_now);
    count_was(p, p->in_progress, at, at, tasks);
    p->tasks_since = at;
    p->tasks_now = tasks;
    if (tasks > p->in_progress_max)
        p->in_progress_max = tasks;
}

/* Of too many requests those are kept that took longest. */
static void
add_row(struct picture *p, const struct span *s)
{
    struct picture_row row = {.request = s->request,
                              .start = s->start > p->from ? s->start : p->from,
                              .end = s->end < p->to ? s->end : p->to,
                              .route = s->arg},
                       *shortest = &p->rows[0];

    p->requests++;
    if (p->nrows < PICTURE_ROWS) {
        p->rows[p->nrows++] = row;
        return;
    }
    for (unsigned i = 1; i < p->nrows; i++)
        if (p->rows[i].end - p->rows[i].start < shortest->end - shortest->start)
            shortest = &p->rows[i];
    if (row.end - row.start > shortest->end - shortest->start)
        *shortest = row;
}

static void
picture_span(void *arg, uint64_t number, const struct span *s)
{
    struct picture *p = arg;

    (void)number;
    if (s->request == 0)
        return;
    keep(&p->spans, &p->nspans, &p->spans_room, s);
    if (s->kind == SPAN_REQUEST)
        add_row(p, s);
}

static const struct trace_sink picture_sink = {
    .begin = picture_begin,
    .slice = picture_slice,
    .running = picture_running,
    .span = picture_span,
    .in_progress = picture_in_progress,
};

void
picture_init(struct picture *p, const struct span_ring *ring, const struct trace_cut *cut)
{
    memset(p, 0, sizeof(*p));
    p->from = cut->from;
    p->to = cut->to;
    trace_walk_init(&p->walk, ring, cut, &picture_sink, p);
}

/* Numbers are given to requests as they begin. */
static int
by_request(const void *a, const void *b)
{
    const struct picture_row *x = a, *y = b;

    return (x->request > y->request) - (x->request < y->request);
}

bool
picture_more(struct picture *p)
{
    if (trace_walk_more(&p->walk))
        return true;
    count_was(p, p->in_progress, p->tasks_since, p->to, p->tasks_now);
    qsort(p->rows, p->nrows, sizeof(p->rows[0]), by_request);
    return false;
}

int
picture_row_of(const struct picture *p, uint64_t request)
{
    const struct picture_row key = {.request = request},
                             *found = bsearch(&key, p->rows, p->nrows, sizeof(key), by_request);

    return found != NULL ? (int)(found - p->rows) : -1;
}

const char *
picture_path(const struct picture *p, const struct picture_row *row)
{
    return p->walk.cut.route_name(p->walk.cut.arg, row->route);
}

void
picture_fini(struct picture *p)
{
    trace_walk_fini(&p->walk);
    free(p->slices);
    free(p->spans);
}
