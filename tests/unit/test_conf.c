/* links: server/common/conf.c server/common/conf_table.c server/common/conf_read.c server/common/conf_value.c server/common/conf_text.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c tests/lib/conf_world.c */
/*
 * The configuration: what a setting means, what a file may look like, and which place wins.
 * Mistakes: test_conf_mistakes.c; what is printed: test_conf_print.c; what is committed in config/:
 * test_conf_files.c.
 */
#include "conf_world.h"
#include "suite.h"

#include "common/conf_table.h"

#include <stdio.h>
#include <string.h>

static struct conf_world w;

static void
set_up(void)
{
    confw_open(&w);
}

static void
tear_down(void)
{
    confw_close(&w);
}

/* ---- values ---- */

START_TEST(test_defaults_are_those_of_the_design)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"listen", "127.0.0.1"},  {"port", "8080"},           {"demo", "auto"},
        {"server_names", ""},     {"workers", "auto"},        {"worker_cpus", "spread"},
        {"loop_cpu", "any"},      {"run", "workers"},         {"max_in_progress", "0"},
        {"max_target", "8KiB"},   {"max_head", "32KiB"},      {"max_fields", "100"},
        {"max_body", "1MiB"},     {"max_picture", "64MiB"},   {"max_memory", "1GiB"},
        {"head_timeout", "10s"},  {"body_timeout", "30s"},    {"idle_timeout", "60s"},
        {"write_timeout", "30s"}, {"drain_timeout", "15s"},   {"job_timeout", "60s"},
        {"db_url", ""},           {"db_fast", "2"},           {"db_write", "8"},
        {"db_slow", "64"},        {"db_sync", "turn"},        {"db_fast_queue", "16384"},
        {"db_fast_wait", "2s"},   {"db_write_queue", "1024"}, {"db_write_wait", "10s"},
        {"db_slow_queue", "512"}, {"db_slow_wait", "30s"},    {"db_suspect", "250ms"},
        {"db_answer", "2s"},      {"trace", "yes"},           {"trace_bytes", "8MiB"},
        {"log_level", "info"},    {"tls_port", "8443"},       {"tls_certificate", ""},
        {"tls_key", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_str_eq(confw_row(&w, rows[i].key).value, rows[i].value);
        ck_assert_str_eq(confw_row(&w, rows[i].key).origin, "default");
    }
    ck_assert_int_eq(conf_values(w.set)->workers, CONF_AUTO);
    ck_assert_int_eq(conf_values(w.set)->max_body, 1 << 20);
    ck_assert_int_eq(conf_values(w.set)->head_timeout, 10000);
    ck_assert_int_eq(conf_check(w.set, &w.errors), 0);
}
END_TEST

/* Row: a value as written, and how it is shown. */
static const struct {
    const char *option, *key, *shown;
    int64_t value;
    size_t offset;
} values[] = {
    {"max_body=0", "max_body", "0", 0, offsetof(struct conf, max_body)},
    {"max_body=1000", "max_body", "1000", 1000, offsetof(struct conf, max_body)},
    {"max_body=2048", "max_body", "2KiB", 2048, offsetof(struct conf, max_body)},
    {"max_body=3k", "max_body", "3KiB", 3072, offsetof(struct conf, max_body)},
    {"max_body=3K", "max_body", "3KiB", 3072, offsetof(struct conf, max_body)},
    {"max_body=3M", "max_body", "3MiB", 3 << 20, offsetof(struct conf, max_body)},
    {"max_body=1G", "max_body", "1GiB", 1 << 30, offsetof(struct conf, max_body)},
    {"max_body=1024MiB", "max_body", "1GiB", 1 << 30, offsetof(struct conf, max_body)},
    {"max_body=8 KiB", "max_body", "8KiB", 8192, offsetof(struct conf, max_body)},
    {"max_body=8B", "max_body", "8", 8, offsetof(struct conf, max_body)},
    {"max_memory=1TiB", "max_memory", "1TiB", 1LL << 40, offsetof(struct conf, max_memory)},
    {"job_timeout=200ms", "job_timeout", "200ms", 200, offsetof(struct conf, job_timeout)},
    {"job_timeout=1500ms", "job_timeout", "1500ms", 1500, offsetof(struct conf, job_timeout)},
    {"job_timeout=5000ms", "job_timeout", "5s", 5000, offsetof(struct conf, job_timeout)},
    {"job_timeout=2m", "job_timeout", "120s", 120000, offsetof(struct conf, job_timeout)},
    {"job_timeout=60m", "job_timeout", "1h", 3600000, offsetof(struct conf, job_timeout)},
    {"workers=auto", "workers", "auto", CONF_AUTO, offsetof(struct conf, workers)},
    {"workers=256", "workers", "256", 256, offsetof(struct conf, workers)},
    {"port=0", "port", "0", 0, offsetof(struct conf, port)},
    {"port=0081", "port", "81", 81, offsetof(struct conf, port)},
    {"run=loop-blocking", "run", "loop-blocking", RUN_LOOP_BLOCKING, offsetof(struct conf, run)},
    {"demo=no", "demo", "no", DEMO_NO, offsetof(struct conf, demo)},
    {"trace=no", "trace", "no", 0, offsetof(struct conf, trace)},
    {"trace=yes", "trace", "yes", 1, offsetof(struct conf, trace)},
    {"db_sync=query", "db_sync", "query", SYNC_QUERY, offsetof(struct conf, db_sync)},
};

