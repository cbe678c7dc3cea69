/*
 * answer: see answer.h. Owns nothing; the lines Server and Date are the server's, written anew once
 * a second.
 */
#include "http/answer.h"

#include "http/output.h"
#include "http/server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct status_line {
    const char *text;
    size_t len;
};

#define STATUS_LINE(line)                                                                          \
    {                                                                                              \
        "HTTP/1.1 " line "\r\n", sizeof("HTTP/1.1 " line "\r\n") - 1                               \
    }

enum {
    STATUS_FIRST = 200,
    STATUS_END = 600,
    OWN_LINES_MAX = 512, /* all lines but the answer's own fields and its Content-Type */
};

/* The registered phrases (RFC 9110 section 15) of what this server answers. */
static const struct status_line status_lines[STATUS_END - STATUS_FIRST] = {
    [200 - STATUS_FIRST] = STATUS_LINE("200 OK"),
    [201 - STATUS_FIRST] = STATUS_LINE("201 Created"),
    [202 - STATUS_FIRST] = STATUS_LINE("202 Accepted"),
    [204 - STATUS_FIRST] = STATUS_LINE("204 No Content"),
    [206 - STATUS_FIRST] = STATUS_LINE("206 Partial Content"),
    [301 - STATUS_FIRST] = STATUS_LINE("301 Moved Permanently"),
    [302 - STATUS_FIRST] = STATUS_LINE("302 Found"),
    [303 - STATUS_FIRST] = STATUS_LINE("303 See Other"),
    [304 - STATUS_FIRST] = STATUS_LINE("304 Not Modified"),
    [307 - STATUS_FIRST] = STATUS_LINE("307 Temporary Redirect"),
    [308 - STATUS_FIRST] = STATUS_LINE("308 Permanent Redirect"),
    [400 - STATUS_FIRST] = STATUS_LINE("400 Bad Request"),
    [401 - STATUS_FIRST] = STATUS_LINE("401 Unauthorized"),
    [403 - STATUS_FIRST] = STATUS_LINE("403 Forbidden"),
    [404 - STATUS_FIRST] = STATUS_LINE("404 Not Found"),
    [405 - STATUS_FIRST] = STATUS_LINE("405 Method Not Allowed"),
    [406 - STATUS_FIRST] = STATUS_LINE("406 Not Acceptable"),
    [408 - STATUS_FIRST] = STATUS_LINE("408 Request Timeout"),
    [409 - STATUS_FIRST] = STATUS_LINE("409 Conflict"),
    [410 - STATUS_FIRST] = STATUS_LINE("410 Gone"),
    [411 - STATUS_FIRST] = STATUS_LINE("411 Length Required"),
    [412 - STATUS_FIRST] = STATUS_LINE("412 Precondition Failed"),
    [413 - STATUS_FIRST] = STATUS_LINE("413 Content Too Large"),
    [414 - STATUS_FIRST] = STATUS_LINE("414 URI Too Long"),
    [415 - STATUS_FIRST] = STATUS_LINE("415 Unsupported Media Type"),
    [416 - STATUS_FIRST] = STATUS_LINE("416 Range Not Satisfiable"),
    [417 - STATUS_FIRST] = STATUS_LINE("417 Expectation Failed"),
    [421 - STATUS_FIRST] = STATUS_LINE("421 Misdirected Request"),
    [422 - STATUS_FIRST] = STATUS_LINE("422 Unprocessable Content"),
    [426 - STATUS_FIRST] = STATUS_LINE("426 Upgrade Required"),
    [429 - STATUS_FIRST] = STATUS_LINE("429 Too Many Requests"),
    [431 - STATUS_FIRST] = STATUS_LINE("431 Request Header Fields Too Large"),
    [500 - STATUS_FIRST] = STATUS_LINE("500 Internal Server Error"),
    [501 - STATUS_FIRST] = STATUS_LINE("501 Not Implemented"),
    [502 - STATUS_FIRST] = STATUS_LINE("502 Bad Gateway"),
    [503 - STATUS_FIRST] = STATUS_LINE("503 Service Unavailable"),
    [504 - STATUS_FIRST] = STATUS_LINE("504 Gateway Timeout"),
    [505 - STATUS_FIRST] = STATUS_LINE("505 HTTP Version Not Supported"),
};

