/*
 * svg_frame: all of the picture that does not depend on bars: texts, time axis, names of lanes and
 * rows, and how long each request was in progress; see svg_inside.h.
 */
#include "trace/svg_inside.h"

#include "common/clock.h"

#include <stdio.h>
#include <string.h>

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

static void
draw_lane_names(const struct trace_svg *t, struct buf *b)
{
    const struct layout *const l = &t->layout;
    char name[32];

    for (unsigned i = 0; i < t->picture.ncpus; i++) {
        const double y = l->lanes + i * l->lane_pitch;

        snprintf(name, sizeof(name), "CPU %u", t->picture.cpus[i]);
        svg_text(b, SVG_LABELS_END, y + l->lane_height / 2 + 4, SVG_LABEL, name);
        svg_line(b, SVG_LEFT, y + l->lane_height, SVG_RIGHT, y + l->lane_height,
                 " stroke=\"#ccc\" stroke-width=\"1\"");
        if (!t->picture.cpu_used[i])
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
    svg_text(b, SVG_LABELS_END - 22, baseline, attributes, name);
    snprintf(attributes, sizeof(attributes), " rx=\"2\" fill=\"%s\"", svg_colour((int)i));
    svg_rect(b, SVG_LABELS_END - 18, y, 18, l->row_height, attributes);
    snprintf(number, sizeof(number), "%u", i + 1);
    snprintf(attributes, sizeof(attributes),
             " text-anchor=\"middle\" font-weight=\"bold\" font-size=\"%.4g\" fill=\"%s\"",
             size - 1, svg_colour_on((int)i));
    svg_text(b, SVG_LABELS_END - 9, baseline, attributes, number);
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
        svg_rect(b, svg_since(t, p, row->start), y, svg_width(t, p, row->start, row->end),
                 l->row_height, attributes);
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
