/* links: server/http/chunk.c server/http/grammar.c server/common/buf.c server/common/log.c server/common/clock.c tests/fuzz/input.c */
/*
 * Chunked bodies: the decoder, given the octets at once, cut where the input says, and one by one,
 * against a plain reading of the grammar that has all octets before it and no states:
 *
 *   chunked-body = *( size extensions CRLF octets CRLF ) 1*"0" extensions CRLF
 *                  *( token ":" text CRLF ) CRLF                         (RFC 9112 section 7.1)
 *   extensions   = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
 *
 * Same data, same end, same octet at which it is refused, also where a line, all trailers or the
 * extensions of all chunks together become too long.
 */
#include "common/buf.h"
#include "fuzz.h"
#include "http/chunk.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    SIZE_LINE_MAX = 256,
    EXTENSIONS_MAX = 16384,
    TRAILERS_MAX = 8192,
    DIGITS_MAX = 16,
    DRIP_MAX = 3000,
};

struct answer {
    enum chunk_result result;
    size_t used;
    struct buf data;
};

/* ---- the plain reading ---- */

struct text {
    const char *octets;
    size_t len, at;
    unsigned line, line_max;
    unsigned extensions; /* octets behind the first of each, its CR among them, in all chunks */
    bool extending;      /* what is read counts as those */
    enum chunk_result result; /* CHUNK_DATA: goes on */
};

/* The next octet, or -1 when there is none, or it is one too many for its line. */
static int
next(struct text *t)
{
    if (t->result != CHUNK_DATA)
        return -1;
    if (t->at == t->len) {
        t->result = CHUNK_MORE;
        return -1;
    }
    t->extensions += t->extending;
    if (t->extensions > EXTENSIONS_MAX || ++t->line > t->line_max) {
        t->result = CHUNK_BAD;
        return -1;
    }
    return (unsigned char)t->octets[t->at++];
}

/* The octet that was read last is wrong. */
static void
bad(struct text *t)
{
    if (t->result != CHUNK_DATA)
        return;
    t->result = CHUNK_BAD;
    t->at--;
}

static void
expect(struct text *t, int c)
{
    if (next(t) != c)
        bad(t);
}

/* Text and its CRLF. */
static void
rest_of_line(struct text *t)
{
    int c;

    do
        c = next(t);
    while (c >= 0x20 ? c != 0x7f : c == '\t');
    if (c != '\r')
        bad(t);
    expect(t, '\n');
}

