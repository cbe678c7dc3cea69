/*
 * output: answers on their way out. An answer is formatted into the connection's buffer, taken from
 * a pool and given back when it is empty; all that a turn has gathered is written at once. EV_WRITE
 * is armed only after EAGAIN.
 */
#include "common/clock.h"
#include "http/conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct status_line {
    int status;
    const char *line;
    size_t len;
};

#define LINE(code, phrase)                                                                         \
    {                                                                                              \
        code, "HTTP/1.1 " #code " " phrase "\r\nServer: interleave\r\nDate: ",                     \
            sizeof("HTTP/1.1 " #code " " phrase "\r\nServer: interleave\r\nDate: ") - 1            \
    }

/* The reason phrases of RFC 9110 section 15; the first row is the frequent one. */
static const struct status_line status_lines[] = {
    LINE(200, "OK"),
    LINE(201, "Created"),
    LINE(204, "No Content"),
    LINE(304, "Not Modified"),
    LINE(400, "Bad Request"),
    LINE(403, "Forbidden"),
    LINE(404, "Not Found"),
    LINE(405, "Method Not Allowed"),
    LINE(408, "Request Timeout"),
    LINE(409, "Conflict"),
    LINE(413, "Content Too Large"),
    LINE(414, "URI Too Long"),
    LINE(415, "Unsupported Media Type"),
    LINE(417, "Expectation Failed"),
    LINE(421, "Misdirected Request"),
    LINE(431, "Request Header Fields Too Large"),
    LINE(500, "Internal Server Error"),
    LINE(501, "Not Implemented"),
    LINE(502, "Bad Gateway"),
    LINE(503, "Service Unavailable"),
    LINE(504, "Gateway Timeout"),
    LINE(505, "HTTP Version Not Supported"),
    LINE(507, "Insufficient Storage"),
};

static const struct status_line *
status_line(int status)
{
    size_t n = sizeof(status_lines) / sizeof(status_lines[0]);

    for (size_t i = 0; i < n; i++)
        if (status_lines[i].status == status)
            return &status_lines[i];
    return status_line(500);
}

/* The Date field (RFC 9110 6.6.1), made once a second. */
static void
refresh_date(struct http_server *s)
{
    struct tm tm;
    time_t now;

    if (s->date_len > 0 && s->now / NS_PER_S == s->date_s)
        return;
    s->date_s = s->now / NS_PER_S;
    now = time(NULL);
    gmtime_r(&now, &tm);
    s->date_len = strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
}

static void
count_status(struct http_server *s, int status)
{
    if (status < 400)
        s->count.answers_2xx++;
    else if (status < 500)
        s->count.answers_4xx++;
    else
        s->count.answers_5xx++;
}

static void
add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

/* Decides whether the connection lives on, and writes the head of the answer. length -1: chunked,
 * or until close for HTTP/1.0. */
static void
add_head(struct http_conn *c, const struct http_answer *a, int64_t length)
{
    struct http_server *s = c->server;
    const struct status_line *line = status_line(a->status);
    struct buf *b = &c->out;

    count_status(s, a->status);
    refresh_date(s);
    if (c->keep_alive &&
        (a->close || s->draining || (length < 0 && c->minor == 0)))
        c->keep_alive = false;
    buf_reserve(b, line->len + s->date_len + a->fields_len + 256);
    buf_add(b, line->line, line->len);
    buf_add(b, s->date, s->date_len);
    if (a->content_type != NULL) {
        buf_add(b, "Content-Type: ", 14);
        add_text(b, a->content_type);
        buf_add(b, "\r\n", 2);
    }
    if (length >= 0 && a->status != 204 && a->status != 304) {
        buf_add(b, "Content-Length: ", 16);
        buf_add_u64(b, (uint64_t)length);
        buf_add(b, "\r\n", 2);
    } else if (length < 0 && c->minor > 0) {
        add_text(b, "Transfer-Encoding: chunked\r\n");
    }
    buf_add(b, a->fields, a->fields_len);
    if (!c->keep_alive)
        add_text(b, "Connection: close\r\n");
    else if (c->minor == 0)
        add_text(b, "Connection: keep-alive\r\n");
    buf_add(b, "\r\n", 2);
}

void
http_reply(struct http_conn *c, const struct http_answer *a, const void *body, size_t len)
{
    if (c->state != CONN_BUSY)
        return;
    http_conn_take_buf(c->server, &c->out);
    c->keep_alive = c->keep_alive && body_skip(c);
    add_head(c, a, (int64_t)len);
    if (!c->head_only)
        buf_add(&c->out, body, len);
    c->answered = true;
    http_conn_later(c);
    http_conn_answered(c);
}

void
http_reply_begin(struct http_conn *c, const struct http_answer *a)
{
    if (c->state != CONN_BUSY)
        return;
    http_conn_take_buf(c->server, &c->out);
    /* a body still to be read does not close the connection here: parts may depend on it */
    add_head(c, a, a->length);
    c->answering = true;
    c->answer_chunked = a->length < 0 && c->minor > 0;
    c->answer_left = a->length;
    http_conn_later(c);
}

bool
http_reply_part(struct http_conn *c, const void *data, size_t len)
{
    char size[24];

    if (c->state != CONN_BUSY)
        return true; /* the client has gone: gone() is on its way, or was called */
    if (len > 0 && !c->head_only) {
        http_conn_take_buf(c->server, &c->out);
        if (c->answer_chunked)
            buf_add(&c->out, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", len));
        buf_add(&c->out, data, len);
        if (c->answer_chunked)
            buf_add(&c->out, "\r\n", 2);
        http_conn_later(c);
    }
    if (c->answer_left > 0)
        c->answer_left -= (int64_t)len;
    if (output_unsent(c) < OUTPUT_HIGH)
        return true;
    c->want_drained = true;
    return false;
}

void
http_reply_end(struct http_conn *c)
{
    if (c->state != CONN_BUSY)
        return;
    if (c->answer_chunked && !c->head_only)
        buf_add(&c->out, "0\r\n\r\n", 5);
    if (!c->answer_chunked && c->answer_left > 0 && !c->head_only)
        c->keep_alive = false; /* fewer octets than promised */
    c->answered = true;
    http_conn_later(c);
    http_conn_answered(c);
}

void
http_reply_abort(struct http_conn *c)
{
    if (c->state != CONN_BUSY)
        return;
    c->request = NULL;
    http_conn_close(c, FAIL_NONE);
}

size_t
output_unsent(const struct http_conn *c)
{
    return c->out.len - c->out_sent;
}

/* All is written: the buffer goes back, and the connection may have reached its end. */
static void
all_sent(struct http_conn *c)
{
    c->out.len = c->out_sent = 0;
    if (c->out.data != NULL)
        http_conn_give_buf(c->server, &c->out);
    if (c->timer != TIMER_WRITE && c->timer != TIMER_NONE)
        return;
    c->timer = TIMER_NONE;
    if (c->state == CONN_IDLE)
        wheel_set(c, TIMER_IDLE, (uint64_t)c->server->conf->idle_timeout * NS_PER_MS);
}

void
output_flush(struct http_conn *c)
{
    size_t unsent = output_unsent(c), at_most = (size_t)c->server->conf->max_bytes_per_turn;
    ssize_t n;

    if (c->state == CONN_CLOSED || unsent == 0)
        return;
    n = c->io->write(c, c->out.data + c->out_sent, unsent < at_most ? unsent : at_most);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        http_conn_close(c, FAIL_CLIENT_GONE);
        return;
    }
    if (n > 0) {
        c->server->count.bytes_out += (uint64_t)n;
        c->out_sent += (size_t)n;
        if (c->timer == TIMER_WRITE)
            c->timer = TIMER_NONE; /* progress: the stall is over, or begins anew */
    }
    if (output_unsent(c) == 0) {
        all_sent(c);
    } else {
        if (c->out_sent > OUTPUT_HIGH) {
            buf_consume(&c->out, c->out_sent);
            c->out_sent = 0;
        }
        if (c->timer != TIMER_WRITE)
            wheel_set(c, TIMER_WRITE, (uint64_t)c->server->conf->write_timeout * NS_PER_MS);
    }
    if (c->want_drained && c->request != NULL && output_unsent(c) < OUTPUT_LOW) {
        c->want_drained = false;
        c->server->hooks->drained(c->request);
    }
}
