/* links: server/trace/trace_svg.c server/trace/svg.c server/trace/svg_frame.c server/trace/svg_draw.c server/trace/svg_words.c server/trace/svg_meta.c server/trace/bars.c server/trace/picture.c server/trace/walk.c server/trace/edges.c server/trace/window.c server/common/course.c server/common/span.c server/common/span_sweep.c server/common/buf.c server/common/clock.c server/common/log.c tests/lib/svg_reader.c tests/lib/svg_claims.c */
/*
 * The picture of a trace: from spans that are known, exactly the bars and counts that they mean;
 * never too many bars; and well-formed whatever the texts are.
 */
#include "suite.h"
#include "svg_reader.h"

#include "common/clock.h"
#include "trace/bars.h"
#include "trace/trace_svg.h"

#include <math.h>
#include <string.h>

#define FROM  NS_PER_S /* time 0 of the picture */
#define MS(n) (FROM + (uint64_t)((n)*1e6))

static const char *
name_of_route(const void *arg, unsigned number)
{
    (void)arg;
    return number == 0 ? "/db/sleep" : "/a<b&c";
}

static struct trace_svg_wish
wish_of(double ms, const struct course *course)
{
    return (struct trace_svg_wish){
        .cut = {.from = FROM, .to = MS(ms), .route_name = name_of_route, .course = course},
        .whole = true};
}

static struct svg *
draw(struct span_ring *ring, const struct trace_svg_wish *wish)
{
    struct trace_svg *t = trace_svg_new(ring, wish);
    struct buf b = {0};
    struct svg *svg;

    while (trace_svg_more(t, &b))
        ;
    buf_add_char(&b, '\0');
    svg = svg_read(b.data);
    trace_svg_free(t);
    buf_fini(&b);
    return svg;
}

/* Request 1 waits in the database; 2 and 3 have worker 0 one after the other, on CPU 0, while the
 * loop works on CPU 1, in the middle for request 1. */
static struct span_ring *
make_ring(void)
{
    struct span_ring *ring = span_ring_new(1 << 20, true);

    span_add(ring, SPAN_LOOP, LANE_LOOP, 1, 0, MS(1.2), MS(1.8));
    span_add(ring, SPAN_TASK, LANE_WORKER, 2, 0, MS(1), MS(3));
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 2, 1, MS(0), MS(3.5));
    span_add(ring, SPAN_QUEUE, LANE_REQUEST, 3, 0, MS(0), MS(3));
    span_add(ring, SPAN_TASK, LANE_WORKER, 3, 0, MS(3), MS(5));
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 3, 1, MS(0), MS(6));
    span_add(ring, SPAN_QUERY, LANE_DB_SLOW, 1, 0, MS(2), MS(8));
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 1, 0, MS(0), MS(9));
    span_add(ring, SPAN_CPU, LANE_CPU, 0, 1, MS(1), MS(5));
    span_add(ring, SPAN_CPU, LANE_CPU + 1, 0, 0, MS(1), MS(2));
    return ring;
}

/* Is there a bar of this class from and to these ms, of this colour (NULL: any)? */
static bool
has_bar(const struct svg *svg, const char *class, double from, double to, const char *fill)
{
    const double unit = (svg_number_of(svg, "right") - svg_number_of(svg, "left")) /
                        (svg_number_of(svg, "axis_us") / 1000);
    const double left = svg_number_of(svg, "left");

    for (size_t i = 0; i < svg->count; i++) {
        const struct svg_bar *const bar = &svg->bars[i];

        if (strcmp(bar->class, class) == 0 && fabs(bar->x - (left + from * unit)) < 0.011 &&
            fabs(bar->x + bar->width - (left + to * unit)) < 0.021 &&
            (fill == NULL || strcmp(bar->fill, fill) == 0))
            return true;
    }
    return false;
}