START_TEST(test_a_value_means_what_is_written)
{
    const int64_t *place;

    if (conf_read_option(w.set, values[_i].option, &w.errors) != 0)
        ck_abort_msg("%s", confw_errors(&w));
    place = (const void *)((const char *)conf_values(w.set) + values[_i].offset);
    ck_assert_int_eq(*place, values[_i].value);
    ck_assert_str_eq(confw_row(&w, values[_i].key).value, values[_i].shown);
}
END_TEST

/* Row: a text as written, and what is kept of it. */
static const struct {
    const char *option, *kept;
    size_t offset;
} texts[] = {
    {"listen=::1", "::1", offsetof(struct conf, listen)},
    {"listen= 127.0.0.1\t [::1]  localhost ", "127.0.0.1 [::1] localhost",
     offsetof(struct conf, listen)},
    {"server_names=", "", offsetof(struct conf, server_names)},
    {"server_names=lab.example  my-host", "lab.example my-host",
     offsetof(struct conf, server_names)},
    {"worker_cpus=none", "none", offsetof(struct conf, worker_cpus)},
    {"worker_cpus=0,2-3", "0,2-3", offsetof(struct conf, worker_cpus)},
    {"loop_cpu=any", "any", offsetof(struct conf, loop_cpu)},
    {"loop_cpu=12", "12", offsetof(struct conf, loop_cpu)},
    {"db_url=", "", offsetof(struct conf, db_url)},
    {"db_url=postgres://me:a;b#c@db/x?sslmode=require", "postgres://me:a;b#c@db/x?sslmode=require",
     offsetof(struct conf, db_url)},
    {"db_url=postgresql:///x", "postgresql:///x", offsetof(struct conf, db_url)},
    {"db_url= host=/run  password='a  ;b' ", "host=/run  password='a  ;b'",
     offsetof(struct conf, db_url)},
};

START_TEST(test_a_text_is_kept_with_one_blank_between_words_but_a_secret_as_it_is)
{
    if (conf_read_option(w.set, texts[_i].option, &w.errors) != 0)
        ck_abort_msg("%s", confw_errors(&w));
    ck_assert_str_eq((const char *)conf_values(w.set) + texts[_i].offset, texts[_i].kept);
}
END_TEST

START_TEST(test_both_ends_of_every_range_are_taken_and_what_is_beyond_is_not)
{
    char option[64];
    unsigned numbers = 0;

    for (const struct conf_key *key = conf_keys; key->name != NULL; key++) {
        const char *unit = key->kind == CONF_DURATION ? "ms" : "";

        if (key->kind == CONF_TEXT || key->kind == CONF_CHOICE)
            continue;
        for (int end = 0; end < 2; end++) {
            const int64_t edge = end == 0 ? key->min : key->max;

            snprintf(option, sizeof(option), "%s=%lld%s", key->name, (long long)edge, unit);
            ck_assert_msg(conf_read_option(w.set, option, &w.errors) == 0, "%s", option);
            snprintf(option, sizeof(option), "%s=%lld%s", key->name,
                     (long long)(end == 0 ? edge - 1 : edge + 1), unit);
            ck_assert_msg(conf_read_option(w.set, option, &w.errors) == 1, "%s", option);
        }
        numbers++;
    }
    ck_assert_uint_gt(numbers, 25);
}
END_TEST

/* ---- the form of a file ---- */

