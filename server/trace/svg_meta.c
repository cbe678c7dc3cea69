/*
 * svg_meta: the spans that a picture was drawn from, as JSON in its <metadata>; see svg_inside.h.
 * Times are microseconds since the begin of the picture. Bounded; what is left out is counted.
 *
 *   axis_us, left, right     a moment's place is left + (right - left) * us / axis_us
 *   requests                 [number, path, start, duration] in the order of the rows
 *   slices                   [CPU, who (0 the loop, 1 + i worker i), start, duration], latest first
 *   spans                    [kind, lane, request, start, duration]
 */
#include "trace/svg_inside.h"

#include "common/clock.h"

#include <string.h>

enum { META_MAX = 4000, META_A_PIECE = 300 };

static const char *
kind_name(const struct span *s)
{
    switch ((enum span_kind)s->kind) {
    case SPAN_REQUEST:
        return "request";
    case SPAN_GATE:
        return "gate";
    case SPAN_QUEUE:
        return "queue";
    case SPAN_LOOP:
        return "loop";
    case SPAN_QUERY:
        return "query";
    case SPAN_LOCK:
        return "lock";
    case SPAN_TASK:
        return "task";
    case SPAN_TURN:
    case SPAN_BATCH:
    case SPAN_CPU:
    case SPAN_KINDS:
        break;
    }
    return "other";
}

/* ,start,duration] within the window, both rounded down as moments, so that nothing overlaps that
 * did not. */
static void
add_times(const struct picture *p, struct buf *b, uint64_t start, uint64_t end)
{
    const uint64_t from = start > p->from ? (start - p->from) / NS_PER_US : 0;
    const uint64_t to = ((end < p->to ? end : p->to) - p->from) / NS_PER_US;

    buf_add_char(b, ',');
    buf_add_u64(b, from);
    buf_add_char(b, ',');
    buf_add_u64(b, to > from ? to - from : 0);
    buf_add_char(b, ']');
}

static void
add_begin(const struct trace_svg *t, struct buf *b)
{
    const struct picture *const p = &t->picture;
    struct buf path = {0};

    buf_addf(b,
             "<metadata>{\"total_us\":%llu,\"axis_us\":%llu,\"left\":%g,\"right\":%g,"
             "\"grain_us\":%llu,\"in_progress_max\":%u,\"running_max\":%u",
             (unsigned long long)((p->to - p->from) / NS_PER_US),
             (unsigned long long)(t->layout.axis_ns / NS_PER_US), SVG_LEFT, SVG_RIGHT,
             (unsigned long long)(t->bars.grain / NS_PER_US), p->in_progress_max, p->running_max);
    if (t->wish.factor > 0)
        buf_addf(b, ",\"factor\":%.2f", t->wish.factor);
    if (t->wish.compare != NULL)
        buf_addf(b, ",\"one_at_a_time_us\":%llu",
                 (unsigned long long)((t->other.to - t->other.from) / NS_PER_US));
    buf_add_text(b, ",\"cpus\":[");
    for (unsigned i = 0; i < p->ncpus; i++)
        buf_addf(b, "%s%u", i > 0 ? "," : "", p->cpus[i]);
    buf_add_text(b, "],\n\"requests\":[");
    for (unsigned i = 0; i < p->nrows; i++) {
        const char *name = picture_path(p, &p->rows[i]);

        path.len = 0;
        buf_add_json_string(&path, name, strlen(name));
        buf_addf(b, "%s[%llu,", i > 0 ? "," : "", (unsigned long long)p->rows[i].request);
        svg_escape(b, path.data, path.len);
        add_times(p, b, p->rows[i].start, p->rows[i].end);
    }
    buf_fini(&path);
    buf_add_text(b, "],\n\"slices\":[");
}

static void
add_slice(const struct trace_svg *t, struct buf *b, unsigned i)
{
    const struct span *const s = &t->picture.slices[i];

    buf_addf(b, "%s[%u,%u", i > 0 ? "," : "", (unsigned)(s->lane - LANE_CPU), s->arg);
    add_times(&t->picture, b, s->start, s->end);
}

static void
add_span(const struct trace_svg *t, struct buf *b, unsigned i)
{
    const struct span *const s = &t->picture.spans[i];

    buf_addf(b, "%s[\"%s\",%u,%llu", i > 0 ? ",\n" : "", kind_name(s), s->lane,
             (unsigned long long)s->request);
    add_times(&t->picture, b, s->start, s->end);
}

bool
svg_add_metadata(struct trace_svg *t, struct buf *b)
{
    const struct picture *const p = &t->picture;
    const unsigned slices = p->nslices < META_MAX ? p->nslices : META_MAX;
    const unsigned spans = p->nspans < META_MAX ? p->nspans : META_MAX;

    if (t->at == 0)
        add_begin(t, b);
    for (unsigned n = 0; n < META_A_PIECE && t->at < slices; n++)
        add_slice(t, b, t->at++);
    if (t->at < slices)
        return true;
    if (t->at == slices)
        buf_add_text(b, "],\n\"spans\":[");
    for (unsigned n = 0; n < META_A_PIECE && t->at < slices + spans; n++)
        add_span(t, b, t->at++ - slices);
    if (t->at < slices + spans)
        return true;
    buf_addf(b, "],\n\"left_out\":%u}</metadata>\n",
             p->walk.left_out + (p->nslices - slices) + (p->nspans - spans));
    return false;
}
