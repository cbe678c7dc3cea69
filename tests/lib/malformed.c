/*
 * malformed: see malformed.h. The rows stand in malformed_*.inc, by subject; the head of each has
 * the rules of its subject. What those files do not hold of the MUSTs that concern an origin server
 * needs more than octets and an answer:
 *
 *   RFC 9112 2.2, 6.3  a connection that ends within a message    loop/test_http_clients
 *   RFC 9112 9.3.2     pipelined requests keep their order        loop/test_http
 *   RFC 9112 9.5       time-outs                                  loop/test_http_clients
 *   RFC 9112 9.6       a closing server goes on reading           loop/test_http
 *   RFC 9112 9.8       TLS: closure alerts                        loop/test_tls*
 *   RFC 9110 6.6.1     the form of Date                           web_world, strip_about()
 *   RFC 9110 10.1.1    when 100 is sent, and when not             loop/test_http_bodies
 *   RFC 9110 10.2.1    Allow in 405                               e2e/test_requests
 *   RFC 9110 15.5.14   413 before a body is read                  loop/test_http_bodies
 *
 * The strict choice where the RFCs leave one: what two readers might take differently is refused.
 */
#include "malformed.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the table ---- */

#define ROW(END, ALLOWED, SECTION, NAME, OCTETS, BODY)                                             \
    {                                                                                              \
        NAME, "RFC " SECTION, ALLOWED, OCTETS, sizeof(OCTETS) - 1, END, BODY                       \
    }
/* Accepted, and the connection goes on: 200; 200 and this body; something else. */
#define OK(section, name, octets)            ROW(GOES_ON, "200", section, name, octets, NULL)
#define ECHO(section, name, octets, body)    ROW(GOES_ON, "200", section, name, octets, body)
#define GOES(allowed, section, name, octets) ROW(GOES_ON, allowed, section, name, octets, NULL)
/* Accepted, as the last one. */
#define LAST(section, name, octets) ROW(CLOSES, "200", section, name, octets, NULL)
/* Refused. */
#define NO(allowed, section, name, octets) ROW(CLOSES, allowed, section, name, octets, NULL)

#define HOST "Host: localhost\r\n"
/* Requests around the part that matters: the request line; the target; all fields; fields behind
 * Host; likewise in HTTP/1.0; likewise of /echo. */
#define LINE(line)     line "\r\n" HOST "\r\n"
#define TARGET(target) LINE("GET " target " HTTP/1.1")
#define HEAD(fields)   "GET /plaintext HTTP/1.1\r\n" fields "\r\n"
#define GET(fields)    HEAD(HOST fields)
#define OLD(fields)    "GET /plaintext HTTP/1.0\r\n" HOST fields "\r\n"
#define POST(fields)   "POST /echo HTTP/1.1\r\n" HOST fields "\r\n"
/* The value of Content-Length and a body; the value of Transfer-Encoding; chunks. */
#define LENGTH(value, body) POST("Content-Length:" value "\r\n") body
#define CODING(value)       POST("Transfer-Encoding:" value "\r\n") ABC_IN_CHUNKS
#define CHUNKS(body)        POST("Transfer-Encoding: chunked\r\n") body
#define ABC_IN_CHUNKS       "3\r\nabc\r\n0\r\n\r\n"
/* Octets that look like a request, and the field that says how many they are (0x2b). */
#define SMUGGLED  "GET /smuggled HTTP/1.1\r\n" HOST "\r\n"
#define LENGTH_43 "Content-Length: 43\r\n"
_Static_assert(sizeof(SMUGGLED) - 1 == 43, "the rows say so");

#define TEN(x)      x x x x x x x x x x
#define HUNDRED(x)  TEN(TEN(x))
#define THOUSAND(x) TEN(HUNDRED(x))

const struct malformed malformed_table[] = {
#include "malformed_lines.inc"

#include "malformed_target.inc"

#include "malformed_fields.inc"

#include "malformed_length.inc"

#include "malformed_chunks.inc"
};