START_TEST(test_bars_are_where_requests_had_cpus_and_waited)
{
    struct span_ring *ring = make_ring();
    struct trace_svg_wish wish = wish_of(10, NULL);
    struct svg *svg = draw(ring, &wish);

    ck_assert(has_bar(svg, "cpu0", 1, 3, "#E69F00"));
    ck_assert(has_bar(svg, "cpu0", 3, 5, "#CC79A7"));
    ck_assert(has_bar(svg, "cpu1", 1, 1.2, "#bbb"));
    ck_assert(has_bar(svg, "cpu1", 1.2, 1.8, "#56B4E9"));
    ck_assert(has_bar(svg, "cpu1", 1.8, 2, "#bbb"));
    ck_assert(has_bar(svg, "block1", 1.2, 1.8, NULL));
    ck_assert(has_bar(svg, "block2", 1, 3, NULL));
    ck_assert(has_bar(svg, "block3", 3, 5, NULL));
    ck_assert(has_bar(svg, "wait1", 2, 8, NULL));
    ck_assert(has_bar(svg, "queue3", 0, 3, NULL));
    ck_assert_uint_eq(svg->count, 10);
    svg_check_bars(svg);
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_counts_are_those_of_the_spans)
{
    struct span_ring *ring = make_ring();
    struct course *course = course_new(64);
    struct trace_svg_wish wish = wish_of(10, course);
    struct svg *svg;

    course_set(course, MS(0), 3);
    course_set(course, MS(3.5), 2);
    course_set(course, MS(6), 1);
    course_set(course, MS(9), 0);
    svg = draw(ring, &wish);
    ck_assert(svg_number_of(svg, "in_progress_max") == 3);
    ck_assert(svg_number_of(svg, "running_max") == 2);
    ck_assert_uint_eq(svg_in_progress(svg), 3);
    ck_assert_uint_eq(svg_running(svg), 2);
    ck_assert_uint_eq(svg_running_bars(svg, NULL), 2);
    ck_assert_ptr_nonnull(strstr(svg->text, "at most 3 in progress, 2 running"));
    /* the curve: three at first, then two from 3.5 of 10 ms on */
    ck_assert_ptr_nonnull(strstr(svg->text, "class=\"in-progress\""));
    ck_assert_ptr_nonnull(strstr(svg->desc, "At most 3 tasks were in progress"));
    ck_assert_ptr_nonnull(strstr(svg->desc, "Request 1, /db/sleep, from 0.0 to 9.0 ms: 0.6 ms on "
                                            "a CPU, 6.0 ms waiting for the database."));
    svg_free(svg);
    course_free(course);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_texts_are_escaped)
{
    struct span_ring *ring = make_ring();
    struct trace_svg_wish wish = wish_of(10, NULL);
    struct svg *svg;

    wish.title = "<&\">' \xc3\xa9 \xff \x01";
    wish.note = "]]></metadata>\nsecond line";
    svg = draw(ring, &wish);
    ck_assert_str_eq(svg->title, "<&\">' \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd");
    ck_assert_ptr_nonnull(strstr(svg->text, "]]&gt;&lt;/metadata&gt;"));
    ck_assert_ptr_nonnull(strstr(svg->text, ">second line</text>"));
    ck_assert_ptr_nonnull(strstr(svg->text, ">/a&lt;b&amp;c</text>"));
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_the_other_burst_is_the_strip_on_the_same_axis)
{
    struct span_ring *ring = make_ring();
    struct trace_svg_wish wish = wish_of(4, NULL);
    struct trace_cut other = wish_of(10, NULL).cut;
    struct svg *svg;

    wish.compare = &other;
    wish.axis_ns = 8 * NS_PER_MS;
    svg = draw(ring, &wish);
    ck_assert(svg_number_of(svg, "axis_us") == 10000);
    ck_assert(svg_number_of(svg, "one_at_a_time_us") == 10000);
    ck_assert(has_bar(svg, "alone", 2, 8, NULL));
    ck_assert(has_bar(svg, "alone", 3, 5, NULL));
    ck_assert_ptr_nonnull(strstr(svg->text, "one at a time 10.0 ms (2.5 \xc3\x97)"));
    svg_free(svg);
    wish.axis_ns = 40 * NS_PER_MS;
    svg = draw(ring, &wish);
    ck_assert(svg_number_of(svg, "axis_us") == 40000);
    ck_assert(has_bar(svg, "alone", 2, 8, NULL));
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

/* Turns of 2 us of two requests, in a picture in which half a pixel is 79 us. */
START_TEST(test_what_is_narrower_than_half_a_pixel_is_merged)
{
    struct span_ring *ring = span_ring_new(1 << 20, true);
    struct trace_svg_wish wish = wish_of(100, NULL);
    struct svg *svg;
    double busy_ms;

    for (unsigned i = 0; i < 3000; i++) {
        const uint64_t at = MS(1) + i * 2000ULL;

        span_add(ring, SPAN_TASK, LANE_WORKER + i % 2, 1 + i % 2, 0, at, at + 2000);
        span_add(ring, SPAN_CPU, LANE_CPU, 0, 1 + i % 2, at, at + 2000);
    }
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 1, 0, MS(0), MS(8));
    span_add(ring, SPAN_REQUEST, LANE_REQUEST, 2, 0, MS(0), MS(8));
    svg = draw(ring, &wish);
    svg_switches(svg, 0, &busy_ms);
    ck_assert_msg(busy_ms > 5.9 && busy_ms < 6.2, "%g", busy_ms);
    ck_assert_uint_lt(svg->count, 100);
    svg_check_bars(svg);
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

/* On each of eight CPUs more bars than half a pixel apart than one could count. */
START_TEST(test_there_are_never_too_many_bars)
{
    enum { CPUS = 8, EACH = 480 };
    struct span_ring *ring = span_ring_new(8 << 20, true);
    struct trace_svg_wish wish = wish_of(EACH, NULL);
    struct svg *svg;

    for (unsigned i = 0; i < EACH; i++)
        for (unsigned cpu = 0; cpu < CPUS; cpu++)
            span_add(ring, SPAN_CPU, LANE_CPU + cpu, 0, 1 + cpu, MS(i), MS(i + 0.4));
    svg = draw(ring, &wish);
    ck_assert_uint_le(svg->count, BARS_MAX);
    ck_assert(svg_number_of(svg, "grain_us") > 500);
    ck_assert(svg_number_of(svg, "running_max") == CPUS);
    svg_check_bars(svg);
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_those_that_took_longest_have_the_rows)
{
    struct span_ring *ring = span_ring_new(1 << 20, true);
    struct trace_svg_wish wish = wish_of(1000, NULL);
    struct svg *svg;
    json_t *rows;

    for (unsigned i = 1; i <= 100; i++)
        span_add(ring, SPAN_REQUEST, LANE_REQUEST, i, 0, MS(i), MS(i + (i == 7 ? 500 : i)));
    svg = draw(ring, &wish);
    rows = json_object_get(svg->meta, "requests");
    ck_assert_uint_eq(json_array_size(rows), PICTURE_ROWS);
    ck_assert_int_eq(json_integer_value(json_array_get(json_array_get(rows, 0), 0)), 7);
    ck_assert_int_eq(json_integer_value(json_array_get(json_array_get(rows, 1), 0)), 54);
    ck_assert_ptr_nonnull(strstr(svg->text, "the 48 of 100 requests that took longest"));
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

START_TEST(test_an_empty_trace_is_a_picture_too)
{
    struct span_ring *ring = span_ring_new(1 << 20, true);
    struct trace_svg_wish wish = wish_of(5, NULL);
    struct svg *svg;

    wish.cpus = 2;
    svg = draw(ring, &wish);
    ck_assert_uint_eq(svg->count, 0);
    ck_assert_uint_eq(json_array_size(json_object_get(svg->meta, "cpus")), 2);
    ck_assert_ptr_nonnull(strstr(svg->text, ">not used</text>"));
    svg_free(svg);
    span_ring_free(ring);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_bars_are_where_requests_had_cpus_and_waited,
        test_counts_are_those_of_the_spans,
        test_texts_are_escaped,
        test_the_other_burst_is_the_strip_on_the_same_axis,
        test_what_is_narrower_than_half_a_pixel_is_merged,
        test_there_are_never_too_many_bars,
        test_those_that_took_longest_have_the_rows,
        test_an_empty_trace_is_a_picture_too,
    };

    return suite_run(suite_of("trace svg", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
