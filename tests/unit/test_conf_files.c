/* links: server/common/conf.c server/common/conf_table.c server/common/conf_read.c server/common/conf_value.c server/common/conf_text.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * What is committed in config/: the sample file and the list in the manual page are what the table
 * of settings prints, and the four configs are what they claim to be. Runs in the project's top
 * folder. With UPDATE=1 in the environment it writes the two files, in place of comparing them.
 */
#include "../lib/suite.h"

#include "common/buf.h"
#include "common/conf.h"
#include "common/conf_table.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE "config/interleave.conf.sample"
#define MANUAL "config/interleave.1"
#define CURE   "; write it by: UPDATE=1 and the path of this test program"

static bool
updates(void)
{
    const char *value = getenv("UPDATE");

    return value != NULL && strcmp(value, "1") == 0;
}

/* All of a file, NUL-terminated. */
static void
read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    size_t n;

    ck_assert_msg(f != NULL, "%s is missing%s", path, CURE);
    do {
        buf_reserve(out, BUFSIZ);
        n = fread(out->data + out->len, 1, BUFSIZ, f);
        out->len += n;
    } while (n > 0);
    fclose(f);
    buf_add_char(out, '\0');
    out->len--;
}

static void
write_file(const char *path, const struct buf *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text->data, 1, text->len, f), text->len);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(test_the_sample_file_is_what_the_table_prints)
{
    struct buf wanted = {0}, found = {0};

    conf_print_sample(&wanted);
    if (updates())
        write_file(SAMPLE, &wanted);
    read_file(SAMPLE, &found);
    ck_assert_msg(found.len == wanted.len && memcmp(found.data, wanted.data, wanted.len) == 0,
                  SAMPLE " is not what the table prints" CURE);
    buf_fini(&wanted);
    buf_fini(&found);
}
END_TEST

START_TEST(test_the_settings_of_the_manual_are_what_the_table_prints)
{
    struct buf wanted = {0}, found = {0}, fresh = {0};
    const char *begin, *end;

    conf_print_manual(&wanted);
    read_file(MANUAL, &found);
    begin = strstr(found.data, ".\\\" The settings begin");
    end = strstr(found.data, ".\\\" The settings end");
    ck_assert_msg(begin != NULL && end != NULL && begin < end, MANUAL " has lost its marks");
    begin = strchr(begin, '\n') + 1;
    if (updates()) {
        buf_add(&fresh, found.data, (size_t)(begin - found.data));
        buf_add(&fresh, wanted.data, wanted.len);
        buf_add_text(&fresh, end);
        write_file(MANUAL, &fresh);
    } else {
        ck_assert_msg((size_t)(end - begin) == wanted.len &&
                          memcmp(begin, wanted.data, wanted.len) == 0,
                      MANUAL " is not what the table prints" CURE);
    }
    buf_fini(&wanted);
    buf_fini(&found);
    buf_fini(&fresh);
}
END_TEST

START_TEST(test_the_sample_file_without_its_semicolons_is_all_defaults)
{
    struct conf_set *set = conf_new(), *defaults = conf_new();
    struct buf sample = {0}, errors = {0};
    struct conf_origin row;
    char path[64];
    unsigned n = 0;

    read_file(SAMPLE, &sample);
    for (char *p = sample.data; (p = strstr(p, "\n;")) != NULL; n++)
        p[1] = ' ';
    snprintf(path, sizeof(path), "/tmp/interleave-unit-%d.sample", (int)getpid());
    write_file(path, &sample);
    ck_assert_int_eq(conf_read_file(set, path, &errors), 0);
    unlink(path);
    ck_assert_mem_eq(conf_values(set), conf_values(defaults), sizeof(struct conf));
    for (unsigned i = 0; conf_row(set, i, &row); i++, n--)
        ck_assert_msg(strncmp(row.origin, path, strlen(path)) == 0, "%s is not in it", row.key);
    ck_assert_uint_eq(n, 0);
    buf_fini(&sample);
    buf_fini(&errors);
    conf_free(set);
    conf_free(defaults);
}
END_TEST

/* Row: a file, and what makes it what it is. */
static const struct {
    const char *path;
    int64_t workers, run, max_in_progress;
} configs[] = {
    {"config/one-at-a-time.conf", 0, RUN_LOOP, 1},
    {"config/single-loop-blocking.conf", 0, RUN_LOOP_BLOCKING, 0},
    {"config/single-loop.conf", 0, RUN_LOOP, 0},
    {"config/multi-worker.conf", CONF_AUTO, RUN_WORKERS, 0},
    {SAMPLE, CONF_AUTO, RUN_WORKERS, 0},
};

START_TEST(test_a_config_is_what_it_claims)
{
    struct conf_set *set = conf_new();
    struct buf errors = {0};
    struct conf_origin row;

    ck_assert_int_eq(conf_read_file(set, configs[_i].path, &errors), 0);
    ck_assert_int_eq(conf_check(set, &errors), 0);
    ck_assert_int_eq(conf_values(set)->workers, configs[_i].workers);
    ck_assert_int_eq(conf_values(set)->run, configs[_i].run);
    ck_assert_int_eq(conf_values(set)->max_in_progress, configs[_i].max_in_progress);
    ck_assert_int_eq(conf_values(set)->db_slow, 64);
    /* Nothing else is set, so that they differ in nothing else. */
    for (unsigned i = 0; conf_row(set, i, &row); i++)
        ck_assert_msg(strcmp(row.origin, "default") == 0 || strcmp(row.key, "workers") == 0 ||
                          strcmp(row.key, "run") == 0 || strcmp(row.key, "max_in_progress") == 0 ||
                          strcmp(row.key, "db_slow") == 0,
                      "%s sets %s", configs[_i].path, row.key);
    buf_fini(&errors);
    conf_free(set);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conf_files");
    TCase *tc = tcase_create("conf_files");

    tcase_add_test(tc, test_the_sample_file_is_what_the_table_prints);
    tcase_add_test(tc, test_the_settings_of_the_manual_are_what_the_table_prints);
    tcase_add_test(tc, test_the_sample_file_without_its_semicolons_is_all_defaults);
    tcase_add_loop_test(tc, test_a_config_is_what_it_claims, 0,
                        sizeof(configs) / sizeof(configs[0]));
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
