/*
 * reply: the answering half of http.h. An answer belongs to the request in progress; what is said
 * after its client has gone is ignored, so that callers need not ask first.
 */
#include "http/answer.h"
#include "http/body.h"
#include "http/input.h"
#include "http/output.h"
#include "http/server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Must the connection close behind this answer? */
static bool
is_last(const struct http_conn *conn, const struct http_answer *a)
{
    return a->close || !conn->keep || conn->linger || conn->server->draining;
}

/* Something was done for it from outside its own callbacks: does more follow? */
static void
after_late(struct http_conn *conn)
{
    bool between = conn->state == CONN_IDLE || conn->state == CONN_SKIP;

    if (conn->broken || conn->state == CONN_FLUSH || (between && conn->in != NULL) ||
        (conn->readable && input_wanted(conn)) || (conn->wants_drained && conn->out_len <= OUT_LOW))
        http_conn_run_later(conn);
    timer_watch(conn);
}

/* The answer is complete: the connection goes on to the next request, or ends. */
static void
finish(struct http_conn *conn)
{
    conn->request = NULL;
    conn->wants_drained = false;
    conn->body_waiting = false;
    conn->reply = REPLY_NONE;
    if (!body_can_skip(conn))
        conn->closing = conn->linger = true;
    if (conn->closing) {
        conn->linger |= body_is_unread(conn);
        http_conn_move(conn, CONN_FLUSH);
    } else if (body_is_unread(conn)) {
        http_conn_move(conn, CONN_SKIP);
        body_skip_open(conn);
    } else {
        http_conn_move(conn, CONN_IDLE);
    }
    if (conn->server->running != conn)
        after_late(conn);
}

void
http_reply(struct http_conn *conn, const struct http_answer *a, const void *body, size_t len)
{
    struct http_server *s = conn->server;
    struct output_more more = {.data = body, .len = len};
    size_t base = s->out.len;

    if (conn->state != CONN_REQUEST)
        return;
    assert(conn->reply == REPLY_NONE);
    conn->closing = is_last(conn, a) || !body_can_skip(conn);
    conn->reply = answer_has_body(conn, a->status) ? REPLY_LENGTH : REPLY_NO_BODY;
    conn->reply_left = len;
    answer_head(conn, a);
    if (conn->reply == REPLY_NO_BODY) {
        more.len = 0;
    } else if (len <= COPY_MAX) {
        buf_add(&s->out, body, len);
        more.len = 0;
    }
    output_commit(conn, base, more.len > 0 ? &more : NULL, true);
    finish(conn);
}

void
http_reply_begin(struct http_conn *conn, const struct http_answer *a)
{
    struct http_server *s = conn->server;
    size_t base;

    if (conn->state != CONN_REQUEST)
        return;
    assert(conn->reply == REPLY_NONE);
    if (conn->continue_due && a->status < 300) /* it means to read the body after all */
        output_continue(conn);
    conn->closing = is_last(conn, a);
    conn->reply_left = a->length >= 0 ? (uint64_t)a->length : UINT64_MAX;
    if (!answer_has_body(conn, a->status))
        conn->reply = REPLY_NO_BODY;
    else if (a->length >= 0)
        conn->reply = REPLY_LENGTH;
    else
        conn->reply = conn->is_http10 ? REPLY_UNTIL_CLOSE : REPLY_CHUNKED;
    conn->closing |= conn->reply == REPLY_UNTIL_CLOSE;
    base = s->out.len;
    answer_head(conn, a);
    output_commit(conn, base, NULL, false);
}

/* One part as it goes over the wire. */
static void
add_part(struct http_conn *conn, const void *data, size_t len)
{
    struct http_server *s = conn->server;
    struct output_more more = {.data = data, .len = len};
    size_t base = s->out.len;

    if (conn->reply == REPLY_CHUNKED) {
        char size[20];

        buf_add(&s->out, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", len));
        more.tail = "\r\n";
        more.tail_len = 2;
    }
    if (len > COPY_MAX) {
        output_commit(conn, base, &more, false);
        return;
    }
    buf_add(&s->out, data, len);
    buf_add(&s->out, more.tail, more.tail_len);
    output_commit(conn, base, NULL, false);
}

bool
http_reply_part(struct http_conn *conn, const void *data, size_t len)
{
    if (conn->state != CONN_REQUEST)
        return false;
    assert(conn->reply != REPLY_NONE);
    if (conn->reply == REPLY_LENGTH) {
        assert(len <= conn->reply_left);
        conn->reply_left -= len;
    }
    if (len > 0 && conn->reply != REPLY_NO_BODY)
        add_part(conn, data, len);
    if (output_has_room(conn))
        return true;
    conn->wants_drained = true;
    if (conn->server->running != conn)
        after_late(conn);
    return false;
}

void
http_reply_end(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    size_t base = s->out.len;

    if (conn->state != CONN_REQUEST)
        return;
    assert(conn->reply != REPLY_NONE && (conn->reply != REPLY_LENGTH || conn->reply_left == 0));
    if (conn->reply == REPLY_CHUNKED) {
        buf_add_text(&s->out, "0\r\n\r\n");
        output_commit(conn, base, NULL, false);
    }
    finish(conn);
}

void
http_reply_abort(struct http_conn *conn)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (conn->state != CONN_REQUEST)
        return;
    if (conn->reply == REPLY_UNTIL_CLOSE) { /* a close would look like its proper end */
        setsockopt(conn_fd(conn), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        conn->broken = true;
    }
    conn->closing = true;
    finish(conn);
}
