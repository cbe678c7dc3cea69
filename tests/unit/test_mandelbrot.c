/* links: workers/kernels/mandelbrot.c workers/kernels/png_bands.c tests/lib/kernel_drive.c tests/lib/png_reader.c server/common/clock.c */
/*
 * The picture of the Mandelbrot set is the same octets on any number of sections and workers and
 * on any CPU, shows what the definition says, and stops when nobody wants it.
 */
#include "../lib/kernel_drive.h"
#include "../lib/png_reader.h"
#include "../lib/suite.h"
#include "kernels/mandelbrot.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { W, H, ITER, OVERLAY, PARAMS };

static void
make(struct drive *d, const int64_t *params, unsigned sections)
{
    ck_assert_int_eq(drive_all(d, &kernel_mandelbrot, params, sections), 0);
}

START_TEST(test_the_file_is_the_same_for_any_sections_workers_and_order)
{
    static const int64_t params[PARAMS] = {161, 120, 300, 0};
    static const unsigned cuts[] = {1, 2, 3, 7, 64, 1000};
    struct drive one, d;

    make(&one, params, 1);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        make(&d, params, cuts[i]);
        ck_assert_uint_eq(d.len, one.len);
        ck_assert_mem_eq(d.body, one.body, one.len);
        drive_close(&d);

        ck_assert_int_eq(drive_open(&d, &kernel_mandelbrot, params, cuts[i]), 0);
        ck_assert_uint_eq(d.tasks, cuts[i] < 120 ? cuts[i] : 120);
        d.workers = 5;
        d.backwards = true;
        drive_stage(&d);
        ck_assert_int_gt(drive_next(&d), 0);
        drive_stage(&d);
        ck_assert_int_eq(drive_next(&d), 0);
        ck_assert_int_eq(drive_answer(&d), 0);
        ck_assert_uint_eq(d.len, one.len);
        ck_assert_mem_eq(d.body, one.body, one.len);
        drive_close(&d);
    }
    drive_close(&one);
}
END_TEST

static const int64_t shapes[][PARAMS] = {
    {16, 16, 16, 0},    {17, 33, 100, 0},   {4096, 16, 50, 0},  {16, 4096, 50, 0},
    {33, 17, 10000, 0}, {320, 200, 500, 0}, {320, 200, 500, 1},
};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

START_TEST(test_any_reader_gets_the_pixels_back)
{
    const int64_t *params = shapes[_i];
    struct png_image image;
    struct drive d;

    make(&d, params, 3);
    ck_assert_str_eq(png_read(&image, d.body, d.len), "");
    ck_assert_uint_eq(image.width, (unsigned)params[W]);
    ck_assert_uint_eq(image.height, (unsigned)params[H]);
    ck_assert_uint_eq(image.channels, 3);
    ck_assert_mem_eq(image.pixels, d.area, (size_t)(params[W] * params[H] * 3));
    png_image_free(&image);
    drive_close(&d);
}
END_TEST

/* The definition, point by point: does c stay within 256 of 0 for `iter` steps? */
static bool
is_inside(double cx, double cy, int64_t iter)
{
    double x = 0, y = 0;

    for (int64_t i = 0; i < iter; i++) {
        double xx = x * x, yy = y * y, xy = x * y;

        if (xx + yy > 65536.0)
            return false;
        x = xx - yy + cx;
        y = xy + xy + cy;
    }
    return true;
}

START_TEST(test_exactly_the_points_inside_are_black)
{
    static const int64_t all[][PARAMS] = {{160, 120, 16, 0}, {160, 120, 37, 0}, {160, 120, 500, 0}};
    const double scale = 3.2 / 160;
    struct drive d;

    make(&d, all[_i], 5);
    for (int y = 0; y < 120; y++) {
        for (int x = 0; x < 160; x++) {
            const unsigned char *p = d.area + (y * 160 + x) * 3;
            double cx = -0.6 + (x + 0.5 - 80) * scale;
            double cy = (60 - y - 0.5) * scale;

            ck_assert_msg(((p[0] | p[1] | p[2]) == 0) == is_inside(cx, cy, all[_i][ITER]),
                          "pixel %d, %d", x, y);
        }
    }
    drive_close(&d);
}
END_TEST

/* What a compiler or a CPU that rounds differently (fused multiply and add) would change first are
 * colours near the edge of the set. */
START_TEST(test_the_pixels_are_the_same_on_every_machine)
{
    static const int64_t params[PARAMS] = {400, 300, 2000, 0};
    struct drive d;

    make(&d, params, 1);
    ck_assert_uint_eq(crc32(0, d.area, 400 * 300 * 3), 2001575067);
    drive_close(&d);
}
END_TEST

START_TEST(test_neighbours_far_from_the_set_differ_little_in_colour)
{
    static const int64_t params[PARAMS] = {800, 600, 200, 0};
    struct drive d;

    make(&d, params, 1);
    for (size_t y = 0; y < 100; y++) {
        for (size_t i = y * 800 * 3 + 3; i < (y * 800 + 350) * 3; i++)
            ck_assert_int_le(abs(d.area[i] - d.area[i - 3]), 3);
    }
    drive_close(&d);
}
END_TEST

