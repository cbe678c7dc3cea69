/* links: server/common/buf.c server/common/log.c server/common/clock.c */
/*
 * The growing run of octets and the texts written into it: nothing is lost when it grows, and what
 * comes from strangers cannot break out of JSON or HTML.
 */
#include "../lib/suite.h"

#include "common/buf.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct buf b;

static void
setup(void)
{
    buf_init(&b);
}

static void
teardown(void)
{
    buf_fini(&b);
}

static void
expect(const char *text, size_t len)
{
    ck_assert_uint_eq(b.len, len);
    if (len > 0)
        ck_assert_mem_eq(b.data, text, len);
}

static void
expect_text(const char *text)
{
    expect(text, strlen(text));
}

/* ---- growing ---- */

START_TEST(test_an_empty_buffer_takes_no_memory_and_nothing_leaves_it_empty)
{
    struct buf zero = {0};

    ck_assert_mem_eq(&zero, &b, sizeof(b));
    buf_add(&b, NULL, 0);
    buf_add_text(&b, "");
    buf_addf(&b, "%s", "");
    buf_reserve(&b, 0);
    ck_assert_uint_eq(b.len, 0);
    buf_consume(&b, 0);
    buf_consume(&b, 10);
    ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(test_octets_stay_as_they_are_while_it_grows)
{
    unsigned char octets[1000];
    size_t len = 0;

    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (unsigned char)(i * 31 + 7);
    for (size_t n = 0; n < 700; n++) { /* all lengths, over many sizes of the memory */
        buf_add(&b, octets, n);
        len += n;
        ck_assert_uint_eq(b.len, len);
        ck_assert_uint_ge(b.cap, b.len);
    }
    len = 0;
    for (size_t n = 0; n < 700; n++) {
        ck_assert_mem_eq(b.data + len, octets, n);
        len += n;
    }
}
END_TEST

START_TEST(test_what_was_reserved_is_there_without_moving)
{
    char *place;

    buf_add_text(&b, "begin");
    buf_reserve(&b, 100000);
    place = b.data;
    ck_assert_uint_ge(b.cap - b.len, 100000);
    for (int i = 0; i < 100000; i++)
        buf_add_char(&b, 'x');
    ck_assert_ptr_eq(b.data, place);
    ck_assert_uint_eq(b.len, 100005);
    ck_assert_mem_eq(b.data, "beginx", 6);
}
END_TEST

START_TEST(test_memory_that_can_not_be_counted_ends_the_process)
{
    buf_add_text(&b, "begin");
    buf_reserve(&b, SIZE_MAX - 2);
}
END_TEST

START_TEST(test_consuming_takes_from_the_front_and_keeps_the_rest)
{
    buf_add_text(&b, "0123456789");
    buf_consume(&b, 3);
    expect_text("3456789");
    buf_consume(&b, 0);
    expect_text("3456789");
    buf_consume(&b, 6);
    expect_text("9");
    buf_consume(&b, 1);
    ck_assert_uint_eq(b.len, 0);
    buf_add_text(&b, "abc");
    buf_consume(&b, 4);
    ck_assert_uint_eq(b.len, 0);
    buf_add_text(&b, "def");
    expect_text("def");
}
END_TEST

START_TEST(test_after_the_end_it_is_empty_and_usable_again)
{
    buf_add_text(&b, "abc");
    buf_fini(&b);
    ck_assert_ptr_null(b.data);
    ck_assert_uint_eq(b.len + b.cap, 0);
    buf_fini(&b);
    buf_add_text(&b, "def");
    expect_text("def");
}
END_TEST

/* ---- formatted text ---- */

START_TEST(test_formatted_text_of_any_length_is_whole)
{
    char expected[1200];

    for (int n = 0; n < 1000; n++) { /* through every amount of room that is left */
        b.len = 0;
        buf_addf(&b, "%d:%0*d", n, n, 7);
        expect(expected, (size_t)snprintf(expected, sizeof(expected), "%d:%0*d", n, n, 7));
        buf_fini(&b);
        buf_addf(&b, "%.*s", n, expected);
        expect(expected, strnlen(expected, (size_t)n));
    }
}
END_TEST

START_TEST(test_numbers_are_written_as_printf_would)
{
    static const uint64_t numbers[] = {
        0, 1, 9, 10, 11, 99, 100, 4294967295, 4294967296, 9999999999999999999U, UINT64_MAX};
    char expected[32];

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        b.len = 0;
        buf_add_u64(&b, numbers[i]);
        expect(expected, (size_t)snprintf(expected, sizeof(expected), "%" PRIu64, numbers[i]));
    }
}
END_TEST