const size_t malformed_count = sizeof(malformed_table) / sizeof(malformed_table[0]);

int
malformed_status(const struct malformed *m)
{
    return atoi(m->allowed);
}

bool
malformed_is_refused(const struct malformed *m)
{
    return m->end == CLOSES && malformed_status(m) >= 400;
}

/* Is the row's request one of HTTP/1.0? */
static bool
is_old(const struct malformed *m)
{
    const char *end = memchr(m->octets, '\r', m->len);

    return end != NULL && end - m->octets > 9 && memcmp(end - 9, " HTTP/1.0", 9) == 0;
}

/* ---- answers ---- */

/* The fields of one answer that say where it ends. */
struct head {
    int status;
    long length; /* -1: none */
    bool chunked, close, date, allow;
};

static bool
wrong(struct malformed_answers *a, const char *what)
{
    snprintf(a->mistake, sizeof(a->mistake), "%s", what);
    return false;
}

/* A whole line, without its CRLF: *p is moved behind it. NULL: it is not there. */
static const char *
take_line(const char **p, const char *end, size_t *len)
{
    const char *line = *p, *crlf = memmem(line, (size_t)(end - line), "\r\n", 2);

    if (crlf == NULL)
        return NULL;
    *len = (size_t)(crlf - line);
    *p = crlf + 2;
    return line;
}

static bool
starts(const char *line, size_t len, const char *text)
{
    return len >= strlen(text) && strncasecmp(line, text, strlen(text)) == 0;
}

static bool
take_head(const char **p, const char *end, struct head *head, struct malformed_answers *a)
{
    size_t len;
    const char *line = take_line(p, end, &len);

    *head = (struct head){.length = -1};
    if (line == NULL || !starts(line, len, "HTTP/1.1 ") || len < 13 || line[12] != ' ')
        return wrong(a, "no status line where one must be");
    head->status = atoi(line + 9);
    while ((line = take_line(p, end, &len)) != NULL && len > 0) {
        if (starts(line, len, "content-length: "))
            head->length = atol(line + 16);
        head->chunked |= starts(line, len, "transfer-encoding: chunked");
        head->close |= starts(line, len, "connection: close");
        head->date |= starts(line, len, "date: ");
        head->allow |= starts(line, len, "allow: ");
    }
    return line != NULL || wrong(a, "a head that does not end");
}

/* Rules that hold for each answer. */
static bool
check_head(const struct malformed *m, const struct head *head, bool real,
           struct malformed_answers *a)
{
    bool interim = head->status < 200, first = a->count == 0;

    if ((interim || head->status == 204) && (head->length >= 0 || head->chunked))
        return wrong(a, "a length or coding with 1xx or 204 (RFC 9110 8.6, RFC 9112 6.1)");
    if (head->length >= 0 && head->chunked)
        return wrong(a, "both a length and a coding (RFC 9112 6.2)");
    if (head->chunked && first && is_old(m))
        return wrong(a, "a coding for HTTP/1.0 (RFC 9112 6.1)");
    if (interim && (is_old(m) || strcasestr(m->octets, "100-continue") == NULL))
        return wrong(a, "1xx for HTTP/1.0, or that nobody asked for (RFC 9110 10.1.1, 15.2)");
    if (interim && head->status != 100)
        return wrong(a, "1xx other than 100");
    if (real && !interim && !head->date)
        return wrong(a, "no Date (RFC 9110 6.6.1)");
    if (real && head->status == 405 && !head->allow)
        return wrong(a, "405 without Allow (RFC 9110 15.5.6)");
    return true;
}

/* So many octets of a body; those of the first answer are kept. False: fewer are there. */
static bool
take_octets(const char **p, const char *end, size_t len, struct malformed_answers *a)
{
    size_t there = (size_t)(end - *p), room = sizeof(a->body) - a->body_len;
    size_t n = len < there ? len : there;

    if (a->count == 1 && n > 0) {
        memcpy(a->body + a->body_len, *p, n < room ? n : room);
        a->body_len += n < room ? n : room;
    }
    *p += n;
    return n == len;
}

