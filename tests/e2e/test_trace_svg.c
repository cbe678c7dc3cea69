/*
 * /trace.svg of a running server: well-formed whatever it is asked, honest against the summary of a
 * burst, bounded under load, and a plain refusal where there is nothing to draw.
 */
#include "burst.h"
#include "suite.h"
#include "svg_reader.h"

#include <stdio.h>
#include <string.h>

static struct server *server;

static void
start(void)
{
    static const char *const options[] = {"workers=2", NULL};

    server = server_start(options);
    status_wait(server, "workers.alive", 2, 2);
}

static void
stop(void)
{
    server_stop(server);
}

static struct svg *
get_picture(const char *query)
{
    char target[2048];
    struct svg *svg;
    struct reply r;

    snprintf(target, sizeof(target), "/trace.svg?%s", query);
    r = http_get(server, target);
    ck_assert_msg(r.status == 200, "%s: %d %s", query, r.status, r.body);
    ck_assert_str_eq(reply_field(&r, "content-type"), "image/svg+xml; charset=utf-8");
    svg = svg_read(r.body);
    reply_free(&r);
    return svg;
}

static const char eight[] = "[{\"path\":\"/db/sleep?ms=40\",\"count\":4},"
                            "{\"path\":\"/work?wait_ms=0&cpu_ms=40\",\"count\":4}]";

START_TEST(test_counts_and_bars_of_a_burst_agree_with_its_summary)
{
    static const char *const queries[] = {"at_once=1&run=loop", "run=loop", "run=workers"};

    for (unsigned i = 0; i < 3; i++) {
        struct burst_result b = burst_run(server, queries[i], eight);
        char query[64];
        struct svg *svg;

        snprintf(query, sizeof(query), "burst=%s", json_text(b.summary, "burst"));
        svg = get_picture(query);
        ck_assert(svg_number_of(svg, "in_progress_max") == burst_number(&b, "in_progress_max"));
        ck_assert(svg_number_of(svg, "running_max") == burst_number(&b, "running_max"));
        ck_assert(svg_number_of(svg, "factor") == burst_number(&b, "factor"));
        ck_assert_uint_eq(svg_running(svg), (unsigned)burst_number(&b, "running_max"));
        ck_assert_uint_eq(json_array_size(json_object_get(svg->meta, "requests")), 8);
        svg_check_bars(svg);
        svg_free(svg);
        burst_free(&b);
    }
}
END_TEST

START_TEST(test_two_bursts_are_drawn_on_one_axis)
{
    struct burst_result alone = burst_run(server, "at_once=1&run=loop", eight),
                        both = burst_run(server, "run=workers", eight);
    char query[256];
    struct svg *svg;

    snprintf(query, sizeof(query), "burst=%s&compare=%s&axis_ms=2000&cpus=2&title=Both",
             json_text(both.summary, "burst"), json_text(alone.summary, "burst"));
    svg = get_picture(query);
    ck_assert_str_eq(svg->title, "Both");
    ck_assert(svg_number_of(svg, "axis_us") >= 2e6);
    ck_assert(svg_number_of(svg, "one_at_a_time_us") / 1000 >=
              burst_number(&alone, "wall_ms") - 0.1);
    ck_assert_uint_ge(json_array_size(json_object_get(svg->meta, "cpus")), 2);
    svg_free(svg);
    burst_free(&alone);
    burst_free(&both);
}
END_TEST

START_TEST(test_one_request_is_drawn_by_its_id)
{
    struct reply r = http_get(server, "/work?wait_ms=5&cpu_ms=5&sections=2");
    char query[128];
    struct svg *svg;

    snprintf(query, sizeof(query), "request=%s", reply_field(&r, "x-request-id"));
    svg = get_picture(query);
    ck_assert_uint_eq(json_array_size(json_object_get(svg->meta, "requests")), 1);
    ck_assert_ptr_nonnull(strstr(svg->desc, "/work"));
    svg_free(svg);
    reply_free(&r);
}
END_TEST

