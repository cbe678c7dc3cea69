/*
 * What the files of trace_svg share: the picture in the making, where its parts lie, and the few
 * elements it is made of. For these files only.
 *
 *   trace_svg.c   phases and layout      svg_frame.c   texts, axis, names
 *   svg_words.c   texts for people       svg_draw.c    strip, bars, curves
 *   svg.c         elements               svg_meta.c    <metadata>
 */
#ifndef TRACE_SVG_INSIDE_H
#define TRACE_SVG_INSIDE_H

#include "trace/bars.h"
#include "trace/picture.h"
#include "trace/trace_svg.h"

/* In units of the picture, which is 800 wide: text of 12 can still be read at 600 pixels. */
#define SVG_WIDTH 800.0
#define SVG_LEFT  152.0 /* the time axis begins */
#define SVG_RIGHT 784.0
#define SVG_GREY  "#666"
/* Names at the left. */
#define SVG_LABELS_END  (SVG_LEFT - 8)
#define SVG_LABEL       " text-anchor=\"end\" fill=\"#222\""
#define SVG_SMALL_LABEL " text-anchor=\"end\" font-size=\"11\" fill=\"" SVG_GREY "\""

struct layout {
    uint64_t axis_ns;
    double strip, lanes, rows, tasks, running, axis, note, height; /* their upper edges */
    double lane_height, lane_pitch, row_height, row_pitch, tasks_height, running_height;
    unsigned row_parts; /* more than 1: rows show the CPUs apart */
};

struct trace_svg {
    struct trace_svg_wish wish;
    struct trace_cut compare;
    unsigned phase, at;
    struct picture picture, other;
    struct bars bars, other_bars;
    struct layout layout;
    struct buf note; /* its lines, and what was left out */
    struct {
        int row; /* 0 at first */
        double x;
    } numbered[PICTURE_CPUS]; /* the number that was written last on a lane: the row's, from 1 */
};

/* ---- elements (svg.c) ---- */

/* A number with at most two decimals. */
void svg_number(struct buf *, double);
/* Text of XML: octets that XML cannot have become U+FFFD. */
void svg_escape(struct buf *, const char *text, size_t len);
/* attributes: as they stand in the element, with a leading space, or "". */
void svg_rect(struct buf *, double x, double y, double width, double height,
              const char *attributes);
void svg_line(struct buf *, double x1, double y1, double x2, double y2, const char *attributes);
void svg_text(struct buf *, double x, double y, const char *attributes, const char *text);
/* "1,234" or, below 100, "12.3" */
void svg_add_ms(struct buf *, uint64_t ns);
/* The next line of at most `columns` characters of a text; its length; *text moves on. 0: none. */
size_t svg_wrap(const char **text, size_t columns, const char **line);
const char *svg_colour(int row);
const char *svg_colour_on(int row); /* of text on it */
double svg_x(const struct trace_svg *, uint64_t since_begin_ns);
/* Where a moment of a picture is, and how wide a stretch of it: wide enough to be seen. */
double svg_since(const struct trace_svg *, const struct picture *, uint64_t at);
double svg_width(const struct trace_svg *, const struct picture *, uint64_t start, uint64_t end);

/* ---- parts ---- */

void svg_draw_frame(struct trace_svg *, struct buf *);
/* Some bars; false: all are drawn. */
bool svg_draw_strip(struct trace_svg *, struct buf *);
bool svg_draw_bars(struct trace_svg *, struct buf *);
void svg_draw_counts(struct trace_svg *, struct buf *);

void svg_add_head(struct trace_svg *, struct buf *);
void svg_add_legend(struct trace_svg *, struct buf *, double y);
/* What was measured, in one line. */
void svg_add_facts(const struct trace_svg *, struct buf *);

/* Some of it; false: all is written. */
bool svg_add_metadata(struct trace_svg *, struct buf *);

#endif