static bool
take_chunks(const char **p, const char *end, struct malformed_answers *a)
{
    const char *line;
    size_t len, size;

    do {
        line = take_line(p, end, &len);
        if (line == NULL || len == 0 || !isxdigit((unsigned char)*line))
            return false;
        size = strtoul(line, NULL, 16);
        if (!take_octets(p, end, size, a))
            return false;
        line = take_line(p, end, &len);
        if (line == NULL || len > 0)
            return false;
    } while (size > 0);
    return true;
}

static bool
take_body(const char **p, const char *end, const struct head *head, struct malformed_answers *a)
{
    if (head->chunked)
        return take_chunks(p, end, a);
    if (head->length >= 0)
        return take_octets(p, end, (size_t)head->length, a);
    return take_octets(p, end, (size_t)(end - *p), a); /* until the connection closes */
}

void
malformed_read_answers(const struct malformed *m, const char *text, size_t len, bool real,
                       struct malformed_answers *a)
{
    const char *p = text, *end = text + len;

    *a = (struct malformed_answers){.whole = true};
    while (p < end && a->whole) {
        bool bodiless = a->count == 0 && m->len > 5 && memcmp(m->octets, "HEAD ", 5) == 0;
        struct head head;

        if (!take_head(&p, end, &head, a) || !check_head(m, &head, real, a))
            return;
        if (head.status < 200) {
            a->interim++;
            continue;
        }
        if (a->count++ == 0) {
            a->status = head.status;
            a->says_close = head.close;
        } else if (a->count == 2) {
            a->second = head.status;
        }
        if (!bodiless && head.status != 204 && head.status != 304)
            a->whole = take_body(&p, end, &head, a);
    }
}

/* ---- the verdict ---- */

/* The answer of /echo may have begun when the body turns bad: then it is broken off. */
static bool
is_broken_off(const struct malformed *m, const struct malformed_answers *a)
{
    return malformed_is_refused(m) && malformed_status(m) == 400 && a->status == 200 && !a->whole;
}

static bool
answers_last(const struct malformed *m, const struct malformed_answers *a, const char **why)
{
    bool broken = is_broken_off(m, a);

    *why = "octets behind it were taken for a request";
    if (a->count != 1)
        return false;
    *why = "the answer is not whole";
    if (!a->whole && !broken)
        return false;
    *why = "the answer does not say Connection: close";
    return a->says_close || broken || (!malformed_is_refused(m) && is_old(m));
}

static bool
answers_and_goes_on(const struct malformed *m, const struct malformed_answers *a, const char **why)
{
    *why = "what came behind it was not answered as the next request";
    if (a->count != 2 || a->second != 200 || !a->whole)
        return false;
    *why = "the answer says Connection: close";
    if (a->says_close)
        return false;
    *why = "another body came back";
    return m->body == NULL ||
           (a->body_len == strlen(m->body) && memcmp(a->body, m->body, a->body_len) == 0);
}

bool
malformed_is_answered(const struct malformed *m, const struct malformed_answers *a, bool real,
                      char *why, size_t size)
{
    int wanted = real || malformed_is_refused(m) ? malformed_status(m) : 200;
    const char *what = a->mistake;
    bool right = a->mistake[0] == '\0';

    if (right) {
        what = "another status";
        right = a->status == wanted || is_broken_off(m, a);
    }
    if (right && m->end == CLOSES)
        right = answers_last(m, a, &what);
    else if (right)
        right = answers_and_goes_on(m, a, &what);
    if (!right)
        snprintf(why, size, "%s (%s): %s: %d, then %d; %u answers, allowed %s", m->name, m->section,
                 what, a->status, a->second, a->count, m->allowed);
    return right;
}
