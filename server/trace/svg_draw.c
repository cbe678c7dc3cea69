/*
 * svg_draw: the parts of the picture; see svg_inside.h. Everything stands where the layout says,
 * and is as long as it took.
 */
#include "trace/svg_inside.h"

#include "common/clock.h"

#include <stdio.h>
#include <string.h>

enum { BARS_A_PIECE = 120 };

/* Nothing that took time is too short to be seen. */
#define NARROWEST 0.4

static const char label[] = " text-anchor=\"end\" fill=\"#222\"";
static const char small_label[] = " text-anchor=\"end\" font-size=\"11\" fill=\"" SVG_GREY "\"";
#define LABELS_END (SVG_LEFT - 8)

static double
since(const struct trace_svg *t, const struct picture *p, uint64_t at)
{
    return svg_x(t, at > p->from ? at - p->from : 0);
}

static double
width_of(const struct trace_svg *t, const struct picture *p, uint64_t start, uint64_t end)
{
    const double width = since(t, p, end) - since(t, p, start);

    return width > NARROWEST ? width : NARROWEST;
}

/* ---- frame: title, axis, names of lanes and rows ---- */

/* A round step, for at most ten of them. */
static uint64_t
round_step(uint64_t axis_ns)
{
    static const unsigned steps[] = {1, 2, 5};
    uint64_t unit = NS_PER_US;

    for (;; unit *= 10)
        for (unsigned i = 0; i < 3; i++)
            if (axis_ns / (steps[i] * unit) <= 10)
                return steps[i] * unit;
}

static void
add_tick(struct buf *b, uint64_t ns, uint64_t step)
{
    const unsigned long long ms = ns / NS_PER_MS, us = ns / NS_PER_US % 1000;

    if (step < NS_PER_MS)
        buf_addf(b, "%llu.%03llu", ms, us);
    else if (ms >= 1000)
        buf_addf(b, "%llu,%03llu", ms / 1000, ms % 1000);
    else
        buf_addf(b, "%llu", ms);
}

static void
draw_axis(const struct trace_svg *t, struct buf *b)
{
    const struct layout *const l = &t->layout;
    const uint64_t step = round_step(l->axis_ns);
    struct buf tick = {0};

    for (uint64_t at = 0; at <= l->axis_ns; at += step) {
        const double x = svg_x(t, at);

        svg_line(b, x, l->strip, x, l->axis, " stroke=\"#e4e4e4\" stroke-width=\"1\"");
        tick.len = 0;
        add_tick(&tick, at, step);
        if (at == 0)
            buf_add_text(&tick, " ms");
        buf_add_char(&tick, '\0');
        svg_text(b, x, l->axis + 14,
                 at > 0 && x > SVG_RIGHT - 20
                     ? " text-anchor=\"end\" font-size=\"11\" fill=\"" SVG_GREY "\""
                     : " text-anchor=\"middle\" font-size=\"11\" fill=\"" SVG_GREY "\"",
                 tick.data);
    }
    buf_fini(&tick);
}

static bool
lane_is_used(const struct trace_svg *t, unsigned lane)
{
    for (unsigned i = 0; i < t->bars.count; i++)
        if (t->bars.list[i].kind == BAR_CPU && t->bars.list[i].lane == (int)lane)
            return true;
    return false;
}

static void
draw_lane_names(const struct trace_svg *t, struct buf *b)
{
    const struct layout *const l = &t->layout;
    char name[32];

    for (unsigned i = 0; i < t->picture.ncpus; i++) {
        const double y = l->lanes + i * l->lane_pitch;

        snprintf(name, sizeof(name), "CPU %u", t->picture.cpus[i]);
        svg_text(b, LABELS_END, y + l->lane_height / 2 + 4, label, name);
        svg_line(b, SVG_LEFT, y + l->lane_height, SVG_RIGHT, y + l->lane_height,
                 " stroke=\"#ccc\" stroke-width=\"1\"");
        if (!lane_is_used(t, i))
            svg_text(b, SVG_LEFT + 6, y + l->lane_height / 2 + 4,
                     " font-size=\"11\" fill=\"" SVG_GREY "\"", "not used");
    }
}