/* Each of these writes at p and returns where it ended; answer_head() has made room for all. */
static inline char *
put(char *p, const char *text, size_t len)
{
    memcpy(p, text, len);
    return p + len;
}

#define PUT_LITERAL(p, text) put(p, text, sizeof(text) - 1)

static char *
put_number(char *p, uint64_t value)
{
    char digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return put(p, digits + n, sizeof(digits) - n);
}

static char *
put_status_line(char *p, int status)
{
    const struct status_line *row = &status_lines[status - STATUS_FIRST];

    if (row->text != NULL)
        return put(p, row->text, row->len);
    p = PUT_LITERAL(p, "HTTP/1.1 ");
    p = put_number(p, (uint64_t)status);
    return PUT_LITERAL(p, " \r\n");
}

/* Server and Date. The date is that of the wall clock; it is looked at when its second is over. */
static void
write_about(struct http_server *s, uint64_t now)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct timespec ts;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    s->date_next = now + NS_PER_S - (uint64_t)ts.tv_nsec;
    s->about_len = (size_t)snprintf(s->about, sizeof(s->about),
                                    "Server: interleave\r\nDate: %s, %02d %s %d %02d:%02d:%02d GMT"
                                    "\r\n",
                                    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                                    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static char *
put_length(char *p, uint64_t length)
{
    p = PUT_LITERAL(p, "Content-Length: ");
    p = put_number(p, length);
    return PUT_LITERAL(p, "\r\n");
}

static char *
put_framing(char *p, const struct http_conn *conn, int status)
{
    switch ((enum reply_kind)conn->reply) {
    case REPLY_LENGTH:
        return put_length(p, conn->reply_left);
    case REPLY_CHUNKED:
        return PUT_LITERAL(p, "Transfer-Encoding: chunked\r\n");
    case REPLY_NO_BODY: /* what a GET would have had, where that is known */
        if (status != 204 && status != 304 && conn->reply_left != UINT64_MAX)
            return put_length(p, conn->reply_left);
        break;
    case REPLY_UNTIL_CLOSE:
    case REPLY_NONE:
        break;
    }
    return p;
}

static void
count(struct http_status *status, int code)
{
    if (code >= 500)
        status->answers_5xx++;
    else if (code >= 400)
        status->answers_4xx++;
    else
        status->answers_2xx++;
}

bool
answer_has_body(const struct http_conn *conn, int status)
{
    return !conn->is_head && status != 204 && status != 304;
}

void
answer_head(struct http_conn *conn, const struct http_answer *a)
{
    struct http_server *s = conn->server;
    size_t type_len = a->content_type != NULL ? strlen(a->content_type) : 0;
    uint64_t now = server_now(s);
    char *p;

    if (now >= s->date_next)
        write_about(s, now);
    count(&s->status, a->status);
    buf_reserve(&s->out, OWN_LINES_MAX + type_len + a->fields_len);
    p = s->out.data + s->out.len;
    p = put_status_line(p, a->status);
    p = put(p, s->about, s->about_len);
    if (type_len > 0) {
        p = PUT_LITERAL(p, "Content-Type: ");
        p = put(p, a->content_type, type_len);
        p = PUT_LITERAL(p, "\r\n");
    }
    p = put_framing(p, conn, a->status);
    if (a->fields_len > 0)
        p = put(p, a->fields, a->fields_len);
    if (conn->closing && !conn->is_http10)
        p = PUT_LITERAL(p, "Connection: close\r\n");
    else if (!conn->closing && conn->is_http10)
        p = PUT_LITERAL(p, "Connection: keep-alive\r\n");
    p = PUT_LITERAL(p, "\r\n");
    s->out.len = (size_t)(p - s->out.data);
}
