/* links: server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/log.c tests/lib/malformed.c */
/*
 * Heads of requests: what is read from good ones, how bad ones are refused, and that neither
 * depends on how the octets are cut.
 */
#include "../lib/malformed.h"
#include "../lib/suite.h"
#include "common/arena.h"
#include "http/chunk.h"
#include "http/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct http_limits limits = {.target = 8192, .head = 32768, .fields = 100};

static void
assert_text(struct slice_text s, const char *expected)
{
    ck_assert_msg(s.len == strlen(expected) && memcmp(s.p, expected, s.len) == 0,
                  "'%.*s' is not '%s'", (int)s.len, s.p, expected);
}

static long
parse(struct http_head *head, const char *text, size_t len)
{
    size_t scanned = 0;

    return http_head_parse(head, text, len, &limits, &scanned);
}

static void
parse_good(struct http_head *head, const char *text)
{
    ck_assert_msg(parse(head, text, strlen(text)) == (long)strlen(text), "%s: %s", text,
                  head->why != NULL ? head->why : "not complete");
    ck_assert(head->failure == FAIL_NONE && head->why == NULL);
}

static int
status_of(enum failure failure)
{
    static const int statuses[FAIL_COUNT] = {
        [FAIL_NONE] = 200,           [FAIL_BAD_REQUEST] = 400,
        [FAIL_BODY_TOO_LARGE] = 413, [FAIL_TARGET_TOO_LONG] = 414,
        [FAIL_HEAD_TOO_LARGE] = 431, [FAIL_EXPECTATION] = 417,
        [FAIL_UNKNOWN_CODING] = 501, [FAIL_UNKNOWN_METHOD] = 501,
        [FAIL_VERSION] = 505,
    };

    return statuses[failure];
}

/* All chunks of a body. */
static int
status_of_chunks(const char *p, size_t len)
{
    struct chunk_decoder d;

    chunk_init(&d);
    for (;;) {
        const char *data, *why;
        size_t used, n;

        switch (chunk_decode(&d, p, len, &used, &data, &n, &why)) {
        case CHUNK_DATA:
            break;
        case CHUNK_MORE:
            return 0;
        case CHUNK_END:
            return 200;
        case CHUNK_BAD:
            return 400;
        }
        p += used;
        len -= used;
    }
}

/* What the octets of a case are answered with: head, and body where it is chunked. */
static int
judge(const struct malformed *m)
{
    struct http_head head;
    long n = parse(&head, m->octets, m->len);

    if (n == 0)
        return 0;
    if (n > 0 && head.chunked)
        return status_of_chunks(m->octets + n, m->len - (size_t)n);
    return status_of(head.failure);
}