/* <script>&"'> and é, then octets that XML or UTF-8 do not have. */
START_TEST(test_texts_are_text_whatever_they_are)
{
    struct svg *svg = get_picture("seconds=1&title=%3Cscript%3E%26%22%27%3E+%C3%A9&"
                                  "note=%3C%2Fsvg%3E%01%FF%C0%EF%BF%BF%0Aend");

    ck_assert_str_eq(svg->title, "<script>&\"'> \xc3\xa9");
    ck_assert_ptr_null(strstr(svg->text, "<script"));
    ck_assert_ptr_nonnull(strstr(svg->text, "&lt;/svg&gt;\xef\xbf\xbd"));
    svg_free(svg);
}
END_TEST

START_TEST(test_what_is_asked_wrongly_is_refused)
{
    static const struct {
        const char *query, *problem;
        int status;
    } wrong[] = {
        {"seconds=0", "/problems/out-of-range", 400},
        {"seconds=61", "/problems/out-of-range", 400},
        {"axis_ms=0", "/problems/out-of-range", 400},
        {"axis_ms=600001", "/problems/out-of-range", 400},
        {"cpus=17", "/problems/out-of-range", 400},
        {"tilte=x", "/problems/out-of-range", 400},
        {"request=999999999", "/problems/not-found", 404},
        {"request=x", "/problems/not-found", 404},
        {"burst=999999999", "/problems/not-found", 404},
        {"burst=-1", "/problems/not-found", 404},
        {"seconds=1&compare=999999999", "/problems/not-found", 404},
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char target[128];
        json_t *problem;

        snprintf(target, sizeof(target), "/trace.svg?%s", wrong[i].query);
        problem = get_json(server, target, wrong[i].status);
        ck_assert_msg(strcmp(json_text(problem, "type"), wrong[i].problem) == 0, "%s: %s", target,
                      json_text(problem, "type"));
        json_decref(problem);
    }
}
END_TEST

START_TEST(test_texts_that_are_too_long_are_refused)
{
    char target[256] = "/trace.svg?title=";

    memset(target + strlen(target), 'x', 161);
    json_decref(get_json(server, target, 400));
    target[strlen(target) - 1] = '\0';
    svg_free(get_picture(target + strlen("/trace.svg?")));
}
END_TEST

/* Far more requests than a picture has rows, and more bars than it may have. */
START_TEST(test_a_picture_of_very_much_is_bounded_and_says_so)
{
    struct burst_result b = burst_run(
        server, NULL,
        "[{\"path\":\"/db\",\"count\":250},{\"path\":\"/work?wait_ms=1&cpu_ms=1\",\"count\":250}]");
    char query[64];
    struct svg *svg;

    snprintf(query, sizeof(query), "burst=%s", json_text(b.summary, "burst"));
    svg = get_picture(query);
    ck_assert_uint_le(svg->count, 2000);
    ck_assert_uint_eq(json_array_size(json_object_get(svg->meta, "requests")), 48);
    ck_assert_ptr_nonnull(strstr(svg->text, "the 48 of 500 requests that took longest"));
    ck_assert(svg_number_of(svg, "in_progress_max") == burst_number(&b, "in_progress_max"));
    svg_free(svg);
    burst_free(&b);
}
END_TEST

START_TEST(test_the_memory_of_a_picture_is_given_back)
{
    const double before = status_number(server, "memory.in_flight");

    svg_free(get_picture("seconds=1"));
    status_wait(server, "memory.in_flight", 0, before);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_counts_and_bars_of_a_burst_agree_with_its_summary,
        test_two_bursts_are_drawn_on_one_axis,
        test_one_request_is_drawn_by_its_id,
        test_texts_are_text_whatever_they_are,
        test_what_is_asked_wrongly_is_refused,
        test_texts_that_are_too_long_are_refused,
        test_a_picture_of_very_much_is_bounded_and_says_so,
        test_the_memory_of_a_picture_is_given_back,
    };

    return suite_run_mode(
        suite_of("trace svg", start, stop, tests, sizeof(tests) / sizeof(tests[0])), CK_NOFORK);
}
