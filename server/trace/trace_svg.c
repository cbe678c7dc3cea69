/*
 * trace_svg: see trace_svg.h. Runs in the front end, a piece at a time. First all is gathered, then
 * it is known how large the picture gets, then it is written from top to bottom:
 *
 *   gather (picture.h) -> the one to compare with -> bars (bars.h) -> layout
 *     -> frame -> strip -> bars -> counts -> metadata
 */
#include "trace/svg_inside.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdlib.h>
#include <string.h>

enum phase {
    PHASE_GATHER,
    PHASE_GATHER_OTHER,
    PHASE_BARS,
    PHASE_OTHER_BARS,
    PHASE_FRAME,
    PHASE_STRIP,
    PHASE_DRAW,
    PHASE_COUNTS,
    PHASE_METADATA,
    PHASE_OVER
};

size_t
trace_svg_octets(void)
{
    return sizeof(struct trace_svg) + 2 * (size_t)PICTURE_OCTETS;
}

struct trace_svg *
trace_svg_new(const struct span_ring *ring, const struct trace_svg_wish *wish)
{
    struct trace_svg *t = xcalloc(1, sizeof(*t));

    t->wish = *wish;
    picture_init(&t->picture, ring, &wish->cut);
    if (wish->compare != NULL) {
        t->compare = *wish->compare;
        t->wish.compare = &t->compare;
        picture_init(&t->other, ring, &t->compare);
    }
    return t;
}

void
trace_svg_free(struct trace_svg *t)
{
    if (t == NULL)
        return;
    bars_fini(&t->bars);
    bars_fini(&t->other_bars);
    picture_fini(&t->picture);
    if (t->wish.compare != NULL)
        picture_fini(&t->other);
    buf_fini(&t->note);
    free(t);
}

/* ---- layout ---- */

static void
choose_axis(struct trace_svg *t)
{
    uint64_t axis = t->wish.axis_ns;

    if (axis < t->picture.to - t->picture.from)
        axis = t->picture.to - t->picture.from;
    if (t->wish.compare != NULL && axis < t->other.to - t->other.from)
        axis = t->other.to - t->other.from;
    t->layout.axis_ns = axis > 0 ? axis : NS_PER_MS;
}

/* The time that half a pixel stands for, when the picture is 800 pixels wide. */
static uint64_t
half_a_pixel(const struct trace_svg *t)
{
    return (uint64_t)((double)t->layout.axis_ns / (SVG_RIGHT - SVG_LEFT) / 2);
}

/* The note, and what is not in the picture. */
static void
write_note(struct trace_svg *t)
{
    const struct picture *const p = &t->picture;
    struct buf *const b = &t->note;
    unsigned requests, others;

    if (t->wish.note != NULL)
        buf_addf(b, "%s\n", t->wish.note);
    if (p->requests > p->nrows)
        buf_addf(b, "Rows: the %u of %u requests that took longest; what others did is grey.\n",
                 p->nrows, p->requests);
    if (p->from > p->walk.cut.from)
        buf_addf(b, "What was before is too much for one picture, or no longer known.\n");
    span_ring_sampled(p->walk.ring, p->from, p->to, &requests, &others);
    if (requests > 1)
        buf_addf(b, "Recorded: one of %u requests; the two counts are exact.\n", requests);
    if (p->cpus_left_out > 0)
        buf_addf(b, "More CPUs were used than have a lane.\n");
    buf_add_char(b, '\0');
}

static unsigned
lines_of(const char *text, size_t columns)
{
    const char *line;
    unsigned lines = 0;

    while (svg_wrap(&text, columns, &line) > 0)
        lines++;
    return lines;
}

