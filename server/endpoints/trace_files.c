/*
 * /trace.json and /trace.svg: what ran in the last seconds, or for one request, or for one burst,
 * as a file for Perfetto and as a picture. Pulled by how fast the client reads; each piece is made
 * in well under a millisecond.
 *
 *   wait for a slot -> look the cut up -> { wait for a slot -> a piece -> the client takes it } ...
 */
#include "endpoints/endpoints.h"
#include "endpoints/trace_cut.h"

#include "common/clock.h"
#include "common/memory.h"
#include "request/runner.h"
#include "trace/trace_json.h"
#include "trace/trace_svg.h"

/* ---- /trace.json ---- */

const struct param trace_json_params[] = {TRACE_CUT_ROWS, {.name = NULL}};

struct json_state {
    struct trace_source source;
    struct trace_json *trace;
};

static struct next trace_json_next(struct req *r);

static struct next
trace_json_piece(struct req *r)
{
    struct json_state *s = r->state;
    struct buf *b = req_scratch(r);
    bool more = trace_json_more(s->trace, b);

    return reply_part(r, b->data, b->len, more ? trace_json_next : reply_end);
}

static struct next
trace_json_next(struct req *r)
{
    return trace_wait_slot(r, trace_json_piece);
}

static struct next
trace_json_look(struct req *r)
{
    struct json_state *s = r->state;
    struct trace_cut cut;
    struct next refusal;

    if (trace_cut_take(r, &s->source, &cut, &refusal) != 0)
        return refusal;
    s->trace = trace_json_new(r->runner->ring, &cut);
    reply_begin(r, 200, "application/json", -1);
    return next_step(trace_json_next);
}

struct next
trace_json_begin(struct req *r)
{
    req_state_new(r, sizeof(struct json_state));
    return trace_wait_slot(r, trace_json_look);
}

void
trace_json_cleanup(struct req *r)
{
    struct json_state *s = r->state;

    trace_json_free(s->trace);
    trace_source_release(&s->source);
}

/* ---- /trace.svg ---- */

enum { SVG_TITLE = TRACE_CUT_PARAMS, SVG_NOTE, SVG_COMPARE, SVG_AXIS_MS, SVG_CPUS };
const struct param trace_svg_params[] = {
    TRACE_CUT_ROWS,
    [SVG_TITLE] = {.name = "title",
                   .kind = PARAM_TEXT,
                   .max = TRACE_TITLE_MAX,
                   .help = "the picture's headline"},
    [SVG_NOTE] = {.name = "note",
                  .kind = PARAM_TEXT,
                  .max = TRACE_NOTE_MAX,
                  .help = "a text below the picture"},
    [SVG_COMPARE] = {.name = "compare",
                     .kind = PARAM_TEXT,
                     .max = 40,
                     .help = "another burst, which did the same one at a time: a strip above"},
    [SVG_AXIS_MS] = {.name = "axis_ms",
                     .kind = PARAM_INT,
                     .min = 1,
                     .max = 600000,
                     .def = PARAM_AUTO,
                     .def_text = "auto",
                     .unit = "ms",
                     .help = "how long the time axis is at least, to have several on one"},
    [SVG_CPUS] = {.name = "cpus",
                  .kind = PARAM_INT,
                  .min = 1,
                  .max = 16,
                  .def = PARAM_AUTO,
                  .def_text = "auto",
                  .unit = "CPUs",
                  .help = "lanes for at least so many, though none of ours was there"},
    {.name = NULL},
};

struct svg_state {
    struct trace_source source, compare;
    struct trace_svg *trace;
};

static struct next trace_svg_next(struct req *r);

static struct next
trace_svg_piece(struct req *r)
{
    struct svg_state *s = r->state;
    struct buf *b = req_scratch(r);
    bool more = trace_svg_more(s->trace, b);

    return reply_part(r, b->data, b->len, more ? trace_svg_next : reply_end);
}

static struct next
trace_svg_next(struct req *r)
{
    return trace_wait_slot(r, trace_svg_piece);
}

static struct next
trace_svg_look(struct req *r)
{
    struct svg_state *s = r->state;
    struct trace_svg_wish wish = {
        .title = r->texts[SVG_TITLE],
        .note = r->texts[SVG_NOTE],
        .axis_ns = (uint64_t)r->params[SVG_AXIS_MS] * NS_PER_MS,
        .cpus = (unsigned)r->params[SVG_CPUS],
        .whole = r->texts[TRACE_REQUEST] != NULL || r->texts[TRACE_BURST] != NULL,
    };
    struct trace_cut compare;
    struct next refusal;

    if (trace_cut_take(r, &s->source, &wish.cut, &refusal) != 0)
        return refusal;
    if (s->source.burst != NULL)
        wish.factor = s->source.burst->factor;
    if (r->texts[SVG_COMPARE] != NULL) {
        if (trace_cut_burst(r, r->texts[SVG_COMPARE], &s->compare, &compare, &refusal) != 0)
            return refusal;
        wish.compare = &compare;
    }
    if (!memory_take(trace_svg_octets()))
        return reply_fail(r, FAIL_MEMORY, "a picture needs more memory than is left");
    s->trace = trace_svg_new(r->runner->ring, &wish);
    reply_begin(r, 200, "image/svg+xml; charset=utf-8", -1);
    return next_step(trace_svg_next);
}

struct next
trace_svg_begin(struct req *r)
{
    req_state_new(r, sizeof(struct svg_state));
    return trace_wait_slot(r, trace_svg_look);
}

void
trace_svg_cleanup(struct req *r)
{
    struct svg_state *s = r->state;

    if (s->trace != NULL)
        memory_give(trace_svg_octets());
    trace_svg_free(s->trace);
    trace_source_release(&s->source);
    trace_source_release(&s->compare);
}
