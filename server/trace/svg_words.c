/*
 * svg_words: what a picture says in words, all of it from what was measured; see svg_inside.h.
 */
#include "trace/svg_inside.h"

#include "common/clock.h"

#include <stdio.h>
#include <string.h>

static uint64_t
total_of(const struct picture *p)
{
    return p->to - p->from;
}

static void
add_count(struct buf *b, unsigned count, const char *what)
{
    buf_addf(b, "%u %s%s", count, what, count == 1 ? "" : "s");
}

void
svg_add_facts(const struct trace_svg *t, struct buf *b)
{
    const uint64_t total = total_of(&t->picture);

    svg_add_ms(b, total);
    buf_add_text(b, t->wish.whole ? " ms in all" : " ms are shown");
    if (t->wish.compare != NULL && total > 0) {
        const uint64_t alone = total_of(&t->other);

        buf_add_text(b, ", one at a time ");
        svg_add_ms(b, alone);
        buf_addf(b, " ms (%.1f ×)", (double)alone / (double)total);
    }
    buf_addf(b, " · at most %u in progress, %u running", t->picture.in_progress_max,
             t->picture.running_max);
    if (t->wish.factor > 0 && t->wish.compare == NULL) /* else one number says it */
        buf_addf(b, " · factor %.1f", t->wish.factor);
}

/* ---- for those who don't see it ---- */

static void
describe_row(const struct trace_svg *t, struct buf *b, unsigned i)
{
    const struct picture *const p = &t->picture;
    const struct picture_row *const row = &p->rows[i];
    const char *path = picture_path(p, row);

    buf_addf(b, " Request %u, ", i + 1);
    svg_escape(b, path, strlen(path));
    buf_add_text(b, ", from ");
    svg_add_ms(b, row->start - p->from);
    buf_add_text(b, " to ");
    svg_add_ms(b, row->end - p->from);
    buf_add_text(b, " ms: ");
    svg_add_ms(b, row->cpu_ns);
    buf_add_text(b, " ms on a CPU");
    if (row->db_ns >= NS_PER_MS / 10) {
        buf_add_text(b, ", ");
        svg_add_ms(b, row->db_ns);
        buf_add_text(b, " ms waiting for the database");
    }
    if (row->queue_ns >= NS_PER_MS / 10) {
        buf_add_text(b, ", ");
        svg_add_ms(b, row->queue_ns);
        buf_add_text(b, " ms queued");
    }
    buf_add_char(b, '.');
}

static void
describe(const struct trace_svg *t, struct buf *b)
{
    enum { ROWS_TOLD = 12 };
    const struct picture *const p = &t->picture;
    unsigned used = 0;

    for (unsigned i = 0; i < p->ncpus; i++)
        used += p->cpu_used[i];
    buf_add_text(b, "Timeline of ");
    add_count(b, p->requests, "request");
    buf_add_text(b, " on ");
    add_count(b, used, "CPU");
    buf_add_text(b, ", ");
    svg_add_ms(b, total_of(p));
    buf_addf(b,
             " ms long. At most %u task%s in progress at one moment, and at most %u CPU%s running.",
             p->in_progress_max, p->in_progress_max == 1 ? " was" : "s were", p->running_max,
             p->running_max == 1 ? " was" : "s were");
    if (t->wish.compare != NULL) {
        buf_add_text(b, " One at a time, the same takes ");
        svg_add_ms(b, total_of(&t->other));
        buf_add_text(b, " ms.");
    }
    for (unsigned i = 0; i < p->nrows && i < ROWS_TOLD; i++)
        describe_row(t, b, i);
}

void
svg_add_head(struct trace_svg *t, struct buf *b)
{
    const char *title = t->wish.title != NULL ? t->wish.title : "What ran, and when";

    buf_add_text(b,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"800\" height=\"");
    svg_number(b, t->layout.height);
    buf_add_text(b, "\" viewBox=\"0 0 800 ");
    svg_number(b, t->layout.height);
    buf_add_text(b, "\" font-family=\"Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif\" "
                    "font-size=\"12\" fill=\"#222\">\n<title>");
    svg_escape(b, title, strlen(title));
    buf_add_text(b, "</title>\n<desc>");
    describe(t, b);
    buf_add_text(b, "</desc>\n");
    buf_add_text(b, "<defs><pattern id=\"queued\" width=\"5\" height=\"5\" "
                    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
                    "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"5\" stroke=\"#555\" "
                    "stroke-width=\"1.8\"/></pattern></defs>\n");
}

/* ---- what the marks mean: only of those that are there ---- */

/* Where the next mark may stand, after this text. */
static double
after(double x, const char *text)
{
    return x + 6.4 * (double)strlen(text) + 16;
}

void
svg_add_legend(struct trace_svg *t, struct buf *b, double y)
{
    static const char small[] = " font-size=\"11.5\" fill=\"" SVG_GREY "\"";
    static const struct {
        enum bar_kind kind;
        const char *text;
    } marks[] = {
        {BAR_BLOCK, "on a CPU"}, {BAR_WAIT, "waits for the database"}, {BAR_QUEUE, "queued"}};
    double x = 16;

    for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (!t->bars.seen[marks[i].kind])
            continue;
        svg_rect(b, x, y - 9, 22, 11, " fill=\"#eaeaea\"");
        if (marks[i].kind == BAR_WAIT)
            svg_line(b, x, y - 3.5, x + 22, y - 3.5, " stroke=\"#555\" stroke-width=\"2.4\"");
        else
            svg_rect(b, x, y - 9, 22, 11,
                     marks[i].kind == BAR_QUEUE ? " fill=\"url(#queued)\"" : " fill=\"#555\"");
        svg_text(b, x + 27, y, small, marks[i].text);
        x = after(x + 27, marks[i].text);
    }
    if (t->picture.nrows > 0) {
        svg_rect(b, x, y - 9, 22, 11, " fill=\"#eaeaea\"");
        svg_text(b, x + 27, y, small, "in progress");
        x = after(x + 27, "in progress");
    }
    if (t->bars.seen_loop) {
        svg_rect(b, x, y - 9, 22, 11, " fill=\"#bbb\"");
        svg_rect(b, x, y - 1, 22, 3, " fill=\"#000\"");
        svg_text(b, x + 27, y, small, "by the loop; without the edge: by a worker");
    }
}
