/* links: server/request/params.c server/common/arena.c server/common/buf.c server/common/distance.c server/common/log.c server/common/clock.c */
/*
 * Query strings: what is taken, what is refused, and that a refusal names each mistake with the
 * range it breaks.
 */
#include "suite.h"

#include "request/params.h"
#include "request/req.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

static const char *const colours[] = {"red", "green", "blue", NULL};

enum { MS, SECTIONS, COLOUR, TITLE, BIG };

static const struct param table[] = {
    [MS] = {"ms", PARAM_INT, 0, 10000, 500, NULL, NULL, "ms", "How long."},
    [SECTIONS] = {"sections", PARAM_INT, 1, 64, PARAM_AUTO, "auto", NULL, NULL, "How many."},
    [COLOUR] = {"colour", PARAM_CHOICE, 0, 0, 1, NULL, colours, NULL, "Which."},
    [TITLE] = {"title", PARAM_TEXT, 0, 8, 0, NULL, NULL, NULL, "What."},
    [BIG] = {"big", PARAM_INT, -5, 900000000000000000, 7, NULL, NULL, NULL, "How much."},
    {.name = NULL},
};
static const struct route route = {.path = "/x", .params = table};
static const struct route plain = {.path = "/y"};
static const struct route lenient = {.path = "/z", .params = table, .flags = ROUTE_LENIENT};

static struct req r;
static struct http_head head;

static void
set_up(void)
{
    arena_init(&r.arena);
    r.head = &head;
    r.route = &route;
}

static void
tear_down(void)
{
    arena_reset(&r.arena);
}

/* The query lies in memory of exactly its length: reading beyond is seen. */
static int
read_octets(const char *query, size_t len)
{
    char *octets = malloc(len > 0 ? len : 1);
    int result;

    memcpy(octets, query, len);
    head.query = (struct slice_text){octets, len};
    result = params_read(&r);
    free(octets);
    return result;
}

static int
read_query(const char *query)
{
    return read_octets(query, strlen(query));
}

/* ---- what is taken ---- */

static const struct {
    const char *query;
    unsigned param;
    int64_t value;
} taken[] = {
    {"", MS, 500},
    {"", SECTIONS, PARAM_AUTO},
    {"", COLOUR, 1},
    {"", BIG, 7},
    {"ms=0", MS, 0},
    {"ms=10000", MS, 10000},
    {"ms=007", MS, 7},
    {"ms=1&sections=2", SECTIONS, 2},
    {"sections=64", SECTIONS, 64},
    {"sections=auto", SECTIONS, PARAM_AUTO},
    {"colour=red", COLOUR, 0},
    {"colour=blue", COLOUR, 2},
    {"big=-5", BIG, -5},
    {"big=900000000000000000", BIG, 900000000000000000},
    {"%6ds=%31%32", MS, 12},
    {"%6Ds=1%332", MS, 132},
    {"&&ms=3&&", MS, 3},
    {"_=1&ms=4&_=ms&_", MS, 4},
};

START_TEST(test_a_value_is_decoded_and_taken_and_what_is_absent_has_its_default)
{
    ck_assert_msg(read_query(taken[_i].query) == 0, "%s: %s", taken[_i].query, r.why);
    ck_assert_int_eq(r.params[taken[_i].param], taken[_i].value);
    ck_assert_int_eq(r.failed, FAIL_NONE);
}
END_TEST

START_TEST(test_a_text_is_decoded_and_outlives_the_octets_it_came_in)
{
    ck_assert_int_eq(read_query("ms=1"), 0);
    ck_assert_ptr_null(r.texts[TITLE]);
    ck_assert_int_eq(read_query("title=a+b%2B%26%3d%C3%a4"), 0);
    ck_assert_str_eq(r.texts[TITLE], "a b+&=\xc3\xa4");
    ck_assert_int_eq(read_query("title=a=b"), 0);
    ck_assert_str_eq(r.texts[TITLE], "a=b");
    ck_assert_int_eq(read_query("title"), 0);
    ck_assert_str_eq(r.texts[TITLE], "");
    ck_assert_int_eq(read_query("title=12345678"), 0);
    /* values of an earlier request don't stay */
    ck_assert_int_eq(read_query(""), 0);
    ck_assert_ptr_null(r.texts[TITLE]);
}
END_TEST

