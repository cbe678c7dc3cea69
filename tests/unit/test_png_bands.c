/* links: workers/kernels/png_bands.c tests/lib/png_reader.c */
/*
 * A PNG that was compressed in bands is one proper PNG: any reader gets the pixels back, whatever
 * the size of the picture, whatever is on it; results of bands that can't be right are refused.
 */
#include "../lib/png_reader.h"
#include "../lib/suite.h"
#include "kernels/png_bands.h"

#include <stdlib.h>
#include <string.h>

/* A picture as its bands are made, in this process. */
struct picture {
    struct png_layout layout;
    unsigned char *area;
    struct small *small;
    struct kernel_answer answer;
    unsigned ticks;
    unsigned ticks_most; /* then it is cancelled; 0: never */
};

static bool
count_tick(void *arg)
{
    struct picture *p = arg;

    return ++p->ticks == p->ticks_most;
}

static void
picture_open(struct picture *p, unsigned width, unsigned height, unsigned channels)
{
    *p = (struct picture){.layout = png_layout(width, height, channels)};
    p->area = calloc(1, p->layout.area_size);
    p->small = calloc(p->layout.bands, sizeof(*p->small));
    p->answer.pieces = calloc(KERNEL_PIECES_MAX, sizeof(*p->answer.pieces));
    p->answer.text_size = KERNEL_TEXT_LEAST;
    p->answer.text = malloc(p->answer.text_size);
}

static void
picture_close(struct picture *p)
{
    free(p->area);
    free(p->small);
    free(p->answer.pieces);
    free(p->answer.text);
}

static size_t
picture_octets(const struct picture *p)
{
    return p->layout.row * p->layout.height;
}

/* Nothing that could be compressed: the worst case for the slots. */
static void
picture_fill_with_noise(struct picture *p)
{
    uint64_t x = 88172645463325252ULL;

    for (size_t i = 0; i < picture_octets(p); i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        p->area[i] = (unsigned char)(x >> 32);
    }
}

static void
picture_fill_with_gradient(struct picture *p)
{
    for (size_t i = 0; i < picture_octets(p); i++)
        p->area[i] = (unsigned char)(i % p->layout.row / 3 + i / p->layout.row);
}

static void
encode_band(struct picture *p, unsigned band)
{
    struct task t = {
        .stage = 1,
        .index = band,
        .count = p->layout.bands,
        .area = p->area,
        .area_size = p->layout.area_size,
        .tick = count_tick,
        .tick_arg = p,
    };

    png_band_encode(&p->layout, &t);
    memcpy(p->small[band].data, t.small, t.small_len);
    p->small[band].len = t.small_len;
}

static struct kernel_job
as_job(const struct picture *p)
{
    return (struct kernel_job){
        .stage = 1,
        .tasks = p->layout.bands,
        .small = p->small,
        .area = p->area,
        .area_size = p->layout.area_size,
    };
}

/* The file, to be freed. */
static unsigned char *
picture_file(struct picture *p, size_t *len)
{
    struct kernel_job job = as_job(p);
    unsigned char *file;
    size_t at = 0;

    ck_assert_int_eq(png_bands_check(&p->layout, &job), 0);
    ck_assert_int_eq(png_bands_answer(&p->layout, &job, &p->answer), 0);
    *len = 0;
    for (unsigned i = 0; i < p->answer.count; i++)
        *len += p->answer.pieces[i].len;
    file = malloc(*len);
    for (unsigned i = 0; i < p->answer.count; i++) {
        memcpy(file + at, p->answer.pieces[i].data, p->answer.pieces[i].len);
        at += p->answer.pieces[i].len;
    }
    return file;
}

static void
check_reads_back(struct picture *p)
{
    struct png_image image;
    size_t len;
    unsigned char *file;

    for (unsigned band = p->layout.bands; band-- > 0;)
        encode_band(p, band);
    file = picture_file(p, &len);
    ck_assert_str_eq(png_read(&image, file, len), "");
    ck_assert_uint_eq(image.width, p->layout.width);
    ck_assert_uint_eq(image.height, p->layout.height);
    ck_assert_uint_eq(image.channels, p->layout.channels);
    ck_assert_mem_eq(image.pixels, p->area, picture_octets(p));
    png_image_free(&image);
    free(file);
}

static const unsigned sizes[][3] = {
    {1, 1, 3},     {16, 16, 3},   {17, 33, 1},  {17, 33, 4},     {800, 600, 3},  {4096, 16, 3},
    {16, 4096, 3}, {320, 200, 4}, {1365, 7, 3}, {1366, 1000, 3}, {4096, 300, 4},
};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