START_TEST(test_every_strange_request_is_judged_as_its_rule_says)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < malformed_count; i++) {
        const struct malformed *m = &malformed_table[i];
        int wanted = malformed_is_refused(m) ? malformed_status(m) : 200, status = judge(m);

        if (status == wanted)
            continue;
        fprintf(stderr, "%s (%s): %d, not %d\n", m->name, m->section, status, wanted);
        wrong++;
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* "400 200": statuses, one blank between them. */
static bool
is_list_of_statuses(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (i % 4 == 3 ? text[i] != ' ' : text[i] < '0' || text[i] > '9')
            return false;
    return len % 4 == 3;
}

START_TEST(test_the_table_is_large_and_no_row_is_there_twice)
{
    ck_assert_uint_ge(malformed_count, 150);
    for (size_t i = 0; i < malformed_count; i++) {
        const struct malformed *m = &malformed_table[i];

        ck_assert_msg(is_list_of_statuses(m->allowed), "%s: %s", m->name, m->allowed);
        for (size_t k = 0; k < i; k++) {
            const struct malformed *other = &malformed_table[k];

            ck_assert_msg(m->len != other->len || memcmp(m->octets, other->octets, m->len) != 0,
                          "%s: the same as %s", m->name, other->name);
        }
    }
}
END_TEST

/* Gives the octets one by one, each time in a block of exactly their size. */
static long
parse_dripping(struct http_head *head, const char *octets, size_t len)
{
    size_t scanned = 0;

    for (size_t n = 1; n <= len; n++) {
        char *exact = malloc(n);
        long result;

        memcpy(exact, octets, n);
        result = http_head_parse(head, exact, n, &limits, &scanned);
        free(exact);
        if (result != 0)
            return result;
    }
    return 0;
}

static void
assert_same_however_cut(const char *name, const char *octets, size_t len)
{
    struct http_head whole, dripping;
    long n = parse(&whole, octets, len), m = parse_dripping(&dripping, octets, len);

    ck_assert_msg(n == m, "%s: %ld, cut %ld", name, n, m);
    if (n == 0)
        return; /* a head that is not complete says nothing */
    ck_assert_int_eq(whole.failure, dripping.failure);
    ck_assert_ptr_eq(whole.why, dripping.why);
    ck_assert_uint_eq(whole.nfields, dripping.nfields);
    ck_assert_int_eq(whole.content_length, dripping.content_length);
    ck_assert_int_eq(whole.keep_alive, dripping.keep_alive);
}

START_TEST(test_a_head_cut_at_every_octet_is_judged_the_same)
{
    for (size_t i = 0; i < malformed_count; i++) {
        const struct malformed *m = &malformed_table[i];

        if (m->len <= 2000)
            assert_same_however_cut(m->name, m->octets, m->len);
    }
}
END_TEST

START_TEST(test_damaged_heads_are_judged_the_same_however_they_are_cut)
{
    uint32_t random = 2463534242U + (uint32_t)_i;
    char octets[600];

    for (unsigned round = 0; round < 100; round++) {
        const struct malformed *m = &malformed_table[(round * 31 + (unsigned)_i) % malformed_count];
        size_t len = m->len < sizeof(octets) ? m->len : sizeof(octets);

        memcpy(octets, m->octets, len);
        for (unsigned i = 0; i < 3; i++) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            octets[random % len] = (char)(random >> 24);
        }
        assert_same_however_cut(m->name, octets, len);
    }
}
END_TEST

START_TEST(test_a_request_line_is_taken_apart)
{
    struct http_head head;

    parse_good(&head, "POST /db/sleep?ms=5&x=a?b HTTP/1.1\r\nHost: localhost:8080\r\n\r\n");
    ck_assert_int_eq(head.method, HTTP_POST);
    ck_assert_uint_eq(head.minor, 1);
    assert_text(head.target, "/db/sleep?ms=5&x=a?b");
    assert_text(head.path, "/db/sleep");
    assert_text(head.query, "ms=5&x=a?b");
    assert_text(head.host, "localhost:8080");
    parse_good(&head, "GET /a HTTP/1.0\r\n\r\n");
    ck_assert_uint_eq(head.minor, 0);
    assert_text(head.path, "/a");
    assert_text(head.query, "");
    ck_assert_ptr_null(head.host.p);
    ck_assert_int_eq(head.content_length, -1);
}
END_TEST

START_TEST(test_every_method_is_known_by_its_name)
{
    for (unsigned m = 0; m < HTTP_METHODS; m++) {
        struct http_head head;
        char text[100];

        snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", http_method_names[m]);
        parse_good(&head, text);
        ck_assert_uint_eq(head.method, m);
    }
}
END_TEST

