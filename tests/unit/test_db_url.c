/* links: server/db/url.c server/common/log.c */
/*
 * What is taken out of db_url, and what must never be shown of it.
 */
#include "../lib/suite.h"
#include "db/url.h"

#include <stdlib.h>
#include <string.h>

static struct db_url url;
static char why[300];

static int
parse(const char *text)
{
    why[0] = '\0';
    return url_parse(&url, text, why, sizeof(why));
}

START_TEST(test_only_names_are_looked_up)
{
    static const struct {
        const char *text, *host, *numeric;
    } rows[] = {
        {"postgres://u:p@db.example.com/name", "db.example.com", NULL},
        {"postgresql://u@localhost:5433/name?sslmode=require", "localhost", NULL},
        {"host=db.example.com dbname=name", "db.example.com", NULL},
        {"postgres://u@127.0.0.1:5433/name", NULL, "127.0.0.1"},
        {"postgres://u@[::1]/name", NULL, "::1"},
        {"postgres://u@/name?host=/run/postgresql", NULL, NULL},
        {"postgres://u@%2Frun%2Fpostgresql/name", NULL, NULL},
        {"host=@abstract", NULL, NULL},
        {"postgres:///name", NULL, NULL},
        {"host=db.example.com hostaddr=127.0.0.1", NULL, NULL},
    };

    unsetenv("PGHOST");
    unsetenv("PGHOSTADDR");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_msg(parse(rows[i].text) == 0, "%s: %s", rows[i].text, why);
        ck_assert_pstr_eq(url.host, rows[i].host);
        ck_assert_pstr_eq(url.numeric, rows[i].numeric);
        url_free(&url);
    }
}
END_TEST

START_TEST(test_the_environment_may_name_the_host)
{
    setenv("PGHOST", "db.example.com", 1);
    ck_assert_int_eq(parse("postgres:///name"), 0);
    ck_assert_pstr_eq(url.host, "db.example.com");
    url_free(&url);
}
END_TEST

START_TEST(test_options_of_the_user_are_kept)
{
    PGconn *pg;

    ck_assert_int_eq(parse("host=/nonexistent options='-c work_mem=1MB' application_name=x"), 0);
    pg = url_connect(&url, NULL, 0, "-c search_path=interleave");
    ck_assert_str_eq(PQoptions(pg), "-c work_mem=1MB -c search_path=interleave");
    PQfinish(pg);
    url_free(&url);
}
END_TEST

START_TEST(test_our_settings_win_and_every_address_has_a_host)
{
    PQconninfoOption *all;
    PGconn *pg;

    ck_assert_int_eq(parse("postgres://u@localhost:1/name?application_name=x&gssencmode=prefer"),
                     0);
    pg = url_connect(&url, "127.0.0.1,127.0.0.2", 2, "");
    all = PQconninfo(pg);
    for (const PQconninfoOption *o = all; o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "application_name") == 0)
            ck_assert_str_eq(o->val, "interleave");
        if (strcmp(o->keyword, "gssencmode") == 0)
            ck_assert_str_eq(o->val, "disable");
        if (strcmp(o->keyword, "hostaddr") == 0)
            ck_assert_str_eq(o->val, "127.0.0.1,127.0.0.2");
        if (strcmp(o->keyword, "host") == 0)
            ck_assert_str_eq(o->val, "localhost,localhost");
    }
    PQconninfoFree(all);
    PQfinish(pg);
    url_free(&url);
}
END_TEST

START_TEST(test_what_may_hold_parts_of_a_password_is_refused_without_showing_it)
{
    static const char *const texts[] = {
        "postgres://u:x@s3cret@h/name",
        "postgres://u:s3cret/x@h/name",
        "postgres://u:1/s3cret@h",
        "host='s3cret",
        "s3cret",
        "postgres://h:s3cret",
        "postgres://u:p@h/name?s3cret",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ck_assert_msg(parse(texts[i]) == -1, "%s", texts[i]);
        ck_assert_ptr_null(strstr(why, "s3cret"));
        ck_assert_ptr_nonnull(strstr(why, "db_url"));
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("db_url");
    TCase *tc = tcase_create("db_url");

    tcase_add_test(tc, test_only_names_are_looked_up);
    tcase_add_test(tc, test_the_environment_may_name_the_host);
    tcase_add_test(tc, test_options_of_the_user_are_kept);
    tcase_add_test(tc, test_our_settings_win_and_every_address_has_a_host);
    tcase_add_test(tc, test_what_may_hold_parts_of_a_password_is_refused_without_showing_it);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
