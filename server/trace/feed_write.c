/*
 * feed_write: one batch as a server-sent event. Reads on in the rings from where the last batch
 * stopped; numbers only, written without printf, so that a full one takes some 100 us.
 *
 * Spans lie in the ring by their end, about, so a batch takes those up to the first that ends later
 * than it. A slice that grows lies in the ring already: the newest of each process that was told is
 * looked at again.
 */
#include "trace/feed_inside.h"

#include <math.h>

enum {
    LOOKED_AT_MAX = 8192, /* spans of one batch; older ones are left out */
    POINTS_MAX = 200,     /* of a course */
};

/* ---- numbers ---- */

static void
add_time(struct feed *f, uint64_t ns)
{
    buf_add_u64(&f->text, feed_us(f, ns));
}

static void
add_start_and_duration(struct feed *f, uint64_t start, uint64_t end)
{
    const uint64_t from = feed_us(f, start);

    buf_add_char(&f->text, ',');
    buf_add_u64(&f->text, from);
    buf_add_char(&f->text, ',');
    buf_add_u64(&f->text, feed_us(f, end) - from);
    buf_add_char(&f->text, ']');
}

static void
add_member(struct feed *f, const char *name, uint64_t value)
{
    buf_add_text(&f->text, ",\"");
    buf_add_text(&f->text, name);
    buf_add_text(&f->text, "\":");
    buf_add_u64(&f->text, value);
}

static void
begin_row(struct feed *f, unsigned row)
{
    buf_add_text(&f->text, row > 0 ? ",[" : "[");
}

/* ---- spans ---- */

/* What lies in the ring for a batch, and how much of it is told. */
struct choice {
    uint64_t first, last;      /* numbers */
    unsigned requests, others; /* spans of requests, and of no single one */
    unsigned one_request_in, one_other_in;
    unsigned max;
    unsigned left_out;
};

/* Requests come first; a quarter is kept for the turns and batches. */
static void
choose(struct feed *f, struct choice *c)
{
    unsigned max = f->allowance < FEED_SPANS_MAX ? (unsigned)f->allowance : FEED_SPANS_MAX;
    unsigned others = c->others, requests = c->requests;

    c->max = max;
    c->one_request_in = c->one_other_in = 1;
    if (requests + others <= max || max < 4)
        return;
    if (others > max / 4)
        others = requests + max / 4 > max ? max / 4 : max - requests;
    if (others < c->others)
        c->one_other_in = others > 0 ? (c->others + others - 1) / others : c->others + 1;
    if (requests > max - others)
        c->one_request_in = (requests + max - others - 1) / (max - others);
}

static void
look_at_spans(struct feed *f, struct choice *c, uint64_t to, bool all)
{
    const struct span_ring *ring = f->source.ring;
    const uint64_t next = span_ring_next(ring), first = span_ring_first(ring);
    struct span s;

    *c = (struct choice){.first = f->spans};
    if (c->first < first) {
        c->left_out += (unsigned)(first - c->first);
        c->first = first;
    }
    if (all && next - c->first > LOOKED_AT_MAX) {
        c->left_out += (unsigned)(next - LOOKED_AT_MAX - c->first);
        c->first = next - LOOKED_AT_MAX;
    }
    for (c->last = c->first; c->last < next && c->last - c->first < LOOKED_AT_MAX; c->last++) {
        if (!span_ring_get(ring, c->last, &s) || (!all && s.end > to))
            break;
        if (s.request != 0)
            c->requests++;
        else
            c->others++;
    }
    choose(f, c);
}

/* Whole requests are told or left out, in this batch. */
static bool
is_chosen(const struct choice *c, const struct span *s, unsigned *others)
{
    if (s->request == 0)
        return (*others)++ % c->one_other_in == 0;
    return (s->request * 0x9e3779b97f4a7c15ULL >> 32) % c->one_request_in == 0;
}