START_TEST(test_nanoseconds_are_shown_in_rounded_tenths_of_a_millisecond)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0.0"},           {49999, "0.0"},
        {50000, "0.1"},       {100000, "0.1"},
        {149999, "0.1"},      {999999, "1.0"},
        {1000000, "1.0"},     {501249999, "501.2"},
        {501250000, "501.3"}, {3600ULL * 1000 * 1000 * 1000, "3600000.0"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b.len = 0;
        buf_add_ms(&b, cases[i].ns);
        expect_text(cases[i].text);
    }
}
END_TEST

/* ---- JSON ---- */

#define BAD "\xef\xbf\xbd"

/* Row: octets, and the JSON string they become. */
static const struct {
    const char *octets;
    size_t len;
    const char *json;
} strings[] = {
    {"", 0, "\"\""},
    {"plain /text?", 12, "\"plain /text?\""},
    {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
    {"\n\r\t", 3, "\"\\n\\r\\t\""},
    {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"\xc2\x80\xdf\xbf", 4, "\"\xc2\x80\xdf\xbf\""},
    {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", 9, "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\""},
    {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
    /* Not UTF-8: a lone continuation, cut short, too long a form, a surrogate, beyond the end. */
    {"a\x80z", 3, "\"a" BAD "z\""},
    {"\xc3", 1, "\"" BAD "\""},
    {"\xc3(", 2, "\"" BAD "(\""},
    {"\xe2\x82", 2, "\"" BAD BAD "\""},
    {"\xe2\x82x", 3, "\"" BAD BAD "x\""},
    {"\xe2(\xac", 3, "\"" BAD "(" BAD "\""},
    {"\xf0\x9f\x98", 3, "\"" BAD BAD BAD "\""},
    {"\xc0\xaf", 2, "\"" BAD BAD "\""},
    {"\xc1\xbf", 2, "\"" BAD BAD "\""},
    {"\xe0\x9f\xbf", 3, "\"" BAD BAD BAD "\""},
    {"\xed\xa0\x80", 3, "\"" BAD BAD BAD "\""},
    {"\xf0\x8f\xbf\xbf", 4, "\"" BAD BAD BAD BAD "\""},
    {"\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\""},
    {"\xf5\x80\x80\x80", 4, "\"" BAD BAD BAD BAD "\""},
    {"\xff\xfe", 2, "\"" BAD BAD "\""},
    {"\xc3\"", 2, "\"" BAD "\\\"\""}, /* an octet cut short does not eat the quote */
};

START_TEST(test_any_octets_become_a_json_string)
{
    const size_t len = strings[_i].len;
    char *exact = malloc(len > 0 ? len : 1); /* so that reading behind the end is seen */

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, strings[_i].octets, len);
    buf_add_json_string(&b, exact, len);
    expect_text(strings[_i].json);
    free(exact);
}
END_TEST

/* ---- HTML ---- */

START_TEST(test_markup_becomes_text)
{
    static const char octets[] = "<a href='x' title=\"y\">&amp;\0\xc3\xa4</a>";
    static const char html[] = "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;amp;\0\xc3\xa4"
                               "&lt;/a&gt;";

    buf_add_html(&b, octets, sizeof(octets) - 1);
    expect(html, sizeof(html) - 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("buf");
    TCase *tc = tcase_create("buf");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_an_empty_buffer_takes_no_memory_and_nothing_leaves_it_empty);
    tcase_add_test(tc, test_octets_stay_as_they_are_while_it_grows);
    tcase_add_test(tc, test_what_was_reserved_is_there_without_moving);
    tcase_add_test_raise_signal(tc, test_memory_that_can_not_be_counted_ends_the_process, SIGABRT);
    tcase_add_test(tc, test_consuming_takes_from_the_front_and_keeps_the_rest);
    tcase_add_test(tc, test_after_the_end_it_is_empty_and_usable_again);
    tcase_add_test(tc, test_formatted_text_of_any_length_is_whole);
    tcase_add_test(tc, test_numbers_are_written_as_printf_would);
    tcase_add_test(tc, test_nanoseconds_are_shown_in_rounded_tenths_of_a_millisecond);
    tcase_add_loop_test(tc, test_any_octets_become_a_json_string, 0,
                        sizeof(strings) / sizeof(strings[0]));
    tcase_add_test(tc, test_markup_becomes_text);
    suite_add_tcase(suite, tc);
    return suite_run(suite);
}