START_TEST(test_a_lenient_route_takes_anything_and_leaves_it_to_the_endpoint)
{
    r.route = &lenient;
    ck_assert_int_eq(read_query("ms=99999&nonsense=1&%zz&ms=1"), 0);
    ck_assert_int_eq(r.params[MS], 500);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
    const char *query, *why;
} refused[] = {
    {"ms=10001", "ms must be between 0 and 10000; you sent 10001"},
    {"ms=-1", "ms must be between 0 and 10000; you sent -1"},
    {"ms=999999999999999999", "ms must be between 0 and 10000; you sent 999999999999999999"},
    {"ms=9999999999999999999", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=18446744073709551617", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=-", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=--1", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=%2B5", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=+5", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=5+", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=1e3", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=0x10", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=5ms", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=1.5", "ms is not a whole number; it must be between 0 and 10000"},
    {"ms=auto", "ms is not a whole number; it must be between 0 and 10000"},
    {"sections=0", "sections must be between 1 and 64 or auto; you sent 0"},
    {"sections=Auto", "sections is not a whole number; it must be between 1 and 64 or auto"},
    {"big=-6", "big must be between -5 and 900000000000000000; you sent -6"},
    {"colour=pink", "colour must be one of red, green, blue; you sent pink"},
    {"colour=", "colour must be one of red, green, blue; you sent "},
    {"colour=re", "colour must be one of red, green, blue; you sent re"},
    {"title=123456789", "title must be at most 8 octets; you sent 123456789"},
    {"ms=1&ms=1", "ms was sent twice; it must be between 0 and 10000"},
    {"ms=1&%6ds=2", "ms was sent twice; it must be between 0 and 10000"},
    {"title=a&title=b", "title was sent twice; it must be at most 8 octets"},
    {"sm=5", "sm is not known here; did you mean ms?"},
    {"section=2", "section is not known here; did you mean sections?"},
    {"Ms=5", "Ms is not known here; did you mean ms?"},
    {"color=red", "color is not known here; did you mean colour?"},
    {"delay=5", "delay is not known here"},
    {"=5", " is not known here"},
    {"__=5", "__ is not known here"},
    {"ms =5", "ms  is not known here; did you mean ms?"},
    {"mm%C3%a4%C3%a4%C3%a4", "mm\xc3\xa4\xc3\xa4\xc3\xa4 is not known here"},
};

START_TEST(test_a_mistake_is_named_with_the_rule_and_what_would_be_right)
{
    ck_assert_int_eq(read_query(refused[_i].query), -1);
    ck_assert_int_eq(r.failed, FAIL_PARAMETER);
    ck_assert_str_eq(r.why, refused[_i].why);
    ck_assert_ptr_nonnull(r.fail_members);
}
END_TEST

START_TEST(test_a_percent_sign_without_two_digits_is_refused_and_so_is_a_nul)
{
    static const char *const queries[] = {"ms=%",    "ms=%3",  "ms=%3g", "ms=%g3",    "%",
                                          "ms=1&a%", "t=%0",   "ms=%00", "m%00s=1",   "ms=%%31",
                                          "_=%",     "%&ms=1", "ms=% 1", "title=%-1", "a=%0x"};

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        r.failed = FAIL_NONE;
        ck_assert_msg(read_query(queries[i]) == -1, "%s", queries[i]);
        ck_assert_int_eq(r.failed, FAIL_PARAMETER);
        ck_assert_str_eq(r.why, "a % in the query string is not followed by two hexadecimal "
                                "digits other than 00");
    }
    /* digits that stand behind the end of the query are not looked at */
    ck_assert_int_eq(read_octets("ms=%31", 5), -1);
    ck_assert_int_eq(read_octets("ms=%31", 4), -1);
}
END_TEST

