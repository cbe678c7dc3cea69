/* links: server/http/head.c server/http/framing.c server/http/grammar.c server/http/target.c server/http/chunk.c server/common/arena.c server/common/buf.c server/common/log.c server/common/clock.c tests/fuzz/input.c */
/*
 * What a connection reads: heads and bodies one behind the other, until one is refused. Three
 * readers get the same octets: all at once, cut where the input says, and one by one. They write
 * down all they understood, and must have understood the same: whoever can make two readers of one
 * stream disagree can smuggle requests.
 *
 *   octets --> reader --> "GET /x ... body: ..." --> equal?
 *
 * The limits are small, so that they are met.
 */
#include "common/arena.h"
#include "common/buf.h"
#include "fuzz.h"
#include "http/chunk.h"
#include "http/head.h"

#include <string.h>

enum { DRIP_MAX = 700, HEADS_MAX = 20 };

static const struct http_limits limits = {.target = 256, .head = 1024, .fields = 12};

struct reader {
    struct buf said;    /* what was understood */
    struct buf pending; /* octets of a head that is not complete */
    size_t scanned;
    struct chunk_decoder chunks;
    uint64_t left; /* octets of a body of known length */
    enum { READ_HEAD, READ_LENGTH, READ_CHUNKS, READ_NOTHING } state;
    unsigned heads;
};

static void
say_text(struct buf *b, const char *name, struct slice_text s)
{
    buf_addf(b, " %s %d:", name, s.p != NULL ? (int)s.len : -1);
    buf_add(b, s.p, s.len);
}

static void
say_head(struct buf *b, const struct http_head *h)
{
    buf_addf(b, "\n%d 1.%u %d%d%d %lld", (int)h->method, h->minor, h->keep_alive, h->chunked,
             h->expect_continue, (long long)h->content_length);
    say_text(b, "target", h->target);
    say_text(b, "path", h->path);
    say_text(b, "query", h->query);
    say_text(b, "host", h->host);
    say_text(b, "octets", h->octets);
    for (unsigned i = 0; i < h->nfields; i++) {
        say_text(b, "name", h->fields[i].name);
        say_text(b, "value", h->fields[i].value);
    }
}

/* What holds for every head that is served. */
static void
check_head(const struct http_head *h, long used)
{
    struct slice_text host = http_head_field(h, "host");

    FUZZ_CHECK(h->failure == FAIL_NONE && h->why == NULL);
    FUZZ_CHECK(h->octets.len == (size_t)used && h->octets.len <= limits.head);
    FUZZ_CHECK(h->nfields <= limits.fields && h->target.len <= limits.target);
    FUZZ_CHECK(h->path.len > 0 && (h->path.p[0] == '/' || h->method == HTTP_OPTIONS));
    FUZZ_CHECK(!h->chunked || (h->content_length < 0 && h->minor == 1));
    FUZZ_CHECK(h->minor == 0 || (host.p != NULL && h->host.len > 0));
}

/* The next head, said from its kept copy when its octets are gone. False: none. */
static bool
read_head(struct reader *r)
{
    char *octets = fuzz_exact(r->pending.data, r->pending.len);
    struct http_head head;
    const struct http_head *kept;
    struct arena arena;
    long used = http_head_parse(&head, octets, r->pending.len, &limits, &r->scanned);

    if (used <= 0) {
        free(octets);
        if (used == 0)
            return false;
        FUZZ_CHECK(head.failure != FAIL_NONE && head.why != NULL);
        buf_addf(&r->said, "\nrefused %d %s", (int)head.failure, head.why);
        r->state = READ_NOTHING;
        return false;
    }
    check_head(&head, used);
    arena_init(&arena);
    kept = http_head_keep(&head, &arena);
    memset(&head, 0xee, sizeof(head));
    free(octets);
    say_head(&r->said, kept);
    buf_consume(&r->pending, (size_t)used);
    r->scanned = 0;
    chunk_init(&r->chunks);
    r->left = kept->content_length > 0 ? (uint64_t)kept->content_length : 0;
    r->state = kept->chunked ? READ_CHUNKS : r->left > 0 ? READ_LENGTH : READ_HEAD;
    if (++r->heads == HEADS_MAX)
        r->state = READ_NOTHING;
    buf_add_text(&r->said, r->state == READ_HEAD ? " no body" : " body:");
    arena_reset(&arena);
    return true;
}

static void
read_length(struct reader *r)
{
    size_t n = r->left < r->pending.len ? (size_t)r->left : r->pending.len;

    buf_add(&r->said, r->pending.data, n);
    buf_consume(&r->pending, n);
    r->left -= n;
    if (r->left == 0)
        r->state = READ_HEAD;
}

static void
read_chunks(struct reader *r)
{
    const char *data, *why = NULL;
    size_t used, n;

    switch (chunk_decode(&r->chunks, r->pending.data, r->pending.len, &used, &data, &n, &why)) {
    case CHUNK_DATA:
        buf_add(&r->said, data, n);
        break;
    case CHUNK_MORE:
        FUZZ_CHECK(used == r->pending.len);
        break;
    case CHUNK_END:
        r->state = READ_HEAD;
        break;
    case CHUNK_BAD:
        buf_addf(&r->said, "\nrefused %s", why);
        r->state = READ_NOTHING;
        break;
    }
    buf_consume(&r->pending, used);
}

static void
give(struct reader *r, const char *octets, size_t len)
{
    if (len == 0)
        return;
    buf_add(&r->pending, octets, len);
    while (r->pending.len > 0) {
        switch (r->state) {
        case READ_HEAD:
            if (!read_head(r))
                return;
            break;
        case READ_LENGTH:
            read_length(r);
            break;
        case READ_CHUNKS:
            read_chunks(r);
            break;
        case READ_NOTHING:
            return;
        }
    }
}

static void
forget(struct reader *r)
{
    buf_fini(&r->said);
    buf_fini(&r->pending);
}

static void
compare(const struct reader *a, struct reader *b)
{
    FUZZ_CHECK(a->state == b->state);
    FUZZ_CHECK(a->said.len == b->said.len);
    FUZZ_CHECK(a->said.len == 0 || memcmp(a->said.data, b->said.data, a->said.len) == 0);
    forget(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in;
    struct reader whole = {.state = READ_HEAD}, cut = whole, drip = whole;
    size_t from = 0;

    fuzz_input_read(&in, data, len);
    give(&whole, in.octets, in.len);
    for (unsigned i = 0; i < in.ncuts; from = in.cuts[i++])
        give(&cut, in.octets + from, in.cuts[i] - from);
    compare(&whole, &cut);
    if (in.len <= DRIP_MAX) {
        for (size_t i = 0; i < in.len; i++)
            give(&drip, in.octets + i, 1);
        compare(&whole, &drip);
    }
    forget(&whole);
    fuzz_input_free(&in);
    return 0;
}
