/* links: server/common/conf.c server/common/conf_table.c server/common/conf_value.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The configuration: every mistake is named, in one run; what is printed can be read back; the
 * committed files are what the table says.
 */
#include "suite.h"

#include "common/buf.h"
#include "common/conf.h"
#include "common/conf_table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void
write_conf(const char *text)
{
    FILE *f;

    snprintf(path, sizeof(path), "/tmp/interleave-unit-%d", (int)getpid());
    f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

/* Reads a text as a file; the mistakes, NUL-terminated, in errors. */
static int
read_text(struct conf_set *set, const char *text, struct buf *errors)
{
    int n;

    write_conf(text);
    n = conf_read_file(set, path, errors);
    buf_add_char(errors, '\0');
    unlink(path);
    return n;
}

START_TEST(test_defaults_are_those_of_the_design)
{
    struct conf_set *set = conf_new();
    const struct conf *c = conf_values(set);

    ck_assert_int_eq(c->port, 8080);
    ck_assert_str_eq(c->listen, "127.0.0.1");
    ck_assert_int_eq(c->workers, CONF_AUTO);
    ck_assert_int_eq(c->max_target, 8192);
    ck_assert_int_eq(c->max_head, 32768);
    ck_assert_int_eq(c->max_body, 1 << 20);
    ck_assert_int_eq(c->max_picture, 64 << 20);
    ck_assert_int_eq(c->head_timeout, 10000);
    ck_assert_int_eq(c->idle_timeout, 60000);
    ck_assert_int_eq(c->db_suspect, 250);
    ck_assert_int_eq(c->trace_bytes, 8 << 20);
    conf_free(set);
}
END_TEST

START_TEST(test_units_are_understood)
{
    struct conf_set *set = conf_new();
    struct buf errors = {0};

    ck_assert_int_eq(read_text(set,
                               "[limits]\nmax_body = 2MiB\nmax_head=16KiB\n[time]\n"
                               "head_timeout = 250ms ; inline\nidle_timeout = 2m\n",
                               &errors),
                     0);
    ck_assert_int_eq(conf_values(set)->max_body, 2 << 20);
    ck_assert_int_eq(conf_values(set)->max_head, 16 << 10);
    ck_assert_int_eq(conf_values(set)->head_timeout, 250);
    ck_assert_int_eq(conf_values(set)->idle_timeout, 120000);
    buf_fini(&errors);
    conf_free(set);
}
END_TEST

START_TEST(test_every_mistake_is_named_with_its_line)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"prot = 1\n", ":1: prot is not a setting; did you mean port?"},
        {"\nport = 65536\n", ":2: port must be between 0 and 65535; it is 65536"},
        {"port = -1\n", "between 0 and 65535"},
        {"port = 80x\n", "must be a number"},
        {"port = 99999999999999999999\n", "must be a number"},
        {"port = 1\nport = 2\n", ":2: port stands there twice; the first time in line 1"},
        {"head_timeout = 10\n", "with ms, s or m"},
        {"head_timeout = 5ms\n", "between 10ms and 60m"},
        {"max_body = 2 parsecs\n", "KiB, MiB or GiB"},
        {"run = gpu\n", "one of workers, loop, loop-blocking; it is gpu"},
        {"workers = many\n", "between 0 and 256, or auto"},
        {"worker_cpus = 1-\n", "spread, none or a list"},
        {"loop_cpu = first\n", "any or the number of a CPU"},
        {"this is nonsense\n", "neither"},
        {"db_slow = 65\n", "between 0 and 64"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_set *set = conf_new();
        struct buf errors = {0};

        ck_assert_msg(read_text(set, cases[i].text, &errors) == 1, "%s", cases[i].text);
        ck_assert_msg(strstr(errors.data, cases[i].expected) != NULL, "%s: %s", cases[i].text,
                      errors.data);
        buf_fini(&errors);
        conf_free(set);
    }
}
END_TEST

START_TEST(test_a_line_that_would_be_cut_is_an_error)
{
    struct conf_set *set = conf_new();
    struct buf errors = {0};
    char text[600];

    memset(text, 'x', sizeof(text));
    memcpy(text, "listen = ", 9);
    snprintf(text + 500, 100, "\nport = 81\n");
    ck_assert_int_eq(read_text(set, text, &errors), 1);
    ck_assert_ptr_nonnull(strstr(errors.data, ":1: the line is longer"));
    ck_assert_int_eq(conf_values(set)->port, 81);
    buf_fini(&errors);
    conf_free(set);
}
END_TEST