START_TEST(test_an_absolute_target_names_host_and_path)
{
    static const struct {
        const char *line, *target, *path, *query, *host;
    } cases[] = {
        {"GET http://a.example:81/p?q HTTP/1.1", "/p?q", "/p", "q", "a.example:81"},
        {"GET http://a.example HTTP/1.1", "/", "/", "", "a.example"},
        {"GET http://a.example?q HTTP/1.1", "/", "/", "q", "a.example"},
        {"GET hTTp://[::1]/ HTTP/1.1", "/", "/", "", "[::1]"},
        {"OPTIONS http://a.example HTTP/1.1", "*", "*", "", "a.example"},
        {"OPTIONS * HTTP/1.1", "*", "*", "", "other"},
        {"GET http://a%20b/ HTTP/1.1", "/", "/", "", "a%20b"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head head;
        char text[200];

        snprintf(text, sizeof(text), "%s\r\nHost: other\r\n\r\n", cases[i].line);
        parse_good(&head, text);
        assert_text(head.target, cases[i].target);
        assert_text(head.path, cases[i].path);
        assert_text(head.query, cases[i].query);
        assert_text(head.host, cases[i].host);
    }
}
END_TEST

START_TEST(test_fields_are_found_by_name_without_blanks_around_their_values)
{
    struct http_head head;

    parse_good(&head, "GET / HTTP/1.1\r\nHost: a\r\nAccept: \t text/html \t\r\naccept: b\r\nX-Y:"
                      "\r\n\r\n");
    ck_assert_uint_eq(head.nfields, 4);
    assert_text(http_head_field(&head, "accept"), "text/html");
    assert_text(http_head_field(&head, "x-y"), "");
    ck_assert_ptr_nonnull(http_head_field(&head, "x-y").p);
    ck_assert_ptr_null(http_head_field(&head, "acc").p);
    ck_assert_ptr_null(http_head_field(&head, "accepts").p);
    assert_text(head.fields[2].name, "accept");
}
END_TEST

START_TEST(test_the_body_follows_at_the_length_returned)
{
    static const char text[] =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036\r\n\r\nbody";
    struct http_head head;
    long n = parse(&head, text, sizeof(text) - 1);

    ck_assert_int_eq(n, (long)sizeof(text) - 1 - 4);
    ck_assert_int_eq(head.content_length, 9223372036);
    ck_assert(!head.chunked);
}
END_TEST

START_TEST(test_a_connection_is_kept_as_version_and_options_say)
{
    static const struct {
        const char *minor, *fields;
        bool keep;
    } cases[] = {
        {"1", "", true},
        {"1", "Connection: close\r\n", false},
        {"1", "Connection: CLOSE\r\n", false},
        {"1", "Connection: keep-alive, close\r\n", false},
        {"1", "Connection: a,\t close ,b\r\n", false},
        {"1", "Connection: a\r\nConnection: close\r\n", false},
        {"1", "Connection: closed, disclose\r\n", true},
        {"1", "Connection: upgrade\r\n", true},
        {"0", "", false},
        {"0", "Connection: Keep-Alive\r\n", true},
        {"0", "Connection: keep-alive, close\r\n", false},
        {"5", "", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head head;
        char text[200];

        snprintf(text, sizeof(text), "GET / HTTP/1.%s\r\nHost: a\r\n%s\r\n", cases[i].minor,
                 cases[i].fields);
        parse_good(&head, text);
        ck_assert_msg(head.keep_alive == cases[i].keep, "HTTP/1.%s %s", cases[i].minor,
                      cases[i].fields);
    }
}
END_TEST

START_TEST(test_only_the_known_expectation_is_taken_and_only_from_http_1_1)
{
    struct http_head head;

    parse_good(&head, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n");
    ck_assert(head.expect_continue);
    parse_good(&head, "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
    ck_assert(!head.expect_continue);
}
END_TEST

/* "<before>aaa...a<after>" with so many a's. */
static char *
stretched(const char *before, size_t count, const char *after)
{
    size_t b = strlen(before), a = strlen(after);
    char *text = malloc(b + count + a + 1);

    memcpy(text, before, b);
    memset(text + b, 'a', count);
    memcpy(text + b + count, after, a + 1);
    return text;
}

static enum failure
failure_of(char *text)
{
    struct http_head head;
    long n = parse(&head, text, strlen(text));

    ck_assert(n == (long)strlen(text) || n == -1);
    free(text);
    return head.failure;
}

START_TEST(test_limits_are_exact)
{
    static const char line[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ", end[] = "\r\n\r\n";
    size_t room = limits.head - strlen(line) - strlen(end);

    ck_assert_int_eq(failure_of(stretched("GET /", 8191, " HTTP/1.1\r\nHost: a\r\n\r\n")),
                     FAIL_NONE);
    ck_assert_int_eq(failure_of(stretched("GET /", 8192, " HTTP/1.1\r\nHost: a\r\n\r\n")),
                     FAIL_TARGET_TOO_LONG);
    ck_assert_int_eq(failure_of(stretched(line, room, end)), FAIL_NONE);
    ck_assert_int_eq(failure_of(stretched(line, room + 1, end)), FAIL_HEAD_TOO_LARGE);
}
END_TEST

START_TEST(test_as_many_fields_as_allowed_and_no_more)
{
    char text[2000];
    struct http_head head;

    for (unsigned fields = 100; fields <= 101; fields++) {
        size_t n = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");

        for (unsigned i = 1; i < fields; i++)
            n += (size_t)sprintf(text + n, "F%u: %u\r\n", i, i);
        n += (size_t)sprintf(text + n, "\r\n");
        ck_assert_int_eq(parse(&head, text, n), fields == 100 ? (long)n : -1);
        ck_assert_int_eq(head.failure, fields == 100 ? FAIL_NONE : FAIL_HEAD_TOO_LARGE);
        ck_assert_uint_eq(head.nfields, 100);
    }
}
END_TEST

START_TEST(test_limits_are_noticed_before_the_end_of_the_head)
{
    struct http_head head;
    char *text = stretched("GET /", 8192, ""),
         *more = stretched("GET / HTTP/1.1\r\nX: ", 32768, "");

    ck_assert_int_eq(parse(&head, text, strlen(text) - 1), 0);
    ck_assert_int_eq(parse(&head, text, strlen(text)), -1);
    ck_assert_int_eq(head.failure, FAIL_TARGET_TOO_LONG);
    ck_assert_int_eq(parse(&head, more, 32768), 0);
    ck_assert_int_eq(parse(&head, more, 32769), -1);
    ck_assert_int_eq(head.failure, FAIL_HEAD_TOO_LARGE);
    free(text);
    free(more);
}
END_TEST

START_TEST(test_a_kept_head_outlives_its_octets)
{
    static const char good[] = "OPTIONS http://a.example?q HTTP/1.1\r\nHost: b\r\nX: y\r\n\r\n";
    struct http_head head, *kept;
    struct arena arena;
    char text[sizeof(good)];

    arena_init(&arena);
    memcpy(text, good, sizeof(good));
    parse_good(&head, text);
    kept = http_head_keep(&head, &arena);
    memset(text, '!', sizeof(text));
    memset(&head, '!', sizeof(head));
    assert_text(kept->host, "a.example");
    assert_text(kept->path, "/");
    assert_text(kept->query, "q");
    assert_text(http_head_field(kept, "x"), "y");
    ck_assert_int_eq(kept->method, HTTP_OPTIONS);
    arena_reset(&arena);
}
END_TEST

START_TEST(test_a_made_up_head_keeps_what_it_points_to)
{
    struct http_head head = {.path = {"/x", 2}, .content_length = -1}, *kept;
    struct arena arena;

    arena_init(&arena);
    kept = http_head_keep(&head, &arena);
    ck_assert_ptr_eq(kept->path.p, head.path.p);
    arena_reset(&arena);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("head");
    TCase *table = tcase_create("table"), *heads = tcase_create("heads");

    tcase_set_timeout(table, 60);
    tcase_add_test(table, test_every_strange_request_is_judged_as_its_rule_says);
    tcase_add_test(table, test_the_table_is_large_and_no_row_is_there_twice);
    tcase_add_test(table, test_a_head_cut_at_every_octet_is_judged_the_same);
    tcase_add_loop_test(table, test_damaged_heads_are_judged_the_same_however_they_are_cut, 0, 20);
    suite_add_tcase(suite, table);
    tcase_add_test(heads, test_a_request_line_is_taken_apart);
    tcase_add_test(heads, test_every_method_is_known_by_its_name);
    tcase_add_test(heads, test_an_absolute_target_names_host_and_path);
    tcase_add_test(heads, test_fields_are_found_by_name_without_blanks_around_their_values);
    tcase_add_test(heads, test_the_body_follows_at_the_length_returned);
    tcase_add_test(heads, test_a_connection_is_kept_as_version_and_options_say);
    tcase_add_test(heads, test_only_the_known_expectation_is_taken_and_only_from_http_1_1);
    tcase_add_test(heads, test_limits_are_exact);
    tcase_add_test(heads, test_as_many_fields_as_allowed_and_no_more);
    tcase_add_test(heads, test_limits_are_noticed_before_the_end_of_the_head);
    tcase_add_test(heads, test_a_kept_head_outlives_its_octets);
    tcase_add_test(heads, test_a_made_up_head_keeps_what_it_points_to);
    suite_add_tcase(suite, heads);
    return suite_run(suite);
}