/* Returns how many were left out. */
static unsigned
write_spans(struct feed *f, uint64_t to, bool all)
{
    struct choice c;
    struct span s;
    unsigned n = 0, others = 0;

    look_at_spans(f, &c, to, all);
    buf_add_text(&f->text, ",\"spans\":[");
    for (uint64_t number = c.first; number < c.last; number++) {
        if (!span_ring_get(f->source.ring, number, &s))
            continue;
        if (n == c.max || !is_chosen(&c, &s, &others)) {
            c.left_out++;
            continue;
        }
        begin_row(f, n++);
        buf_add_u64(&f->text, s.kind);
        buf_add_char(&f->text, ',');
        buf_add_u64(&f->text, s.lane);
        buf_add_char(&f->text, ',');
        buf_add_u64(&f->text, s.request);
        buf_add_char(&f->text, ',');
        buf_add_u64(&f->text, s.arg);
        add_start_and_duration(f, s.start, s.end);
    }
    buf_add_char(&f->text, ']');
    f->spans = c.last;
    f->allowance -= n;
    return c.left_out;
}

/* ---- slices ---- */

static void
write_slice(struct feed *f, uint64_t number, const struct span *s, unsigned row)
{
    begin_row(f, row);
    buf_add_u64(&f->text, (uint64_t)(s->lane - LANE_CPU));
    buf_add_char(&f->text, ',');
    buf_add_u64(&f->text, s->arg);
    add_start_and_duration(f, s->start, s->end);
    f->latest[s->arg] = (struct feed_slice){number + 1, s->end};
}

/* Those told before that have grown since. Returns how many. */
static unsigned
write_grown(struct feed *f)
{
    struct span s;
    unsigned n = 0;

    for (unsigned who = 0; who < SPAN_PROCESSES; who++) {
        const struct feed_slice *told = &f->latest[who];

        if (told->number == 0 || !span_ring_cpu_get(f->source.ring, told->number - 1, &s) ||
            s.end == told->end)
            continue;
        write_slice(f, told->number - 1, &s, n++);
    }
    return n;
}

/* Returns how many were left out: the oldest. When the batch does not reach to now, the next one
 * goes on where this one is full. */
static unsigned
write_slices(struct feed *f, bool all)
{
    const struct span_ring *ring = f->source.ring;
    const uint64_t next = span_ring_cpu_next(ring);
    uint64_t first = span_ring_cpu_first(ring), oldest;
    unsigned n, left_out = 0;
    struct span s;

    buf_add_text(&f->text, ",\"slices\":[");
    n = write_grown(f);
    oldest = all && next > FEED_SLICES_MAX - n ? next - (FEED_SLICES_MAX - n) : 0;
    if (first < oldest)
        first = oldest;
    if (f->slices < first) {
        left_out = (unsigned)(first - f->slices);
        f->slices = first;
    }
    for (; f->slices < next && n < FEED_SLICES_MAX; f->slices++)
        if (span_ring_cpu_get(ring, f->slices, &s))
            write_slice(f, f->slices, &s, n++);
    buf_add_char(&f->text, ']');
    return left_out;
}

/* ---- courses ---- */

static void
write_point(struct feed *f, const struct course_point *p, unsigned *rows)
{
    if (p->peak > p->value) {
        begin_row(f, (*rows)++);
        add_time(f, p->at);
        buf_add_char(&f->text, ',');
        buf_add_u64(&f->text, p->peak);
        buf_add_char(&f->text, ']');
    }
    begin_row(f, (*rows)++);
    add_time(f, p->at);
    buf_add_char(&f->text, ',');
    buf_add_u64(&f->text, p->value);
    buf_add_char(&f->text, ']');
}

/* The point told last, if its millisecond went on after that. */
static void
write_changed(struct feed *f, struct feed_course *c, unsigned *rows)
{
    struct course_point p;

    if (c->next == 0 || !course_get(c->course, c->next - 1, &p) ||
        (p.peak == c->last.peak && p.value == c->last.value))
        return;
    write_point(f, &p, rows);
    c->last = p;
}

