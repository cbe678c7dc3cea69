/* links: server/http/chunk.c server/http/grammar.c */
/*
 * Chunked bodies: the same octets come out however the input is cut; whatever is not as the grammar
 * has it is refused, and never read as data.
 */
#include "../lib/suite.h"
#include "http/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outcome {
    enum chunk_result result;
    char data[256];
    size_t len;
    size_t used; /* of all input */
};

/* Gives `in` in pieces of `step` octets, each in a block of its own, until something is decided. */
static struct outcome
decode(const char *in, size_t in_len, size_t step)
{
    struct outcome o = {.result = CHUNK_MORE};
    struct chunk_decoder d;

    chunk_init(&d);
    while (o.used < in_len && (o.result == CHUNK_MORE || o.result == CHUNK_DATA)) {
        size_t n = step < in_len - o.used ? step : in_len - o.used, used, len;
        const char *data, *why = NULL;
        char *piece = malloc(n);

        memcpy(piece, in + o.used, n);
        o.result = chunk_decode(&d, piece, n, &used, &data, &len, &why);
        ck_assert_uint_le(used, n);
        if (o.result == CHUNK_DATA) {
            ck_assert(data >= piece && data + len <= piece + used && len > 0);
            memcpy(o.data + o.len, data, len);
            o.len += len;
        }
        if (o.result == CHUNK_MORE)
            ck_assert_uint_eq(used, n);
        ck_assert((o.result == CHUNK_BAD) == (why != NULL));
        o.used += used;
        free(piece);
    }
    return o;
}

#define GOOD                                                                                       \
    "5\r\nhello\r\n7 ;\tname = \"v \\\"\" ; x\r\n, "                                               \
    "world\r\n1F\r\n0123456789abcdef0123456789abcde\r\n"                                           \
    "0000\r\nTrailer: x\r\nOther:\r\n\r\n"
#define NEXT "GET / HTTP/1.1\r\n"

START_TEST(test_chunks_come_out_the_same_however_they_are_cut)
{
    static const char in[] = GOOD NEXT, out[] = "hello, world0123456789abcdef0123456789abcde";

    for (size_t step = 1; step <= sizeof(in) - 1; step++) {
        struct outcome o = decode(in, sizeof(in) - 1, step);

        ck_assert_int_eq(o.result, CHUNK_END);
        ck_assert_uint_eq(o.len, sizeof(out) - 1);
        ck_assert(memcmp(o.data, out, o.len) == 0);
        ck_assert_uint_eq(o.used, sizeof(GOOD) - 1); /* the next request is left alone */
    }
}
END_TEST

START_TEST(test_what_is_cut_off_anywhere_waits_for_more)
{
    static const char in[] = GOOD;

    for (size_t len = 1; len < sizeof(in) - 1; len++) {
        struct outcome o = decode(in, len, len);

        ck_assert(o.result == CHUNK_MORE || o.result == CHUNK_DATA);
        ck_assert_uint_eq(o.used, len);
    }
}
END_TEST

START_TEST(test_broken_chunks_are_refused_however_they_are_cut)
{
    static const struct {
        const char *in;
        size_t data; /* octets that come out before */
    } cases[] = {
        {"g\r\n", 0},
        {"\r\n", 0},
        {" 5\r\n", 0},
        {"5 \r\n", 0},
        {"5\t\r\n", 0},
        {"-5\r\n", 0},
        {"+5\r\n", 0},
        {"0x5\r\n", 0},
        {";\r\n", 0},
        {"5\nhello", 0},
        {"5\rhello", 0},
        {"5\r\nhelloX", 5},
        {"5\r\nhello\n", 5},
        {"5\r\nhello\rX", 5},
        {"5\r\nhello\r\n\r\n", 5},
        {"5;a\nhello", 0},
        {"5;a\x01", 0},
        {"5;a\x7f", 0},
        {"5;\r\n", 0},
        {"5;;", 0},
        {"5;=", 0},
        {"5 ;a=;", 0},
        {"5;a =\r\n", 0},
        {"5;a=b=", 0},
        {"5;a b", 0},
        {"5;a \r\n", 0},
        {"5;a=b \r\n", 0},
        {"5;a=b c", 0},
        {"5;a=\"b\"c", 0},
        {"5;a=\"b\r\n", 0},
        {"5;a=\"\\\r\n", 0},
        {"5;a\"b\"\r\n", 0},
        {"0\r\nX\r\n", 0},
        {"0\r\n: x\r\n", 0},
        {"0\r\n X: y\r\n", 0},
        {"0\r\nX : y\r\n", 0},
        {"0\r\nX: y\n", 0},
        {"0\r\nX: y\r\r\n", 0},
        {"0\r\n\rX", 0},
        {"0\r\nX: \x01\r\n", 0},
        {"00000000000000005\r\n", 0},
        {"ffffffffffffffff\r\n", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].in);

        for (size_t step = 1; step <= len; step++) {
            struct outcome o = decode(cases[i].in, len, step);

            ck_assert_msg(o.result == CHUNK_BAD, "%s", cases[i].in);
            ck_assert_uint_eq(o.len, cases[i].data);
        }
    }
}
END_TEST