START_TEST(test_options_win_over_the_file_and_say_where_they_came_from)
{
    struct conf_set *set = conf_new();
    struct buf errors = {0};
    struct conf_origin row;
    unsigned i = 0;

    ck_assert_int_eq(read_text(set, "port = 81\nworkers = 3\n", &errors), 0);
    ck_assert_int_eq(conf_read_option(set, "port=82", &errors), 0);
    ck_assert_int_eq(conf_read_option(set, "nonsense", &errors), 1);
    ck_assert_int_eq(conf_read_option(set, "wrokers=1", &errors), 1);
    ck_assert_int_eq(conf_values(set)->port, 82);
    for (; conf_row(set, i, &row); i++) {
        if (strcmp(row.key, "port") == 0)
            ck_assert_str_eq(row.origin, "-o");
        if (strcmp(row.key, "workers") == 0)
            ck_assert_ptr_nonnull(strstr(row.origin, ":2"));
        if (strcmp(row.key, "demo") == 0)
            ck_assert_str_eq(row.origin, "default");
        ck_assert_uint_gt(strlen(row.sentence), 10);
    }
    ck_assert_uint_gt(i, 30);
    buf_fini(&errors);
    conf_free(set);
}
END_TEST

START_TEST(test_secrets_are_never_printed)
{
    struct conf_set *set = conf_new();
    struct buf b = {0};

    ck_assert_int_eq(conf_read_option(set, "db_url=postgres://me:hunter2@db/x", &b), 0);
    conf_print_settings(set, &b);
    buf_add_char(&b, '\0');
    ck_assert_ptr_null(strstr(b.data, "hunter2"));
    ck_assert_ptr_nonnull(strstr(b.data, "***"));
    buf_fini(&b);
    conf_free(set);
}
END_TEST

START_TEST(test_what_is_printed_can_be_read_back)
{
    struct conf_set *set = conf_new(), *again = conf_new();
    struct buf b = {0}, errors = {0};

    conf_print_settings(set, &b);
    buf_add_char(&b, '\0');
    ck_assert_msg(read_text(again, b.data, &errors) == 0, "%s", errors.data);
    ck_assert(conf_hash(set) == conf_hash(again));
    ck_assert_int_eq(conf_read_option(again, "port=1", &errors), 0);
    ck_assert(conf_hash(set) != conf_hash(again));
    buf_fini(&b);
    buf_fini(&errors);
    conf_free(set);
    conf_free(again);
}
END_TEST

/* The committed file against what the table prints; UPDATE=1 in the environment writes it. */
static void
check_file(const char *name, const struct buf *wanted)
{
    char text[65536];
    size_t n;
    FILE *f;

    if (getenv("UPDATE") != NULL) {
        f = fopen(name, "w");
        ck_assert_ptr_nonnull(f);
        fwrite(wanted->data, 1, wanted->len, f);
        fclose(f);
    }
    f = fopen(name, "r");
    ck_assert_msg(f != NULL, "%s is missing", name);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    ck_assert_msg(n >= wanted->len && memmem(text, n, wanted->data, wanted->len) != NULL,
                  "%s is not what the table prints; run this test with UPDATE=1", name);
}

START_TEST(test_the_sample_file_is_what_the_table_says)
{
    struct buf b = {0};

    conf_print_sample(&b);
    check_file("config/interleave.conf.sample", &b);
    buf_fini(&b);
}
END_TEST

START_TEST(test_the_four_configs_are_what_they_claim)
{
    static const struct {
        const char *path;
        int64_t workers, run, max_in_progress;
    } cases[] = {
        {"config/one-at-a-time.conf", 0, RUN_LOOP, 1},
        {"config/single-loop-blocking.conf", 0, RUN_LOOP_BLOCKING, 0},
        {"config/single-loop.conf", 0, RUN_LOOP, 0},
        {"config/multi-worker.conf", CONF_AUTO, RUN_WORKERS, 0},
        {"config/interleave.conf.sample", CONF_AUTO, RUN_WORKERS, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf_set *set = conf_new();
        struct buf errors = {0};

        ck_assert_int_eq(conf_read_file(set, cases[i].path, &errors), 0);
        ck_assert_int_eq(conf_check(set, &errors), 0);
        ck_assert_int_eq(conf_values(set)->workers, cases[i].workers);
        ck_assert_int_eq(conf_values(set)->run, cases[i].run);
        ck_assert_int_eq(conf_values(set)->max_in_progress, cases[i].max_in_progress);
        ck_assert_int_eq(conf_values(set)->db_slow, 64);
        buf_fini(&errors);
        conf_free(set);
    }
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_defaults_are_those_of_the_design,
        test_units_are_understood,
        test_every_mistake_is_named_with_its_line,
        test_a_line_that_would_be_cut_is_an_error,
        test_options_win_over_the_file_and_say_where_they_came_from,
        test_secrets_are_never_printed,
        test_what_is_printed_can_be_read_back,
        test_the_sample_file_is_what_the_table_says,
        test_the_four_configs_are_what_they_claim,
    };

    return suite_run(suite_of("conf", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