/* Of more than POINTS_MAX points, groups become one: first moment, highest peak, last value. */
static void
write_course(struct feed *f, const char *name, struct feed_course *c, uint64_t to, bool all)
{
    const uint64_t first = course_first(c->course);
    uint64_t last = course_next(c->course), group;
    struct course_point p, merged;
    unsigned rows = 0, in_group = 0;

    buf_add_text(&f->text, ",\"");
    buf_add_text(&f->text, name);
    buf_add_text(&f->text, "\":[");
    write_changed(f, c, &rows);
    if (c->next < first)
        c->next = first;
    if (!all && last > c->next) {
        const uint64_t at = course_find(c->course, to);

        last = at < c->next ? c->next : at + 1;
        if (last == c->next + 1 && course_get(c->course, c->next, &p) && p.at > to)
            last = c->next;
    }
    group = (last - c->next) / POINTS_MAX + 1;
    for (; c->next < last && course_get(c->course, c->next, &p); c->next++) {
        if (in_group++ == 0)
            merged = p;
        if (p.peak > merged.peak)
            merged.peak = p.peak;
        merged.value = p.value;
        if (in_group == group || c->next + 1 == last) {
            write_point(f, &merged, &rows);
            in_group = 0;
        }
        c->last = p;
    }
    if (rows == 0)
        write_point(f, &(struct course_point){to, c->last.value, c->last.value}, &rows);
    buf_add_char(&f->text, ']');
}

/* ---- what is there now ---- */

static void
write_open(struct feed *f, const struct feed_now *now)
{
    struct buf *b = &f->text;

    buf_add_text(b, ",\"open\":[");
    for (unsigned i = 0; i < now->nopen; i++) {
        const struct feed_request *r = &now->open[i];

        begin_row(f, i);
        buf_add_u64(b, r->id);
        buf_add_char(b, ',');
        buf_add_u64(b, r->route);
        buf_add_char(b, ',');
        add_time(f, r->start);
        buf_add_text(b, ",\"");
        buf_add_text(b, r->waits);
        buf_add_text(b, "\",");
        add_time(f, r->since);
        buf_add_char(b, ',');
        buf_add_u64(b, r->burst);
        buf_add_char(b, ']');
    }
    buf_add_char(b, ']');
    add_member(f, "open_left_out", now->open_left_out);
}

static void
write_counts(struct feed *f, const struct feed_now *now)
{
    buf_add_text(&f->text, ",\"counts\":{\"requests\":");
    buf_add_u64(&f->text, now->requests);
    add_member(f, "tasks", now->tasks);
    add_member(f, "queries", now->queries);
    add_member(f, "answered", now->answered);
    add_member(f, "loop_switches", now->loop_switches);
    add_member(f, "kernel_switches", now->kernel_switches);
    add_member(f, "loop_busy", now->loop_busy_ns / NS_PER_US);
    add_member(f, "lag", now->lag_ns / NS_PER_US);
    add_member(f, "gate", now->gate);
    add_member(f, "workers", now->workers);
    buf_add_text(&f->text, now->db_up ? ",\"db_up\":true}" : ",\"db_up\":false}");
}

void
feed_write(struct feed *f, const struct feed_now *now, uint64_t to)
{
    const bool all = to == now->at;
    unsigned left_out, requests, others;

    f->text.len = 0;
    f->allowance = fmin(FEED_SPANS_MAX,
                        f->allowance + (double)(to - f->to) * FEED_SPANS_PER_SECOND / NS_PER_S);
    buf_addf(&f->text, "id: %llx-%llu\nevent: batch\ndata: {\"n\":%llu",
             (unsigned long long)f->source.epoch, (unsigned long long)f->next,
             (unsigned long long)f->next);
    add_member(f, "from", feed_us(f, f->to));
    add_member(f, "to", feed_us(f, to));
    left_out = write_spans(f, to, all);
    left_out += write_slices(f, all);
    write_course(f, "tasks", &f->tasks, to, all);
    write_course(f, "queries", &f->queries, to, all);
    write_open(f, now);
    write_counts(f, now);
    span_ring_sampled(f->source.ring, f->to, to, &requests, &others);
    buf_addf(&f->text, ",\"sampled\":[%u,%u]", requests, others);
    add_member(f, "left_out", left_out);
    buf_add_text(&f->text, "}\n\n");
}
