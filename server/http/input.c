/*
 * input: see input.h. Octets are read into one room that all connections share and used there; only
 * what is left over, part of a head or requests that wait behind one in progress, is copied into
 * memory of the connection's own, READ_ROOM or so at most. What more a client sends stays in the
 * kernel.
 *
 * A pipelined request begins only when the one before it is answered, when there is room for its
 * answer, and at most PIPELINE_TURN of them in one turn.
 */
#include "http/input.h"

#include "common/log.h"
#include "http/body.h"
#include "http/output.h"
#include "http/server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool
input_wanted(const struct http_conn *conn)
{
    switch ((enum conn_state)conn->state) {
    case CONN_IDLE:
    case CONN_HEAD:
        if (conn->out_len > OUT_LOW)
            return false;
        break;
    case CONN_HANDSHAKE:
    case CONN_REQUEST:
    case CONN_SKIP:
    case CONN_LINGER:
        break;
    case CONN_FLUSH:
    case CONN_CLOSED:
    case CONN_STATES:
        return false;
    }
    /* a head as long as allowed, but not at its end, still needs the octet that is too much */
    return conn->in_len <= conn->server->room_size / 2;
}

/* ---- octets ---- */

size_t
input_there(const struct http_conn *conn, const char **p)
{
    const struct http_server *s = conn->server;

    if (s->running == conn) {
        *p = s->view;
        return s->view_len;
    }
    *p = conn_in(conn);
    return conn->in_len;
}

void
input_use(struct http_conn *conn, size_t len)
{
    struct http_server *s = conn->server;

    if (s->running == conn) {
        assert(len <= s->view_len);
        s->view += len;
        s->view_len -= len;
        return;
    }
    assert(len <= conn->in_len);
    conn->in_off += (uint32_t)len;
    conn->in_len -= (uint32_t)len;
}

/* What the read said: `asked` octets were asked for. */
static void
note_read(struct http_conn *conn, ssize_t n, size_t asked)
{
    if (n < 0 && errno == EINTR)
        return;
    if (n < 0) {
        conn->readable = false;
        conn->broken |= errno != EAGAIN;
        return;
    }
    if (n == 0) {
        conn->readable = false;
        conn->fin = conn->eof = true;
        return;
    }
    conn->server->status.bytes_in += (uint64_t)n;
    if ((size_t)n < asked && conn->io->short_read_is_all) {
        conn->readable = false;
        conn->eof = conn->fin; /* the end was announced, and this was all before it */
    }
}

/* One read, behind what is left over from earlier ones. */
static void
read_once(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    size_t asked = s->room_size - conn->in_len;
    ssize_t n;

    if (conn->in_len > 0)
        memcpy(s->room, conn_in(conn), conn->in_len);
    n = conn->io->read(conn, s->room + conn->in_len, asked);
    note_read(conn, n, asked);
    s->view = s->room;
    s->view_len = conn->in_len + (n > 0 ? (size_t)n : 0);
}

void
input_keep(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    char *in;

    if (conn->state >= CONN_FLUSH && s->view_len > 0) { /* there will be no further request */
        conn->linger = true;
        s->view_len = 0;
    }
    if (s->view_len == 0) {
        if (conn->in == NULL)
            return; /* the usual case */
        free(conn->in);
        conn->in = NULL;
        conn->in_off = conn->in_len = conn->in_cap = 0;
        return;
    }
    if (s->view == conn_in(conn) && s->view_len == conn->in_len)
        return; /* nothing was read, nothing used */
    if (conn->in_cap >= s->view_len) {
        memmove(conn->in, s->view, s->view_len);
    } else {
        in = xmalloc(s->view_len);
        memcpy(in, s->view, s->view_len);
        free(conn->in);
        conn->in = in;
        conn->in_cap = (uint32_t)s->view_len;
    }
    conn->in_off = 0;
    conn->in_len = (uint32_t)s->view_len;
}

/* ---- requests ---- */

static void
begin(struct http_conn *conn, struct http_head *head)
{
    struct http_server *s = conn->server;
    void *request;

    http_conn_move(conn, CONN_REQUEST);
    conn->asked = true;
    conn->is_http10 = head->minor == 0 && head->failure == FAIL_NONE;
    conn->is_head = head->method == HTTP_HEAD;
    conn->keep = head->keep_alive;
    conn->closing = false;
    conn->reply = REPLY_NONE;
    body_open(conn, head);
    s->status.requests++;
    conn->in_begin = true;
    request = s->hooks->begin(s->arg, conn, head);
    conn->in_begin = false;
    assert((request != NULL) == (conn->state == CONN_REQUEST));
    conn->request = request;
}

void
input_fail(struct http_conn *conn, enum failure failure, const char *why)
{
    struct http_head head;

    http_head_fail(&head, failure, why);
    conn->linger = true;
    conn->server->view_len = 0;
    begin(conn, &head);
}

/* Begins the next request. False: its head is not there yet. */
static bool
take_head(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    struct http_head head;
    size_t scanned = conn->scanned;
    long n;

    if (s->view_len == 0 || conn->out_len > OUT_LOW)
        return false;
    s->limits.secure = conn_has_tls(conn);
    n = http_head_parse(&head, s->view, s->view_len, &s->limits, &scanned);
    conn->scanned = 0;
    if (n == 0) {
        conn->scanned = (uint32_t)scanned;
        if (conn->state == CONN_IDLE)
            http_conn_move(conn, CONN_HEAD);
        return false;
    }
    if (n < 0) {
        s->status.malformed++;
        conn->linger = true;
        s->view_len = 0;
    } else {
        input_use(conn, (size_t)n);
    }
    begin(conn, &head);
    return true;
}

bool
input_has_head(const struct http_conn *conn)
{
    return !(conn->in_len <= 2 && memcmp(conn_in(conn), "\r\n", conn->in_len) == 0);
}

static void
drop_all(struct http_conn *conn)
{
    conn->body_got += conn->server->view_len;
    conn->server->view_len = 0;
}

void
input_run(struct http_conn *conn)
{
    struct http_server *s = conn->server;
    unsigned begun = 0;

    if (conn->readable && input_wanted(conn))
        read_once(conn);
    while (!conn->broken) {
        switch ((enum conn_state)conn->state) {
        case CONN_HANDSHAKE:
            if (conn_has_tls(conn))
                return;
            input_fail(conn, FAIL_BAD_REQUEST, "this port speaks TLS: ask with https://");
            break;
        case CONN_IDLE:
        case CONN_HEAD:
            if (begun++ == PIPELINE_TURN) {
                http_conn_run_later(conn);
                return;
            }
            if (!take_head(conn))
                return;
            break;
        case CONN_REQUEST:
            if (!body_news(conn))
                return;
            s->hooks->body(conn->request);
            break;
        case CONN_SKIP:
            if (!body_skip(conn))
                return;
            break;
        case CONN_LINGER:
            drop_all(conn);
            return;
        case CONN_FLUSH:
        case CONN_CLOSED:
        case CONN_STATES:
            return;
        }
    }
}