static bool
is_token(int c)
{
    return c > 0 && c < 0x80 && (isalnum(c) || strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* These begin with an octet that was read, and return the one behind. */
static int
blanks(struct text *t, int c, bool *some)
{
    for (*some = false; c == ' ' || c == '\t'; c = next(t))
        *some = true;
    return c;
}

static int
token(struct text *t, int c)
{
    if (!is_token(c))
        bad(t);
    while (is_token(c))
        c = next(t);
    return c;
}

static int
quoted(struct text *t)
{
    int c = next(t);

    for (; c != '"'; c = next(t)) {
        if (c == '\\')
            c = next(t);
        if (c < 0 || (c < 0x20 && c != '\t') || c == 0x7f) {
            bad(t);
            return -1;
        }
    }
    return next(t);
}

/* Up to the end of the line. */
static void
extensions(struct text *t, int c)
{
    bool some;

    t->extending = c != '\r';
    c = blanks(t, c, &some);
    while (c == ';') {
        c = token(t, blanks(t, next(t), &some));
        c = blanks(t, c, &some);
        if (c != '=')
            continue;
        c = blanks(t, next(t), &some);
        c = c == '"' ? quoted(t) : token(t, c);
        c = blanks(t, c, &some);
    }
    t->extending = false;
    if (c != '\r' || some)
        bad(t);
    expect(t, '\n');
}

static uint64_t
size_line(struct text *t)
{
    uint64_t size = 0;
    unsigned digits = 0;
    int c;

    while (isxdigit(c = next(t))) {
        if (++digits > DIGITS_MAX || size >= (uint64_t)1 << 58) {
            bad(t);
            return 0;
        }
        size = size * 16 + (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
    }
    if (digits == 0)
        bad(t);
    extensions(t, c);
    return size;
}

static void
trailers(struct text *t)
{
    int c;

    while ((c = next(t)) != '\r') {
        if (c == ':')
            bad(t);
        while (is_token(c))
            c = next(t);
        if (c != ':')
            bad(t);
        rest_of_line(t);
        if (t->result != CHUNK_DATA)
            return;
    }
    expect(t, '\n');
}

static struct answer
read_plainly(const char *octets, size_t len)
{
    struct text t = {.octets = octets, .len = len, .result = CHUNK_DATA};
    struct answer a = {.result = CHUNK_DATA};

    while (t.result == CHUNK_DATA) {
        uint64_t size, there;

        t.line_max = SIZE_LINE_MAX;
        size = size_line(&t);
        if (t.result != CHUNK_DATA)
            break;
        t.line = 0;
        if (size == 0) {
            t.line_max = TRAILERS_MAX;
            trailers(&t);
            if (t.result == CHUNK_DATA)
                t.result = CHUNK_END;
            break;
        }
        there = size < len - t.at ? size : len - t.at;
        buf_add(&a.data, octets + t.at, (size_t)there);
        t.at += (size_t)there;
        if (there < size)
            t.result = CHUNK_MORE;
        expect(&t, '\r');
        expect(&t, '\n');
    }
    a.result = t.result;
    a.used = t.at;
    return a;
}

/* ---- the decoder ---- */

/* One piece. True: the decoder wants more. */
static bool
decode_piece(struct answer *a, struct chunk_decoder *d, const char *octets, size_t len)
{
    char *piece = fuzz_exact(octets, len);
    size_t at = 0;

    do {
        const char *data = NULL, *why = NULL;
        size_t used, n;

        a->result = chunk_decode(d, piece + at, len - at, &used, &data, &n, &why);
        FUZZ_CHECK(used <= len - at);
        FUZZ_CHECK((a->result == CHUNK_BAD) == (why != NULL));
        if (a->result == CHUNK_DATA) {
            FUZZ_CHECK(n > 0 && data >= piece + at && data + n == piece + at + used);
            buf_add(&a->data, data, n);
        }
        at += used;
    } while (a->result == CHUNK_DATA);
    FUZZ_CHECK(a->result != CHUNK_MORE || at == len);
    a->used += at;
    free(piece);
    return a->result == CHUNK_MORE;
}

static void
compare(const struct answer *plain, struct answer *a)
{
    FUZZ_CHECK(a->result == plain->result);
    FUZZ_CHECK(a->used == plain->used);
    FUZZ_CHECK(a->data.len == plain->data.len);
    FUZZ_CHECK(a->data.len == 0 || memcmp(a->data.data, plain->data.data, a->data.len) == 0);
    buf_fini(&a->data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in;
    struct answer plain, whole = {.used = 0}, cut = {.used = 0}, drip = {.used = 0};
    struct chunk_decoder d;
    size_t from = 0;

    fuzz_input_read(&in, data, len);
    plain = read_plainly(in.octets, in.len);
    chunk_init(&d);
    (void)decode_piece(&whole, &d, in.octets, in.len);
    compare(&plain, &whole);
    chunk_init(&d);
    for (unsigned i = 0; i < in.ncuts; from = in.cuts[i++])
        if (!decode_piece(&cut, &d, in.octets + from, in.cuts[i] - from))
            break;
    compare(&plain, &cut);
    chunk_init(&d);
    if (in.len > 0 && in.len <= DRIP_MAX) {
        for (size_t i = 0; i < in.len && decode_piece(&drip, &d, in.octets + i, 1); i++)
            ;
        compare(&plain, &drip);
    }
    buf_fini(&plain.data);
    fuzz_input_free(&in);
    return 0;
}
