/* links: server/common/conf.c server/common/conf_table.c server/common/conf_read.c server/common/conf_value.c server/common/conf_text.c server/common/conf_print.c server/common/cpus.c server/common/distance.c server/common/buf.c server/common/log.c server/common/clock.c tests/lib/conf_world.c */
/*
 * What is printed of the configuration can be read back, names no secret, and comes from a table
 * that is whole.
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

/* ---- what is printed ---- */

START_TEST(test_secrets_are_never_printed)
{
    static const char *const wrong[] = {"hunter2",
                                        "db_url",
                                        "postgres://me:hunter2@db/x",
                                        "postgres://me:hunter2@db/x?a=b",
                                        "db_url=hunter2://me:hunter2@db/x",
                                        "db_url=hunter2",
                                        "db_url=host=hunter2\n"};
    struct buf b = {0};
    char line[256];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(conf_read_option(w.set, wrong[i], &w.errors), 1);
        snprintf(line, sizeof(line), "db_url %s\n%s\n", wrong[i], wrong[i]);
        ck_assert_int_ge(confw_read(&w, line), 1);
    }
    ck_assert_ptr_null(strstr(confw_errors(&w) + strlen("-o hunter2"), "hunter2"));
    ck_assert_int_eq(conf_read_option(w.set, "db_url=postgres://me:hunter2@db/x", &w.errors), 0);
    ck_assert_str_eq(confw_row(&w, "db_url").value, "***");
    conf_print_settings(w.set, &b);
    buf_add_char(&b, '\0');
    ck_assert_ptr_null(strstr(b.data, "hunter2"));
    ck_assert_ptr_nonnull(strstr(b.data, "***"));
    buf_fini(&b);
}
END_TEST

START_TEST(test_the_listing_has_every_key_with_value_origin_and_sentence)
{
    struct buf b = {0};

    ck_assert_int_eq(conf_read_option(w.set, "port=82", &w.errors), 0);
    conf_print_settings(w.set, &b);
    buf_add_char(&b, '\0');
    ck_assert_ptr_nonnull(
        strstr(b.data, "port               = 82            # -o; The TCP port; 0 takes any"));
    for (const struct conf_key *key = conf_keys; key->name != NULL; key++)
        ck_assert_msg(strstr(b.data, key->name) != NULL && strstr(b.data, key->sentence) != NULL,
                      "%s", key->name);
    buf_fini(&b);
}
END_TEST

START_TEST(test_what_is_printed_can_be_read_back)
{
    static const char *const options[] = {
        "port=81",          "listen=127.0.0.1 [::1]",
        "server_names=a b", "demo=yes",
        "workers=3",        "worker_cpus=none",
        "run=loop",         "max_body=1000",
        "head_timeout=90s", "trace=no",
        "log_level=debug",  "max_memory=3GiB",
    };
    struct conf_set *again = conf_new();
    struct conf_origin row;
    struct buf b = {0};
    char option[2 * CONF_TEXT_MAX];

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        ck_assert_int_eq(conf_read_option(w.set, options[i], &w.errors), 0);
    for (unsigned i = 0; conf_row(w.set, i, &row); i++) {
        snprintf(option, sizeof(option), "%s=%s", row.key, row.value);
        ck_assert_msg(conf_read_option(again, option, &w.errors) == 0, "%s", option);
    }
    ck_assert_mem_eq(conf_values(again), conf_values(w.set), sizeof(struct conf));
    conf_free(again);
    again = w.set;
    conf_print_settings(w.set, &b);
    buf_add_char(&b, '\0');
    w.set = conf_new();
    ck_assert_msg(confw_read(&w, b.data) == 0, "%s", confw_errors(&w));
    ck_assert_mem_eq(conf_values(again), conf_values(w.set), sizeof(struct conf));
    conf_free(again);
    buf_fini(&b);
}
END_TEST

START_TEST(test_the_hash_sees_every_value_but_secrets)
{
    const uint64_t before = conf_hash(w.set);

    ck_assert_int_eq(conf_read_option(w.set, "db_url=postgres:///x", &w.errors), 0);
    ck_assert(conf_hash(w.set) == before);
    ck_assert_int_eq(conf_read_option(w.set, "log_level=debug", &w.errors), 0);
    ck_assert(conf_hash(w.set) != before);
    ck_assert_int_eq(conf_read_option(w.set, "log_level=info", &w.errors), 0);
    ck_assert(conf_hash(w.set) == before);
    ck_assert_int_eq(conf_read_option(w.set, "server_names=x", &w.errors), 0);
    ck_assert(conf_hash(w.set) != before);
}
END_TEST

/* ---- the table ---- */

START_TEST(test_every_row_of_the_table_is_whole_and_every_setting_has_one)
{
    size_t octets = 0;
    unsigned n = 0;

    for (const struct conf_key *key = conf_keys; key->name != NULL; key++, n++) {
        const size_t len = strlen(key->sentence);

        ck_assert_msg(len > 20 && key->sentence[len - 1] == '.', "%s", key->name);
        octets += key->kind == CONF_TEXT ? CONF_TEXT_MAX : sizeof(int64_t);
        ck_assert_ptr_nonnull(key->section);
        ck_assert_msg((key->kind == CONF_TEXT) == (key->form != NULL && key->is_right != NULL),
                      "%s", key->name);
        ck_assert_msg(key->kind != CONF_CHOICE || key->words != NULL, "%s", key->name);
        ck_assert_msg(conf_is_name(key->name, strlen(key->name)), "%s", key->name);
        for (const struct conf_key *other = conf_keys; other < key; other++)
            ck_assert_msg(strcmp(other->name, key->name) != 0 && other->offset != key->offset,
                          "%s and %s", other->name, key->name);
    }
    ck_assert_uint_eq(octets, sizeof(struct conf));
    for (unsigned i = 0; i < n; i++) /* what may change at HUP is all but the listening sockets */
        ck_assert_msg(conf_keys[i].reloadable == (strcmp(conf_keys[i].name, "listen") != 0 &&
                                                  strcmp(conf_keys[i].name, "port") != 0 &&
                                                  strcmp(conf_keys[i].name, "tls_port") != 0),
                      "%s", conf_keys[i].name);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("conf-print");
    TCase *tc = tcase_create("conf-print");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, test_secrets_are_never_printed);
    tcase_add_test(tc, test_the_listing_has_every_key_with_value_origin_and_sentence);
    tcase_add_test(tc, test_what_is_printed_can_be_read_back);
    tcase_add_test(tc, test_the_hash_sees_every_value_but_secrets);
    tcase_add_test(tc, test_every_row_of_the_table_is_whole_and_every_setting_has_one);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
