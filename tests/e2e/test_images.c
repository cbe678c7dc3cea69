/*
 * The three pictures of the README: what each is said to show is derived from the file that is
 * committed, from its spans and, apart from that, from its bars; then a fresh set is drawn.
 */
#include "e2e.h"
#include "suite.h"
#include "svg_reader.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a picture must show. */
struct claim {
    const char *name;
    unsigned requests, in_progress, running;
};
static const struct claim claims[] = {
    {"concurrency", 8, 8, 1},
    {"parallelism", 1, 2, 2},
    {"concurrency-with-parallelism", 8, 8, 2},
};
enum { PICTURES = 3 };

static char *
read_file(const char *path, size_t *len)
{
    enum { MOST = 1 << 22 };
    char *text = calloc(1, MOST);
    FILE *f = fopen(path, "r");

    ck_assert_msg(f != NULL, "%s is missing", path);
    *len = fread(text, 1, MOST - 1, f);
    fclose(f);
    return text;
}

static struct svg *
read_picture(const char *folder, const char *name)
{
    char path[256], *text;
    struct svg *svg;
    size_t len;

    snprintf(path, sizeof(path), "%s/%s.svg", folder, name);
    text = read_file(path, &len);
    svg = svg_read(text);
    free(text);
    return svg;
}

/* How many requests were there at one moment. */
static unsigned
requests_of(const struct svg *svg)
{
    return (unsigned)json_array_size(json_object_get(svg->meta, "requests"));
}

static void
check_claim(const struct svg *svg, const struct claim *c)
{
    const unsigned in_progress = svg_in_progress(svg), running = svg_running(svg);
    const double told = svg_number_of(svg, "in_progress_max");

    ck_assert_msg(svg_number_of(svg, "left_out") == 0, "%s is not whole", c->name);
    ck_assert_msg(requests_of(svg) == c->requests, "%s: %u requests", c->name, requests_of(svg));
    ck_assert_msg(in_progress >= c->in_progress, "%s: %u in progress", c->name, in_progress);
    ck_assert_msg(running == c->running, "%s: %u running", c->name, running);
    /* the end of a worker's task is known to the loop, which counts, a little later */
    ck_assert_msg(told >= in_progress && told <= in_progress + 2, "%s: %g are told, %u were there",
                  c->name, told, in_progress);
    ck_assert_msg(svg_number_of(svg, "running_max") == running, "%s: running_max", c->name);
    svg_check_bars(svg);
    ck_assert_msg(svg_running_bars(svg, NULL) == running, "%s: bars of %u CPUs at once", c->name,
                  svg_running_bars(svg, NULL));
}

START_TEST(test_each_committed_picture_shows_what_it_is_said_to_show)
{
    struct svg *svg = read_picture("images", claims[_i].name);

    check_claim(svg, &claims[_i]);
    svg_free(svg);
}
END_TEST

START_TEST(test_concurrency_is_one_cpu_that_alternates)
{
    struct svg *svg = read_picture("images", "concurrency");
    double busy[2];
    const unsigned switches = svg_switches(svg, 0, &busy[0]) + svg_switches(svg, 1, &busy[1]);

    ck_assert_msg(svg_in_progress(svg) == 8, "%u", svg_in_progress(svg));
    ck_assert_msg(busy[0] == 0 || busy[1] == 0, "both CPUs were used");
    ck_assert_msg(switches >= 10, "the computations took turns %u times", switches);
    ck_assert(svg_number_of(svg, "one_at_a_time_us") > 2 * svg_number_of(svg, "total_us"));
    svg_free(svg);
}
END_TEST

START_TEST(test_parallelism_takes_about_half_the_time)
{
    struct svg *svg = read_picture("images", "parallelism");
    const double total = svg_number_of(svg, "total_us") / 1000;
    double two_ms;

    svg_running_bars(svg, &two_ms);
    ck_assert_msg(two_ms > 0.7 * total, "two CPUs for %g of %g ms", two_ms, total);
    ck_assert_msg(total < 0.65 * svg_number_of(svg, "one_at_a_time_us") / 1000, "%g ms", total);
    svg_free(svg);
}
END_TEST

