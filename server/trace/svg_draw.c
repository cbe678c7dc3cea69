/*
 * svg_draw: the parts of the picture; see svg_inside.h. Everything stands where the layout says,
 * and is as long as it took.
 */
#include "trace/svg_inside.h"

#include <stdio.h>
#include <string.h>

enum { BARS_A_PIECE = 120 };

/* ---- one at a time, in grey ---- */

static void
draw_alone(struct trace_svg *t, struct buf *b)
{
    const struct picture *const p = &t->other;
    const double y = t->layout.strip;
    char number[16];

    svg_text(b, SVG_LABELS_END, y + 9.5, SVG_SMALL_LABEL, "one at a time");
    for (unsigned i = 0; i < p->nrows; i++) {
        const struct picture_row *const row = &p->rows[i];
        const double x = svg_since(t, p, row->start), width = svg_width(t, p, row->start, row->end);

        svg_rect(b, x, y, width > 2 ? width - 1 : width, 12, " fill=\"#e6e6e6\"");
        if (width < 14)
            continue;
        snprintf(number, sizeof(number), "%u", i + 1);
        svg_text(b, x + width / 2, y - 2.5, " text-anchor=\"middle\" font-size=\"9\" fill=\"#888\"",
                 number);
    }
}

bool
svg_draw_strip(struct trace_svg *t, struct buf *b)
{
    const double y = t->layout.strip;
    unsigned drawn = 0;

    if (t->at == 0)
        draw_alone(t, b);
    for (; t->at < t->other_bars.count && drawn < BARS_A_PIECE; t->at++) {
        const struct bar *const bar = &t->other_bars.list[t->at];
        const double x = svg_since(t, &t->other, bar->start);
        const double width = svg_width(t, &t->other, bar->start, bar->end);

        if (bar->kind == BAR_BLOCK)
            svg_rect(b, x, y, width, 12, " class=\"alone\" fill=\"#9a9a9a\"");
        else if (bar->kind == BAR_WAIT)
            svg_rect(b, x, y + 5, width, 2, " class=\"alone\" fill=\"#9a9a9a\"");
        drawn += bar->kind != BAR_CPU;
    }
    return t->at < t->other_bars.count;
}

/* ---- bars ---- */

/* The number of its request, where it fits and does not stand right beside. */
static void
draw_number(struct trace_svg *t, struct buf *b, const struct bar *bar, double x, double width)
{
    const struct layout *const l = &t->layout;
    char attributes[128], number[16];

    snprintf(number, sizeof(number), "%d", bar->row + 1);
    if (width < 7.0 * (double)strlen(number) + 3)
        return;
    x += width / 2;
    if (t->numbered[bar->lane].row == bar->row + 1 && t->numbered[bar->lane].x - x < 60)
        return;
    t->numbered[bar->lane].row = bar->row + 1;
    t->numbered[bar->lane].x = x;
    snprintf(attributes, sizeof(attributes), " text-anchor=\"middle\" font-size=\"11\" fill=\"%s\"",
             svg_colour_on(bar->row));
    svg_text(b, x, l->lanes + bar->lane * l->lane_pitch + l->lane_height / 2 + 3, attributes,
             number);
}

static void
draw_cpu_bar(struct trace_svg *t, struct buf *b, const struct bar *bar)
{
    const struct layout *const l = &t->layout;
    const double x = svg_since(t, &t->picture, bar->start),
                 y = l->lanes + bar->lane * l->lane_pitch;
    const double width = svg_width(t, &t->picture, bar->start, bar->end);
    char attributes[128];

    snprintf(attributes, sizeof(attributes), " class=\"cpu%u\" fill=\"%s\"",
             t->picture.cpus[bar->lane], svg_colour(bar->row));
    svg_rect(b, x, y, width, l->lane_height, attributes);
    if (bar->loop)
        svg_rect(b, x, y + l->lane_height - 3, width, 3, " fill=\"#000\"");
    if (bar->row >= 0)
        draw_number(t, b, bar, x, width);
}

/* In a row that shows CPUs apart: which one. */
static void
draw_where(const struct trace_svg *t, struct buf *b, const struct bar *bar, double x, double y)
{
    char attributes[96], text[32];

    snprintf(attributes, sizeof(attributes), " text-anchor=\"middle\" font-size=\"10\" fill=\"%s\"",
             svg_colour_on(bar->row));
    snprintf(text, sizeof(text), "on CPU %u", t->picture.cpus[bar->lane]);
    svg_text(b, x, y, attributes, text);
}

