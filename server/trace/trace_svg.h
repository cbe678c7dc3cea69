/*
 * What ran, as a picture (SVG) that needs nothing else: no script, no style sheet, no font of its
 * own. Written in pieces of well under a millisecond, so that the loop goes on meanwhile.
 *
 *   title, and in one line what was measured
 *   one at a time   the same work, from the trace of another burst, in grey
 *   CPUs            who was on them: colour and number are the request's
 *   requests        a row each: on a CPU a block, waiting a line, queued hatched
 *   two counts      tasks in progress, CPUs that run
 *   time in ms, note
 *
 * Its <metadata> has the spans that it was drawn from, as JSON: so both counts and the bars can be
 * checked by whoever has the file only.
 */
#ifndef TRACE_TRACE_SVG_H
#define TRACE_TRACE_SVG_H

#include "common/buf.h"
#include "common/span.h"
#include "trace/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_svg;

enum { TRACE_TITLE_MAX = 160, TRACE_NOTE_MAX = 600 };

struct trace_svg_wish {
    struct trace_cut cut;
    const struct trace_cut *compare; /* the same, one at a time; NULL: none. Is copied */
    const char *title, *note;        /* NULL: none */
    double factor;                   /* 0: not known */
    uint64_t axis_ns;                /* how long the time axis is at least; 0: as long as needed */
    unsigned cpus;                   /* lanes for at least so many CPUs */
    bool whole;                      /* the cut is from begin to end of something */
};

/* The most memory that one takes. */
size_t trace_svg_octets(void);
/* The wish's courses, args and texts live as long as the picture. */
struct trace_svg *trace_svg_new(const struct span_ring *, const struct trace_svg_wish *);
/* Adds the next piece; false: that was the last one. */
bool trace_svg_more(struct trace_svg *, struct buf *out);
void trace_svg_free(struct trace_svg *);

#endif