START_TEST(test_comments_blanks_and_headings_are_for_people)
{
    ck_assert_msg(confw_read(&w, "\xef\xbb\xbf# a file of an editor that marks its files\r\n"
                                 "; another comment\r\n"
                                 "   port   =   81   ; the port\r\n"
                                 "\t[limits] # a heading\r\n"
                                 "max_body=2MiB # much\r\n"
                                 "    max_head=16KiB\r\n"
                                 "\r\n"
                                 "[time]\r\n"
                                 "head_timeout = 250ms\t#comment\r\n"
                                 "[listening]\r\n"
                                 "server_names =\r\n"
                                 "listen = ::1") == 0,
                  "%s", confw_errors(&w));
    ck_assert_int_eq(conf_values(w.set)->port, 81);
    ck_assert_int_eq(conf_values(w.set)->max_body, 2 << 20);
    ck_assert_int_eq(conf_values(w.set)->max_head, 16 << 10);
    ck_assert_int_eq(conf_values(w.set)->head_timeout, 250);
    ck_assert_str_eq(conf_values(w.set)->listen, "::1");
    ck_assert_int_eq(confw_read(&w, ""), 0);
    ck_assert_uint_eq(w.errors.len, 0);
}
END_TEST

START_TEST(test_a_sign_of_comment_inside_a_word_is_part_of_the_value)
{
    ck_assert_int_eq(confw_read(&w, "db_url = postgres://me:a;b#c@db/x ; here\n"), 0);
    ck_assert_str_eq(conf_values(w.set)->db_url, "postgres://me:a;b#c@db/x");
}
END_TEST

START_TEST(test_a_line_is_read_whole_or_refused)
{
    char text[600];
    int last = 0, n;

    /* inih's buffer decides, not we: at some length it goes over from whole to refused. */
    for (n = 100; n < 300; n++) {
        struct conf_set *fresh = conf_new();
        FILE *f = fopen(w.path, "w");

        snprintf(text, sizeof(text), "db_url = postgres://%0*d\nport = 81\n", n, 7);
        fputs(text, f);
        fclose(f);
        if (conf_read_file(fresh, w.path, &w.errors) == 0) {
            ck_assert_uint_eq(strlen(conf_values(fresh)->db_url), (size_t)n + 11);
            ck_assert_int_eq(conf_values(fresh)->db_url[n + 10], '7');
            ck_assert_int_eq(last, 0);
        } else {
            ck_assert_str_eq(conf_values(fresh)->db_url, "");
            last = last > 0 ? last : n;
        }
        ck_assert_int_eq(conf_values(fresh)->port, 81);
        conf_free(fresh);
    }
    ck_assert_int_eq(last + (int)strlen("db_url = postgres://"), 199);
    confw_expect(&w, ":1: this line is longer than 198 octets\n");
    ck_assert_int_eq(confw_read(&w, "port = 82 # a very long comment ........................."
                                    "......................................................"
                                    "......................................................"
                                    "...................................................... \n"),
                     0);
}
END_TEST

/* ---- options, origins ---- */

START_TEST(test_options_win_over_the_file_and_say_where_they_came_from)
{
    char origin[128];

    ck_assert_int_eq(confw_read(&w, "port = 81\nworkers = 3\n"), 0);
    ck_assert_int_eq(conf_read_option(w.set, "port=82", &w.errors), 0);
    ck_assert_int_eq(conf_read_option(w.set, "port=83", &w.errors), 0);
    ck_assert_int_eq(conf_values(w.set)->port, 83);
    ck_assert_str_eq(confw_row(&w, "port").origin, "-o");
    snprintf(origin, sizeof(origin), "%s:2", w.path);
    ck_assert_str_eq(confw_row(&w, "workers").origin, origin);
    ck_assert_str_eq(confw_row(&w, "demo").origin, "default");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tc = tcase_create("conf");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_defaults_are_those_of_the_design);
    tcase_add_loop_test(tc, test_a_value_means_what_is_written, 0,
                        sizeof(values) / sizeof(values[0]));
    tcase_add_loop_test(tc, test_a_text_is_kept_with_one_blank_between_words_but_a_secret_as_it_is,
                        0, sizeof(texts) / sizeof(texts[0]));
    tcase_add_test(tc, test_both_ends_of_every_range_are_taken_and_what_is_beyond_is_not);
    tcase_add_test(tc, test_comments_blanks_and_headings_are_for_people);
    tcase_add_test(tc, test_a_sign_of_comment_inside_a_word_is_part_of_the_value);
    tcase_add_test(tc, test_a_line_is_read_whole_or_refused);
    tcase_add_test(tc, test_options_win_over_the_file_and_say_where_they_came_from);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
