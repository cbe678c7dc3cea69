/*
 * svg: the few elements that our pictures are made of; see svg_inside.h. Colours and sizes are
 * presentation attributes, which a strict Content-Security-Policy lets pass.
 */
#include "trace/svg_inside.h"

#include "common/clock.h"

#include <math.h>
#include <string.h>

/* Okabe and Ito's colours: those who see fewer colours tell them apart, too. In an order in which
 * neighbours differ most, also every second one (bursts of two kinds alternate between them). */
static const struct {
    const char *fill, *text;
} colours[] = {
    {"#56B4E9", "#000"}, {"#E69F00", "#000"}, {"#CC79A7", "#000"}, {"#0072B2", "#fff"},
    {"#F0E442", "#000"}, {"#009E73", "#fff"}, {"#000000", "#fff"}, {"#D55E00", "#fff"},
};
enum { COLOURS = sizeof(colours) / sizeof(colours[0]) };

const char *
svg_colour(int row)
{
    return row < 0 ? "#bbb" : colours[row % COLOURS].fill;
}

const char *
svg_colour_on(int row)
{
    return row < 0 ? "#000" : colours[row % COLOURS].text;
}

double
svg_x(const struct trace_svg *t, uint64_t ns)
{
    return SVG_LEFT + (double)ns * (SVG_RIGHT - SVG_LEFT) / (double)t->layout.axis_ns;
}

/* Nothing that took time is too short to be seen. */
#define NARROWEST 0.4

double
svg_since(const struct trace_svg *t, const struct picture *p, uint64_t at)
{
    return svg_x(t, at > p->from ? at - p->from : 0);
}

double
svg_width(const struct trace_svg *t, const struct picture *p, uint64_t start, uint64_t end)
{
    const double width = svg_since(t, p, end) - svg_since(t, p, start);

    return width > NARROWEST ? width : NARROWEST;
}

void
svg_number(struct buf *b, double value)
{
    const long hundredths = lround(value * 100);
    const unsigned long n = (unsigned long)(hundredths < 0 ? -hundredths : hundredths);

    if (hundredths < 0)
        buf_add_char(b, '-');
    buf_add_u64(b, n / 100);
    if (n % 100 == 0)
        return;
    buf_add_char(b, '.');
    buf_add_char(b, (char)('0' + n / 10 % 10));
    if (n % 10 != 0)
        buf_add_char(b, (char)('0' + n % 10));
}

static void
add_attribute(struct buf *b, const char *name, double value)
{
    buf_add_text(b, name);
    svg_number(b, value);
    buf_add_char(b, '"');
}

void
svg_rect(struct buf *b, double x, double y, double width, double height, const char *attributes)
{
    add_attribute(b, "<rect x=\"", x);
    add_attribute(b, " y=\"", y);
    add_attribute(b, " width=\"", width);
    add_attribute(b, " height=\"", height);
    buf_add_text(b, attributes);
    buf_add_text(b, "/>\n");
}

void
svg_line(struct buf *b, double x1, double y1, double x2, double y2, const char *attributes)
{
    add_attribute(b, "<line x1=\"", x1);
    add_attribute(b, " y1=\"", y1);
    add_attribute(b, " x2=\"", x2);
    add_attribute(b, " y2=\"", y2);
    buf_add_text(b, attributes);
    buf_add_text(b, "/>\n");
}

void
svg_escape(struct buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        const size_t n = buf_utf8_sequence(text + i, len - i);
        const bool never = n == 3 && memcmp(text + i, "\xef\xbf", 2) == 0 &&
                           (unsigned char)text[i + 2] >= 0xbe; /* U+FFFE, U+FFFF */

        if (n == 0 || never || (c < 0x20 && c != '\t' && c != '\n')) {
            buf_add_text(b, "\xef\xbf\xbd");
            i += never ? n - 1 : 0;
            continue;
        }
        buf_add_html(b, text + i, n);
        i += n - 1;
    }
}

void
svg_text(struct buf *b, double x, double y, const char *attributes, const char *text)
{
    add_attribute(b, "<text x=\"", x);
    add_attribute(b, " y=\"", y);
    buf_add_text(b, attributes);
    buf_add_char(b, '>');
    svg_escape(b, text, strlen(text));
    buf_add_text(b, "</text>\n");
}

void
svg_add_ms(struct buf *b, uint64_t ns)
{
    const unsigned long long ms = (ns + NS_PER_MS / 2) / NS_PER_MS;

    if (ns < 100 * NS_PER_MS)
        buf_add_ms(b, ns);
    else if (ms < 1000)
        buf_addf(b, "%llu", ms);
    else
        buf_addf(b, "%llu,%03llu", ms / 1000, ms % 1000);
}

size_t
svg_wrap(const char **text, size_t columns, const char **line)
{
    const char *p = *text;
    size_t len = 0, space = 0, n;

    p += strspn(p, " ");
    *line = p;
    for (size_t column = 0; column <= columns && p[len] != '\0' && p[len] != '\n'; column++) {
        if (p[len] == ' ')
            space = len;
        n = buf_utf8_sequence(p + len, strlen(p + len));
        len += n > 0 ? n : 1;
        if (column == columns && space > 0)
            len = space;
    }
    *text = p + len + (p[len] == '\n');
    return len;
}