START_TEST(test_pictures_of_any_size_read_back_as_they_were)
{
    struct picture p;

    picture_open(&p, sizes[_i][0], sizes[_i][1], sizes[_i][2]);
    check_reads_back(&p); /* all black */
    picture_fill_with_gradient(&p);
    check_reads_back(&p);
    picture_close(&p);
}
END_TEST

START_TEST(test_noise_fits_into_its_slots_and_reads_back)
{
    struct picture p;

    picture_open(&p, sizes[_i][0], sizes[_i][1], sizes[_i][2]);
    picture_fill_with_noise(&p);
    check_reads_back(&p);
    picture_close(&p);
}
END_TEST

START_TEST(test_small_pictures_have_bands_for_several_workers_and_large_ones_are_bounded)
{
    struct png_layout small = png_layout(320, 200, 3);
    struct png_layout middle = png_layout(800, 600, 3);
    struct png_layout large = png_layout(4096, 4096, 4);

    ck_assert_uint_ge(small.bands, 4);
    ck_assert_uint_ge(middle.bands, 16);
    ck_assert_uint_le(middle.bands, 20);
    ck_assert_uint_ge(large.bands, 64);
    ck_assert_uint_le(large.row * large.band_rows, 1024 * 1024);
    ck_assert_uint_le(large.area_size, (size_t)2 * 4096 * 4096 * 4 + 1024 * 1024 * 16);
}
END_TEST

static bool
accepts(const struct picture *p, unsigned tasks, size_t area_size)
{
    struct kernel_job job = as_job(p);

    job.tasks = tasks;
    job.area_size = area_size;
    return png_bands_check(&p->layout, &job) == 0;
}

START_TEST(test_lengths_beyond_a_slot_are_refused)
{
    struct picture p;
    struct kernel_job job;
    uint32_t length;

    picture_open(&p, 800, 600, 3);
    for (unsigned band = 0; band < p.layout.bands; band++)
        encode_band(&p, band);
    ck_assert(accepts(&p, p.layout.bands, p.layout.area_size));
    ck_assert(!accepts(&p, p.layout.bands - 1, p.layout.area_size));
    ck_assert(!accepts(&p, p.layout.bands, p.layout.area_size - 1));
    length = (uint32_t)p.layout.slot;
    memcpy(p.small[3].data, &length, sizeof(length)); /* the length comes first */
    ck_assert(accepts(&p, p.layout.bands, p.layout.area_size));
    length++;
    memcpy(p.small[3].data, &length, sizeof(length));
    ck_assert(!accepts(&p, p.layout.bands, p.layout.area_size));
    job = as_job(&p);
    ck_assert_int_eq(png_bands_answer(&p.layout, &job, &p.answer), -1);
    encode_band(&p, 3);
    p.small[3].len--;
    ck_assert(!accepts(&p, p.layout.bands, p.layout.area_size));
    p.small[3].len = 0;
    ck_assert(!accepts(&p, p.layout.bands, p.layout.area_size));
    picture_close(&p);
}
END_TEST

START_TEST(test_an_answer_without_room_is_refused)
{
    struct picture p;
    struct kernel_job job;

    picture_open(&p, 800, 600, 3);
    for (unsigned band = 0; band < p.layout.bands; band++)
        encode_band(&p, band);
    job = as_job(&p);
    p.answer.text_size = 12 * p.layout.bands;
    ck_assert_int_eq(png_bands_answer(&p.layout, &job, &p.answer), -1);
    picture_close(&p);
}
END_TEST

START_TEST(test_a_band_ticks_each_row_and_a_cancelled_one_leaves_no_trace_in_the_next)
{
    struct picture p;

    picture_open(&p, 800, 600, 3);
    picture_fill_with_noise(&p);
    encode_band(&p, 2);
    ck_assert_uint_ge(p.ticks, p.layout.band_rows);
    p.ticks = 0;
    p.ticks_most = 5;
    encode_band(&p, 1);
    ck_assert_uint_eq(p.ticks, 5);
    ck_assert_uint_eq(p.small[1].len, 0);
    p.ticks_most = 0;
    check_reads_back(&p);
    picture_close(&p);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("png_bands");
    TCase *tc = tcase_create("png_bands");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_pictures_of_any_size_read_back_as_they_were, 0, SIZES);
    tcase_add_loop_test(tc, test_noise_fits_into_its_slots_and_reads_back, 0, SIZES);
    tcase_add_test(tc,
                   test_small_pictures_have_bands_for_several_workers_and_large_ones_are_bounded);
    tcase_add_test(tc, test_lengths_beyond_a_slot_are_refused);
    tcase_add_test(tc, test_an_answer_without_room_is_refused);
    tcase_add_test(tc, test_a_band_ticks_each_row_and_a_cancelled_one_leaves_no_trace_in_the_next);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