/* When all was done, where there is room to say it. */
static void
draw_end(const struct trace_svg *t, struct buf *b)
{
    const struct layout *const l = &t->layout;
    const double x = svg_x(t, t->picture.to - t->picture.from);
    struct buf text = {0};

    if (!t->wish.whole || x > SVG_RIGHT - 150)
        return;
    svg_line(b, x, l->lanes - 4, x, l->axis, " stroke=\"#111\" stroke-dasharray=\"5 3\"");
    buf_add_text(&text, "all done after ");
    svg_add_ms(&text, t->picture.to - t->picture.from);
    buf_add_text(&text, " ms");
    buf_add_char(&text, '\0');
    svg_text(b, x + 7, l->lanes + l->lane_height / 2 + 4, " font-weight=\"bold\"", text.data);
    buf_fini(&text);
}

/* The path, cut to what has room. */
static void
draw_row_name(const struct trace_svg *t, struct buf *b, unsigned i, double y)
{
    enum { ROOM = 17 };
    const struct layout *const l = &t->layout;
    const char *path = picture_path(&t->picture, &t->picture.rows[i]);
    const size_t len = strlen(path);
    char name[64], attributes[128], number[16];
    const double size = l->row_height < 12 ? 9 : 12, baseline = y + l->row_height / 2 + size / 3;

    snprintf(name, sizeof(name), len > ROOM ? "%.16s…" : "%s", path);
    snprintf(attributes, sizeof(attributes), " text-anchor=\"end\" font-size=\"%.4g\"", size);
    svg_text(b, LABELS_END - 22, baseline, attributes, name);
    snprintf(attributes, sizeof(attributes), " rx=\"2\" fill=\"%s\"", svg_colour((int)i));
    svg_rect(b, LABELS_END - 18, y, 18, l->row_height, attributes);
    snprintf(number, sizeof(number), "%u", i + 1);
    snprintf(attributes, sizeof(attributes),
             " text-anchor=\"middle\" font-weight=\"bold\" font-size=\"%.4g\" fill=\"%s\"",
             size - 1, svg_colour_on((int)i));
    svg_text(b, LABELS_END - 9, baseline, attributes, number);
}

static void
draw_rows(const struct trace_svg *t, struct buf *b)
{
    const struct layout *const l = &t->layout;
    const struct picture *const p = &t->picture;
    char attributes[64];

    for (unsigned i = 0; i < p->nrows; i++) {
        const struct picture_row *const row = &p->rows[i];
        const double y = l->rows + i * l->row_pitch;

        draw_row_name(t, b, i, y);
        snprintf(attributes, sizeof(attributes), " fill=\"%s\" fill-opacity=\"0.22\"",
                 svg_colour((int)i));
        svg_rect(b, since(t, p, row->start), y, width_of(t, p, row->start, row->end), l->row_height,
                 attributes);
    }
}

static void
draw_texts(struct trace_svg *t, struct buf *b)
{
    const char *text = t->wish.title != NULL ? t->wish.title : "What ran, and when", *line;
    struct buf one = {0};
    double y = 26;
    size_t len;

    while ((len = svg_wrap(&text, 78, &line)) > 0) {
        one.len = 0;
        buf_add(&one, line, len);
        buf_add_char(&one, '\0');
        svg_text(b, 16, y, " font-size=\"17\" font-weight=\"bold\" fill=\"#111\"", one.data);
        y += 22;
    }
    one.len = 0;
    svg_add_facts(t, &one);
    buf_add_char(&one, '\0');
    svg_text(b, 16, y, " font-size=\"13.5\" fill=\"#222\"", one.data);
    y = t->layout.note;
    text = t->note.data != NULL ? t->note.data : "";
    while ((len = svg_wrap(&text, 122, &line)) > 0) {
        one.len = 0;
        buf_add(&one, line, len);
        buf_add_char(&one, '\0');
        svg_text(b, 16, y, " font-size=\"11\" fill=\"" SVG_GREY "\"", one.data);
        y += 14;
    }
    buf_fini(&one);
}