START_TEST(test_both_is_two_full_cpus_that_alternate)
{
    struct svg *svg = read_picture("images", "concurrency-with-parallelism");
    const double total = svg_number_of(svg, "total_us") / 1000;

    for (unsigned cpu = 0; cpu < 2; cpu++) {
        double busy_ms;
        const unsigned switches = svg_switches(svg, cpu, &busy_ms);

        ck_assert_msg(busy_ms > 0.8 * total, "CPU %u: %g of %g ms", cpu, busy_ms, total);
        ck_assert_msg(switches >= 10, "CPU %u alternated %u times", cpu, switches);
    }
    svg_free(svg);
}
END_TEST

START_TEST(test_all_three_have_the_same_time_axis_and_lanes)
{
    double axis[PICTURES];

    for (unsigned i = 0; i < PICTURES; i++) {
        struct svg *svg = read_picture("images", claims[i].name);

        axis[i] = svg_number_of(svg, "axis_us");
        ck_assert_uint_eq(json_array_size(json_object_get(svg->meta, "cpus")), 2);
        ck_assert(axis[i] == axis[0]);
        svg_free(svg);
    }
}
END_TEST

/* A PNG begins with 8 octets, then length and name of IHDR, width and height. */
START_TEST(test_each_picture_is_there_as_png_1200_wide)
{
    for (unsigned i = 0; i < PICTURES; i++) {
        char path[128];
        unsigned char *png;
        size_t len;

        snprintf(path, sizeof(path), "images/%s.png", claims[i].name);
        png = (unsigned char *)read_file(path, &len);
        ck_assert_msg(len > 10000 && memcmp(png, "\x89PNG\r\n\x1a\n", 8) == 0, "%s", path);
        ck_assert_uint_eq((unsigned)(png[18] << 8 | png[19]), 1200);
        free(png);
    }
}
END_TEST

/* images/draw writes it: the title, and the description up to its first request. */
START_TEST(test_alt_texts_of_the_readme_are_those_of_the_pictures)
{
    size_t len;
    char *readme = read_file("README.md", &len);

    for (unsigned i = 0; i < PICTURES; i++) {
        struct svg *svg = read_picture("images", claims[i].name);
        char *end = strstr(svg->desc, " Request 1,"), alt[1024];

        ck_assert_ptr_nonnull(end);
        snprintf(alt, sizeof(alt), "![%s. %.*s](images/%s.svg)", svg->title, (int)(end - svg->desc),
                 svg->desc, claims[i].name);
        ck_assert_msg(strstr(readme, alt) != NULL, "README.md lacks %s", alt);
        svg_free(svg);
    }
    free(readme);
}
END_TEST

START_TEST(test_a_fresh_set_shows_the_same)
{
    char folder[] = "/tmp/interleave-images-XXXXXX", command[1024];
    const unsigned pictures = usable_cpus() < 2 ? 1 : PICTURES;

    if (pictures < PICTURES)
        printf("SKIP: fresh pictures of parallelism: there is one CPU\n");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(command, sizeof(command),
             "TRIES=2 %s INTERLEAVE_BIN='%s' DATABASE_URL='%s' images/draw %s 2>&1",
             /* of a run of many seconds the trace keeps the end only */
             strstr(server_binary(), "/san/") != NULL
                 ? "PICTURE='w=400&h=300&iter=2000' PRIMES=200000000"
                 : "",
             server_binary(), database_url(), folder);
    ck_assert_int_eq(system(command), 0);
    for (unsigned i = 0; i < pictures; i++) {
        struct svg *svg = read_picture(folder, claims[i].name);

        check_claim(svg, &claims[i]);
        svg_free(svg);
    }
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_concurrency_is_one_cpu_that_alternates,
        test_parallelism_takes_about_half_the_time,
        test_both_is_two_full_cpus_that_alternate,
        test_all_three_have_the_same_time_axis_and_lanes,
        test_each_picture_is_there_as_png_1200_wide,
        test_alt_texts_of_the_readme_are_those_of_the_pictures,
        test_a_fresh_set_shows_the_same,
    };
    Suite *suite = suite_of("images", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0]));
    TCase *each = tcase_create("each");

    tcase_add_loop_test(each, test_each_committed_picture_shows_what_it_is_said_to_show, 0,
                        PICTURES);
    suite_add_tcase(suite, each);
    return suite_run_mode(suite, CK_NOFORK);
}