static json_t *
invalid_params(void)
{
    json_error_t error;
    char text[32768];
    json_t *root;

    ck_assert_ptr_nonnull(r.fail_members);
    snprintf(text, sizeof(text), "{\"a\":0%s}", r.fail_members);
    root = json_loads(text, 0, &error);
    ck_assert_msg(root != NULL, "%s: %s", error.text, text);
    return root;
}

START_TEST(test_all_mistakes_of_one_request_are_named_with_range_and_default)
{
    json_t *root, *list, *row;

    ck_assert_int_eq(read_query("ms=99999&colour=red&sections=x&delay=%22%5c&ms=1"), -1);
    root = invalid_params();
    list = json_object_get(root, "invalid_params");
    ck_assert_uint_eq(json_array_size(list), 4);

    row = json_array_get(list, 0);
    ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "ms");
    ck_assert_str_eq(json_string_value(json_object_get(row, "value")), "99999");
    ck_assert_str_eq(json_string_value(json_object_get(row, "reason")), r.why);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "min")), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "max")), 10000);
    ck_assert_int_eq(json_integer_value(json_object_get(row, "default")), 500);

    row = json_array_get(list, 1);
    ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "sections");
    ck_assert_str_eq(json_string_value(json_object_get(row, "default")), "auto");

    row = json_array_get(list, 2);
    ck_assert_str_eq(json_string_value(json_object_get(row, "value")), "\"\\");
    ck_assert_ptr_null(json_object_get(row, "max"));

    row = json_array_get(list, 3);
    ck_assert_str_eq(json_string_value(json_object_get(row, "reason")),
                     "ms was sent twice; it must be between 0 and 10000");
    json_decref(root);
}
END_TEST

START_TEST(test_of_very_many_mistakes_the_first_ones_are_named)
{
    char query[8192];
    json_t *root;

    for (size_t i = 0; i < sizeof(query); i++)
        query[i] = i % 2 == 0 ? 'a' : '&';
    ck_assert_int_eq(read_octets(query, sizeof(query)), -1);
    root = invalid_params();
    ck_assert_uint_eq(json_array_size(json_object_get(root, "invalid_params")), 16);
    json_decref(root);
}
END_TEST

START_TEST(test_long_and_strange_octets_still_make_a_sentence_and_json)
{
    char query[6000];

    memset(query, 'n', sizeof(query));
    query[39] = query[63] = '\xc3'; /* cut amid a character by both limits */
    query[40] = query[64] = '\xa4';
    query[3000] = '=';
    ck_assert_int_eq(read_octets(query, sizeof(query)), -1);
    json_decref(invalid_params());
    ck_assert_int_eq(read_query("ms=%ff%fe%01%1b"), -1);
    json_decref(invalid_params());
}
END_TEST

START_TEST(test_a_route_without_parameters_takes_none_but_the_underscore)
{
    r.route = &plain;
    ck_assert_int_eq(read_query("_=17"), 0);
    ck_assert_int_eq(read_query("ms=1"), -1);
    ck_assert_str_eq(r.why, "ms is not known here");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("params");
    TCase *tc = tcase_create("params");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, test_a_value_is_decoded_and_taken_and_what_is_absent_has_its_default, 0,
                        sizeof(taken) / sizeof(taken[0]));
    tcase_add_test(tc, test_a_text_is_decoded_and_outlives_the_octets_it_came_in);
    tcase_add_test(tc, test_a_lenient_route_takes_anything_and_leaves_it_to_the_endpoint);
    tcase_add_loop_test(tc, test_a_mistake_is_named_with_the_rule_and_what_would_be_right, 0,
                        sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, test_a_percent_sign_without_two_digits_is_refused_and_so_is_a_nul);
    tcase_add_test(tc, test_all_mistakes_of_one_request_are_named_with_range_and_default);
    tcase_add_test(tc, test_of_very_many_mistakes_the_first_ones_are_named);
    tcase_add_test(tc, test_long_and_strange_octets_still_make_a_sentence_and_json);
    tcase_add_test(tc, test_a_route_without_parameters_takes_none_but_the_underscore);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