static void
draw_row_bar(const struct trace_svg *t, struct buf *b, const struct bar *bar)
{
    const struct layout *const l = &t->layout;
    const double x = svg_since(t, &t->picture, bar->start);
    const double width = svg_width(t, &t->picture, bar->start, bar->end);
    const double part = l->row_height / l->row_parts;
    double y = l->rows + bar->row * l->row_pitch;
    char attributes[96];

    switch (bar->kind) {
    case BAR_BLOCK:
        y += l->row_parts > 1 ? bar->lane * part : 0;
        snprintf(attributes, sizeof(attributes), " class=\"block%d\" fill=\"%s\"", bar->row + 1,
                 svg_colour(bar->row));
        svg_rect(b, x, y, width, part - (l->row_parts > 1 ? 1 : 0), attributes);
        if (l->row_parts > 1 && width > 54)
            draw_where(t, b, bar, x + width / 2, y + part / 2 + 3.5);
        break;
    case BAR_WAIT:
        snprintf(attributes, sizeof(attributes), " class=\"wait%d\" fill=\"#444\"", bar->row + 1);
        svg_rect(b, x, y + l->row_height / 2 - 1.25, width, 2.5, attributes);
        break;
    case BAR_QUEUE:
        snprintf(attributes, sizeof(attributes), " class=\"queue%d\" fill=\"url(#queued)\"",
                 bar->row + 1);
        svg_rect(b, x, y, width, l->row_height, attributes);
        break;
    case BAR_CPU:
    case BAR_KINDS:
        break;
    }
}

bool
svg_draw_bars(struct trace_svg *t, struct buf *b)
{
    for (unsigned drawn = 0; t->at < t->bars.count && drawn < BARS_A_PIECE; t->at++, drawn++) {
        const struct bar *const bar = &t->bars.list[t->at];

        if (bar->kind == BAR_CPU)
            draw_cpu_bar(t, b, bar);
        else
            draw_row_bar(t, b, bar);
    }
    return t->at < t->bars.count;
}

/* ---- the two counts ---- */

/* As steps, with the area below them; `top` is the value at the upper edge. */
static void
draw_steps(const struct trace_svg *t, struct buf *b, const unsigned *columns, unsigned top,
           double y, double height, const char *class)
{
    const double begin = SVG_LEFT, end = svg_x(t, t->picture.to - t->picture.from);
    unsigned now = 0;

    buf_addf(b, "<path class=\"%s\" fill=\"#999\" d=\"M%.2f %.2f", class, begin, y + height);
    for (unsigned i = 0; i < PICTURE_COLUMNS; i++) {
        if (columns[i] == now)
            continue;
        now = columns[i];
        buf_add_char(b, 'H');
        svg_number(b, begin + (end - begin) * i / PICTURE_COLUMNS);
        buf_add_char(b, 'V');
        svg_number(b, y + height - height * now / top);
    }
    buf_addf(b, "H%.2fV%.2fZ\"/>\n", end, y + height);
}

static void
draw_count(const struct trace_svg *t, struct buf *b, const char *name, const char *class,
           const unsigned *columns, unsigned most, unsigned top, double y, double height)
{
    const double at_most = y + height - height * most / top;
    char text[32];

    svg_text(b, SVG_LABELS_END - 22, y + height / 2 + 4, SVG_LABEL, name);
    svg_line(b, SVG_LEFT, y + height, SVG_RIGHT, y + height, " stroke=\"#ccc\"");
    svg_line(b, SVG_LEFT, at_most, SVG_RIGHT, at_most, " stroke=\"#999\" stroke-dasharray=\"2 3\"");
    snprintf(text, sizeof(text), "%u", most);
    svg_text(b, SVG_LABELS_END, at_most + 4, " text-anchor=\"end\" font-weight=\"bold\"", text);
    if (height > 22)
        svg_text(b, SVG_LABELS_END, y + height + 4, SVG_SMALL_LABEL, "0");
    draw_steps(t, b, columns, top, y, height, class);
}

void
svg_draw_counts(struct trace_svg *t, struct buf *b)
{
    const struct layout *const l = &t->layout;
    const struct picture *const p = &t->picture;
    const unsigned cpus = p->ncpus > p->running_max ? p->ncpus : p->running_max;

    draw_count(t, b, "tasks in progress", "in-progress", p->in_progress, p->in_progress_max,
               p->in_progress_max > 0 ? p->in_progress_max : 1, l->tasks, l->tasks_height);
    draw_count(t, b, "CPUs running", "running", p->running, p->running_max, cpus > 0 ? cpus : 1,
               l->running, l->running_height);
}