void
svg_draw_frame(struct trace_svg *t, struct buf *b)
{
    svg_rect(b, 0, 0, SVG_WIDTH, t->layout.height, " fill=\"#fff\"");
    draw_texts(t, b);
    svg_add_legend(t, b, t->layout.strip - 18);
    draw_axis(t, b);
    draw_lane_names(t, b);
    draw_rows(t, b);
    draw_end(t, b);
}

/* ---- one at a time, in grey ---- */

static void
draw_alone(struct trace_svg *t, struct buf *b)
{
    const struct picture *const p = &t->other;
    const double y = t->layout.strip;
    char number[16];

    svg_text(b, LABELS_END, y + 9.5, small_label, "one at a time");
    for (unsigned i = 0; i < p->nrows; i++) {
        const struct picture_row *const row = &p->rows[i];
        const double x = since(t, p, row->start), width = width_of(t, p, row->start, row->end);

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
        const double x = since(t, &t->other, bar->start);
        const double width = width_of(t, &t->other, bar->start, bar->end);

        if (bar->kind == BAR_BLOCK)
            svg_rect(b, x, y, width, 12, " class=\"alone\" fill=\"#9a9a9a\"");
        else if (bar->kind == BAR_WAIT)
            svg_rect(b, x, y + 5, width, 2, " class=\"alone\" fill=\"#9a9a9a\"");
        drawn += bar->kind != BAR_CPU;
    }
    return t->at < t->other_bars.count;
}

/* ---- bars ---- */

static void
draw_cpu_bar(const struct trace_svg *t, struct buf *b, const struct bar *bar)
{
    const struct layout *const l = &t->layout;
    const double x = since(t, &t->picture, bar->start), y = l->lanes + bar->lane * l->lane_pitch;
    const double width = width_of(t, &t->picture, bar->start, bar->end);
    char attributes[128], number[16];

    snprintf(attributes, sizeof(attributes), " class=\"cpu%u\" fill=\"%s\"",
             t->picture.cpus[bar->lane], svg_colour(bar->row));
    svg_rect(b, x, y, width, l->lane_height, attributes);
    if (bar->loop)
        svg_rect(b, x, y + l->lane_height - 3, width, 3, " fill=\"#000\"");
    if (bar->row < 0)
        return;
    snprintf(number, sizeof(number), "%d", bar->row + 1);
    if (width < 7.0 * (double)strlen(number) + 3)
        return;
    snprintf(attributes, sizeof(attributes), " text-anchor=\"middle\" font-size=\"11\" fill=\"%s\"",
             svg_colour_on(bar->row));
    svg_text(b, x + width / 2, y + l->lane_height / 2 + 3, attributes, number);
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
    const double x = since(t, &t->picture, bar->start);
    const double width = width_of(t, &t->picture, bar->start, bar->end);
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

    svg_text(b, LABELS_END - 22, y + height / 2 + 4, label, name);
    svg_line(b, SVG_LEFT, y + height, SVG_RIGHT, y + height, " stroke=\"#ccc\"");
    svg_line(b, SVG_LEFT, at_most, SVG_RIGHT, at_most, " stroke=\"#999\" stroke-dasharray=\"2 3\"");
    snprintf(text, sizeof(text), "%u", most);
    svg_text(b, LABELS_END, at_most + 4, " text-anchor=\"end\" font-weight=\"bold\"", text);
    if (height > 22)
        svg_text(b, LABELS_END, y + height + 4, small_label, "0");
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