START_TEST(test_a_refused_body_stays_refused)
{
    const char *data, *why = NULL;
    struct chunk_decoder d;
    size_t used, len;

    chunk_init(&d);
    ck_assert_int_eq(chunk_decode(&d, "x", 1, &used, &data, &len, &why), CHUNK_BAD);
    ck_assert_int_eq(chunk_decode(&d, "5\r\nhello", 8, &used, &data, &len, &why), CHUNK_BAD);
}
END_TEST

/* "<before>aaa<after>" with `count` a's is decoded as this. */
static enum chunk_result
stretched(const char *before, size_t count, const char *after)
{
    size_t b = strlen(before), a = strlen(after), used, len;
    char *in = malloc(b + count + a);
    const char *data, *why;
    struct chunk_decoder d;
    enum chunk_result result;

    memcpy(in, before, b);
    memset(in + b, 'a', count);
    memcpy(in + b + count, after, a);
    chunk_init(&d);
    result = chunk_decode(&d, in, b + count + a, &used, &data, &len, &why);
    free(in);
    return result;
}

START_TEST(test_size_lines_and_trailers_are_limited_to_the_octet)
{
    ck_assert_int_eq(stretched("0;", 252, "\r\n\r\n"), CHUNK_END);
    ck_assert_int_eq(stretched("0;", 253, "\r\n\r\n"), CHUNK_BAD);
    ck_assert_int_eq(stretched("0\r\nX:", 8192 - 6, "\r\n\r\n"), CHUNK_END);
    ck_assert_int_eq(stretched("0\r\nX:", 8192 - 5, "\r\n\r\n"), CHUNK_BAD);
}
END_TEST

START_TEST(test_extensions_of_all_chunks_are_limited_to_the_octet)
{
    enum { CHUNKS = 128, LETTERS = 127 }; /* the CR behind them counts, too */
    char in[CHUNKS * 140], letters[LETTERS + 1];

    memset(letters, 'a', sizeof(letters));
    for (int more = 0; more <= 1; more++) {
        const char *data, *why, *at = in;
        enum chunk_result result;
        struct chunk_decoder d;
        size_t used, len;
        char *p = in;

        for (int i = 0; i < CHUNKS; i++)
            p += sprintf(p, "1;%.*s\r\nx\r\n", LETTERS + (i == 0 ? more : 0), letters);
        chunk_init(&d);
        do {
            result = chunk_decode(&d, at, (size_t)(p - at), &used, &data, &len, &why);
            at += used;
        } while (result == CHUNK_DATA);
        ck_assert_int_eq(result, more ? CHUNK_BAD : CHUNK_MORE);
    }
}
END_TEST

START_TEST(test_a_chunk_may_be_larger_than_any_piece)
{
    const char *data, *why;
    struct chunk_decoder d;
    size_t used, len;

    chunk_init(&d);
    ck_assert_int_eq(chunk_decode(&d, "3ffffffffffffff\r\nab", 19, &used, &data, &len, &why),
                     CHUNK_DATA);
    ck_assert_uint_eq(len, 2);
    ck_assert_uint_eq(d.left, 0x3ffffffffffffffULL - 2);
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        test_chunks_come_out_the_same_however_they_are_cut,
        test_what_is_cut_off_anywhere_waits_for_more,
        test_broken_chunks_are_refused_however_they_are_cut,
        test_a_refused_body_stays_refused,
        test_size_lines_and_trailers_are_limited_to_the_octet,
        test_extensions_of_all_chunks_are_limited_to_the_octet,
        test_a_chunk_may_be_larger_than_any_piece,
    };

    return suite_run(suite_of("chunk", NULL, NULL, tests, sizeof(tests) / sizeof(tests[0])));
}