START_TEST(test_overlay_tints_each_section_by_its_worker)
{
    static const int64_t plain[PARAMS] = {64, 48, 100, 0};
    static const int64_t tinted[PARAMS] = {64, 48, 100, 1};
    enum { SECTION = 64 * 12 * 3 };
    struct drive a, b;

    make(&a, plain, 4);
    ck_assert_int_eq(drive_open(&b, &kernel_mandelbrot, tinted, 4), 0);
    b.workers = 2;
    drive_stage(&b);
    for (int s = 0; s < 4; s++)
        ck_assert_mem_ne(a.area + s * SECTION, b.area + s * SECTION, SECTION);
    /* the picture is symmetric: rows of sections 0 and 3 differ by the tint alone */
    ck_assert_mem_ne(b.area, b.area + (48 - 1) * 64 * 3, 64 * 3);
    ck_assert_mem_eq(a.area, a.area + (48 - 1) * 64 * 3, 64 * 3);
    drive_close(&a);
    drive_close(&b);
}
END_TEST

START_TEST(test_units_grow_as_the_work_does)
{
    static const int64_t small[PARAMS] = {400, 300, 1000, 0};
    static const int64_t wide[PARAMS] = {800, 600, 1000, 0};
    static const int64_t deep[PARAMS] = {400, 300, 4000, 0};

    ck_assert_double_eq_tol(kernel_mandelbrot.units(wide) / kernel_mandelbrot.units(small), 4,
                            0.01);
    ck_assert_double_gt(kernel_mandelbrot.units(deep) / kernel_mandelbrot.units(small), 2.5);
    ck_assert_double_lt(kernel_mandelbrot.units(deep) / kernel_mandelbrot.units(small), 4);
}
END_TEST

START_TEST(test_lies_about_bands_are_refused)
{
    static const int64_t params[PARAMS] = {320, 200, 50, 0};
    struct drive d;
    uint32_t length = UINT32_MAX;

    ck_assert_int_eq(drive_open(&d, &kernel_mandelbrot, params, 2), 0);
    drive_stage(&d);
    ck_assert_int_gt(drive_next(&d), 1);
    drive_stage(&d);
    memcpy(d.small[1].data, &length, sizeof(length));
    ck_assert_int_eq(drive_next(&d), -1);
    ck_assert_int_eq(drive_answer(&d), -1);
    drive_close(&d);
}
END_TEST

struct limit {
    unsigned ticks, most;
};

static bool
stop_at_limit(void *arg)
{
    struct limit *l = arg;

    return ++l->ticks == l->most;
}

START_TEST(test_a_section_ticks_often_and_stops_at_once_when_told)
{
    static const int64_t params[PARAMS] = {800, 600, 10000, 0};
    struct limit limit = {0, 50};
    struct drive d;

    ck_assert_int_eq(drive_open(&d, &kernel_mandelbrot, params, 1), 0);
    d.tick = stop_at_limit;
    d.tick_arg = &limit;
    drive_stage(&d);
    ck_assert_uint_eq(limit.ticks, 50);
    drive_close(&d);
}
END_TEST

/* A tick is at most 32 rounds of 16 steps on 32 points. */
START_TEST(test_a_section_ticks_at_least_once_in_16384_steps)
{
    static const int64_t params[PARAMS] = {100, 75, 5000, 0};
    struct limit limit = {0, 0};
    struct drive d;
    unsigned inside = 0;

    ck_assert_int_eq(drive_open(&d, &kernel_mandelbrot, params, 1), 0);
    d.tick = stop_at_limit;
    d.tick_arg = &limit;
    drive_stage(&d);
    for (size_t i = 0; i < 100 * 75; i++)
        inside += (d.area[3 * i] | d.area[3 * i + 1] | d.area[3 * i + 2]) == 0;
    ck_assert_uint_gt(inside, 1000);
    ck_assert_uint_ge(limit.ticks, inside * 5000 / 16384);
    drive_close(&d);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("mandelbrot");
    TCase *tc = tcase_create("mandelbrot");

    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_the_file_is_the_same_for_any_sections_workers_and_order);
    tcase_add_loop_test(tc, test_any_reader_gets_the_pixels_back, 0, SHAPES);
    tcase_add_loop_test(tc, test_exactly_the_points_inside_are_black, 0, 3);
    tcase_add_test(tc, test_the_pixels_are_the_same_on_every_machine);
    tcase_add_test(tc, test_neighbours_far_from_the_set_differ_little_in_colour);
    tcase_add_test(tc, test_overlay_tints_each_section_by_its_worker);
    tcase_add_test(tc, test_units_grow_as_the_work_does);
    tcase_add_test(tc, test_lies_about_bands_are_refused);
    tcase_add_test(tc, test_a_section_ticks_often_and_stops_at_once_when_told);
    tcase_add_test(tc, test_a_section_ticks_at_least_once_in_16384_steps);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
