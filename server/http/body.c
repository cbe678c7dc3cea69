/*
 * body: the body of the request in progress, pulled by the one above. Octets wait in c->in until
 * they are asked for, at most INPUT_MAX of them: then reading stops, and TCP slows the sender down.
 */
#include "common/clock.h"
#include "http/conn.h"

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

enum { BODY_RATE = 64 * 1024 /* octets a second that a sender must reach in the mean */ };

/* A sender has body_timeout, and a second more for each 64 KiB that have come. */
static void
set_timer(struct http_conn *c)
{
    uint64_t allowed =
        (uint64_t)c->server->conf->body_timeout * NS_PER_MS + c->body_got * NS_PER_S / BODY_RATE;
    uint64_t end = c->body_start + allowed;

    wheel_set(c, TIMER_BODY, end > c->server->now ? end - c->server->now : 0);
}

void
body_begin(struct http_conn *c, const struct http_head *head)
{
    c->body = BODY_NONE;
    c->body_done = true;
    c->body_bad = c->body_wanted = false;
    c->body_failure = FAIL_NONE;
    c->expect_continue = head->expect_continue;
    c->body_got = 0;
    c->body_start = c->server->now;
    if (head->chunked) {
        c->body = BODY_CHUNKED;
        c->body_done = false;
        chunk_init(&c->chunks);
    } else if (head->content_length > 0) {
        c->body = BODY_LENGTH;
        c->body_done = false;
        c->body_left = (uint64_t)head->content_length;
    }
}

static enum http_body_state
fail(struct http_conn *c, enum failure failure, enum failure *why)
{
    c->body_bad = true;
    c->body_failure = failure;
    *why = failure;
    return HTTP_BODY_FAILED;
}

/* The next octets that are here, undone from their coding. */
static enum http_body_state
next_piece(struct http_conn *c, const void **data, size_t *len, enum failure *why)
{
    const char *in = c->in.data + c->in_used, *piece = NULL, *sentence;
    size_t have = c->in.len - c->in_used, used = 0;

    if (c->body == BODY_LENGTH) {
        if (c->body_left == 0)
            return HTTP_BODY_END;
        if (have == 0)
            return HTTP_BODY_MORE;
        *data = in;
        *len = have < c->body_left ? have : (size_t)c->body_left;
        c->in_used += *len;
        c->body_left -= *len;
        return HTTP_BODY_PIECE;
    }
    if (have == 0)
        return HTTP_BODY_MORE;
    switch (chunk_decode(&c->chunks, in, have, &used, &piece, len, &sentence)) {
    case CHUNK_DATA:
        c->in_used += used;
        *data = piece;
        return HTTP_BODY_PIECE;
    case CHUNK_MORE:
        c->in_used += used;
        return HTTP_BODY_MORE;
    case CHUNK_END:
        c->in_used += used;
        return HTTP_BODY_END;
    case CHUNK_BAD:
        break;
    }
    return fail(c, FAIL_BAD_REQUEST, why);
}

enum http_body_state
http_body(struct http_conn *c, uint64_t limit, const void **data, size_t *len, enum failure *why)
{
    enum http_body_state state;

    if (c->body_bad) {
        *why = c->body_failure;
        return HTTP_BODY_FAILED;
    }
    if (c->body_done)
        return HTTP_BODY_END;
    if (c->body == BODY_LENGTH && c->body_got == 0 && c->body_left > limit)
        return fail(c, FAIL_BODY_TOO_LARGE, why);
    state = next_piece(c, data, len, why);
    switch (state) {
    case HTTP_BODY_PIECE:
        c->body_got += *len;
        if (c->body_got > limit)
            return fail(c, FAIL_BODY_TOO_LARGE, why);
        break;
    case HTTP_BODY_END:
        c->body_done = true;
        c->body_wanted = false;
        if (c->timer == TIMER_BODY)
            wheel_set(c, TIMER_NONE, 0);
        break;
    case HTTP_BODY_MORE:
        c->body_wanted = true;
        if (c->expect_continue) {
            c->expect_continue = false;
            buf_add(&c->out, continue_line, sizeof(continue_line) - 1);
            http_conn_later(c);
        }
        set_timer(c);
        http_conn_arm(c);
        break;
    case HTTP_BODY_FAILED:
        break;
    }
    return state;
}

bool
body_skip(struct http_conn *c)
{
    const void *data;
    size_t len;
    enum failure why;

    if (c->body_done)
        return true;
    if (c->body_bad || c->expect_continue)
        return false;
    for (;;) {
        switch (next_piece(c, &data, &len, &why)) {
        case HTTP_BODY_PIECE:
            continue;
        case HTTP_BODY_END:
            c->body_done = true;
            return true;
        case HTTP_BODY_MORE:
        case HTTP_BODY_FAILED:
            return false;
        }
    }
}

void
body_arrived(struct http_conn *c)
{
    if (!c->body_wanted || c->request == NULL)
        return;
    c->body_wanted = false;
    c->server->hooks->body(c->request);
}
