/*
 * /plaintext, /json: answers that wait for nothing. /bytes, /echo: answers in parts, for trying
 * clients: pulled by how fast the client reads, never held whole.
 */
#include "endpoints/endpoints.h"

#include <string.h>

enum { PIECE_OCTETS = 64 * 1024 };

struct next
plaintext_answer(struct req *r)
{
    return reply_text(r, 200, "text/plain", "Hello, World!", 13);
}

struct next
json_answer(struct req *r)
{
    struct buf *b = req_scratch(r);

    buf_add_text(b, "{\"message\":");
    buf_add_json_string(b, "Hello, World!", 13);
    buf_add_char(b, '}');
    return reply_json(r, 200, b);
}

/* ---- /bytes?n= ---- */

enum { BYTES_N };
const struct param bytes_params[] = {
    [BYTES_N] = {.name = "n",
                 .kind = PARAM_INT,
                 .min = 0,
                 .max = 64 << 20,
                 .def = 1024,
                 .unit = "octets",
                 .help = "length of the answer"},
    {.name = NULL},
};

/* Further octets, as many as the client takes; r->params[BYTES_N] counts down. */
static struct next
bytes_more(struct req *r)
{
    static const char line[] = "interleave interleave interleave interleave interleave interlea\n";
    static char piece[PIECE_OCTETS];
    int64_t n = r->params[BYTES_N] < PIECE_OCTETS ? r->params[BYTES_N] : PIECE_OCTETS;

    if (n == 0)
        return reply_end(r);
    if (piece[0] == '\0')
        for (size_t i = 0; i < sizeof(piece); i++)
            piece[i] = line[i % (sizeof(line) - 1)];
    r->params[BYTES_N] -= n;
    return reply_part(r, piece, (size_t)n, bytes_more);
}

struct next
bytes_begin(struct req *r)
{
    reply_begin(r, 200, "text/plain", r->params[BYTES_N]);
    return next_step(bytes_more);
}

/* ---- POST /echo ---- */

static struct next echo_piece(struct req *r);

/* The last piece is on its way: go on with the next one. */
static struct next
echo_more(struct req *r)
{
    return wait_body(r, echo_piece);
}

static struct next
echo_piece(struct req *r)
{
    if (r->body_end)
        return reply_end(r);
    return reply_part(r, r->body, r->body_len, echo_more);
}

/* The first piece or the end is here, so the client was asked for its body: the answer can begin.
 */
static struct next
echo_answer(struct req *r)
{
    struct slice_text type = http_head_field(r->head, "content-type");
    const char *content_type = "application/octet-stream";
    int64_t length = r->head->content_length < 0 ? 0 : r->head->content_length;

    if (type.len > 0 && type.len < 128)
        content_type = arena_copy(&r->arena, type.p, type.len);
    reply_begin(r, 200, content_type, r->head->chunked ? -1 : length);
    return echo_piece(r);
}

struct next
echo_begin(struct req *r)
{
    return wait_body(r, echo_answer);
}