static void
lay_out(struct trace_svg *t)
{
    struct layout *const l = &t->layout;
    const struct picture *const p = &t->picture;
    const unsigned titles = lines_of(t->wish.title != NULL ? t->wish.title : "x", 78);
    const unsigned cpus = p->ncpus > p->running_max ? p->ncpus : p->running_max;

    l->strip = 26 + 22 * titles + 46;
    l->lanes = l->strip + (t->wish.compare != NULL ? 24 : 4);
    l->lane_height = p->ncpus <= 4 ? 26 : 16;
    l->lane_pitch = l->lane_height + 6;
    l->rows = l->lanes + p->ncpus * l->lane_pitch + 8;
    l->row_height = p->nrows <= 12 ? 16 : p->nrows <= 24 ? 13 : 9;
    l->row_parts = t->bars.split && p->nrows <= 4 ? p->ncpus : 1;
    if (l->row_parts > 1)
        l->row_height = 14 * l->row_parts;
    l->row_pitch = l->row_height + (p->nrows <= 24 ? 4 : 2);
    l->tasks = l->rows + p->nrows * l->row_pitch + 12;
    l->tasks_height = p->in_progress_max <= 4 ? 24 : p->in_progress_max <= 10 ? 48 : 60;
    l->running = l->tasks + l->tasks_height + 18;
    l->running_height = cpus <= 2 ? 24 : cpus <= 4 ? 36 : 48;
    l->axis = l->running + l->running_height + 6;
    l->note = l->axis + 36;
    l->height = l->axis + 26;
    if (t->note.data[0] != '\0')
        l->height = l->note + 14 * lines_of(t->note.data, 122) - 4;
}

static void
begin_bars(struct trace_svg *t)
{
    picture_show_cpus(&t->picture, t->wish.cpus);
    choose_axis(t);
    write_note(t);
    bars_init(&t->bars, &t->picture, half_a_pixel(t));
    if (t->wish.compare != NULL)
        bars_init(&t->other_bars, &t->other, half_a_pixel(t));
}

/* ---- piece by piece ---- */

static void
go_on(struct trace_svg *t, enum phase phase)
{
    t->phase = phase;
    t->at = 0;
}

static void
gather(struct trace_svg *t)
{
    switch ((enum phase)t->phase) {
    case PHASE_GATHER:
        if (picture_more(&t->picture))
            return;
        if (t->wish.compare == NULL)
            begin_bars(t);
        go_on(t, t->wish.compare != NULL ? PHASE_GATHER_OTHER : PHASE_BARS);
        break;
    case PHASE_GATHER_OTHER:
        if (picture_more(&t->other))
            return;
        begin_bars(t);
        go_on(t, PHASE_BARS);
        break;
    case PHASE_BARS:
        if (!bars_more(&t->bars))
            go_on(t, t->wish.compare != NULL ? PHASE_OTHER_BARS : PHASE_FRAME);
        break;
    case PHASE_OTHER_BARS:
        if (!bars_more(&t->other_bars))
            go_on(t, PHASE_FRAME);
        break;
    case PHASE_FRAME:
    case PHASE_STRIP:
    case PHASE_DRAW:
    case PHASE_COUNTS:
    case PHASE_METADATA:
    case PHASE_OVER:
        break;
    }
}

static void
draw(struct trace_svg *t, struct buf *out)
{
    switch ((enum phase)t->phase) {
    case PHASE_FRAME:
        lay_out(t);
        svg_add_head(t, out);
        svg_draw_frame(t, out);
        go_on(t, t->wish.compare != NULL ? PHASE_STRIP : PHASE_DRAW);
        break;
    case PHASE_STRIP:
        if (!svg_draw_strip(t, out))
            go_on(t, PHASE_DRAW);
        break;
    case PHASE_DRAW:
        if (!svg_draw_bars(t, out))
            go_on(t, PHASE_COUNTS);
        break;
    case PHASE_COUNTS:
        svg_draw_counts(t, out);
        go_on(t, PHASE_METADATA);
        break;
    case PHASE_METADATA:
        if (svg_add_metadata(t, out))
            break;
        buf_add_text(out, "</svg>\n");
        go_on(t, PHASE_OVER);
        break;
    case PHASE_GATHER:
    case PHASE_GATHER_OTHER:
    case PHASE_BARS:
    case PHASE_OTHER_BARS:
    case PHASE_OVER:
        break;
    }
}

bool
trace_svg_more(struct trace_svg *t, struct buf *out)
{
    if (t->phase < PHASE_FRAME)
        gather(t);
    else
        draw(t, out);
    return t->phase != PHASE_OVER;
}
