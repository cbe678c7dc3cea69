/*
 * target: see target.h. Pure. Three of the four forms: "/path?query", "http://host/path?query"
 * (https over TLS) and, for OPTIONS, "*". The fourth belongs to CONNECT, which no origin server
 * needs.
 */
#include "http/target.h"

#include "http/grammar.h"

#include <arpa/inet.h>
#include <string.h>

static const char slash[] = "/";
static const char star[] = "*";

static int
refuse(struct http_head *head, const char *why)
{
    head->failure = FAIL_BAD_REQUEST;
    head->why = why;
    return -1;
}

/* Path and query: every octet is one of RFC 3986's, every '%' has its two digits. */
static int
read_origin(struct http_head *head, const char *p, const char *end)
{
    const char *start = p, *question = NULL;

    while (p < end) {
        if (octet_is(*p, OCTET_TARGET)) {
            if (*p == '?' && question == NULL)
                question = p;
            p++;
        } else if (grammar_is_escape(p, end)) {
            p += 3;
        } else {
            return refuse(head, *p == '%' ? "a malformed escape in the target (RFC 3986 2.1)"
                                          : "an octet that a target can't have (RFC 3986 3.3)");
        }
    }
    head->target = (struct slice_text){start, (size_t)(end - start)};
    head->path = head->target;
    head->query = (struct slice_text){end, 0};
    if (question != NULL) {
        head->path.len = (size_t)(question - start);
        head->query = (struct slice_text){question + 1, (size_t)(end - question) - 1};
    }
    return 0;
}

/* The path is missing: "/" stands for it, and the target is that path, even with a query. */
static int
read_pathless(struct http_head *head, const char *p, const char *end)
{
    if (p < end && read_origin(head, p, end) != 0)
        return -1;
    if (p == end)
        head->query = (struct slice_text){end, 0};
    head->target = head->path = (struct slice_text){slash, 1};
    if (p == end && head->method == HTTP_OPTIONS)
        head->target = head->path = (struct slice_text){star, 1};
    return 0;
}

static int
read_absolute(struct http_head *head, const char *p, const char *end)
{
    const char *host = p;

    while (p < end && *p != '/' && *p != '?')
        p++;
    head->host = (struct slice_text){host, (size_t)(p - host)};
    if (!target_is_host(head->host.p, head->host.len))
        return refuse(head, "an absolute target without a valid host (RFC 9110 4.2.1, 4.2.4)");
    if (p < end && *p == '/')
        return read_origin(head, p, end);
    return read_pathless(head, p, end);
}

int
target_read(struct http_head *head)
{
    const char *scheme = head->secure ? "https://" : "http://"; /* RFC 9110 7.4 */
    const size_t len = strlen(scheme);
    const char *p = head->target.p, *end = p + head->target.len;

    if (p < end && *p == '/')
        return read_origin(head, p, end);
    if (head->target.len == 1 && *p == '*') {
        if (head->method != HTTP_OPTIONS)
            return refuse(head, "the target * is for OPTIONS only (RFC 9112 3.2.4)");
        head->path = head->target;
        head->query = (struct slice_text){end, 0};
        return 0;
    }
    for (size_t i = 0; i < len; i++)
        if (p + i >= end || (octet_is(p[i], OCTET_NAME) ? p[i] | 0x20 : p[i]) != scheme[i])
            return refuse(head, "a target in none of the forms of RFC 9112 3.2");
    return read_absolute(head, p + len, end);
}

/* "[::1]". The other kind of literal, "[v1.x]", is for addresses that nobody has yet. */
static const char *
skip_literal(const char *p, const char *end)
{
    const char *start = p + 1, *stop = memchr(p, ']', (size_t)(end - p));
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    size_t len;

    if (stop == NULL || (size_t)(stop - start) >= sizeof(text))
        return NULL;
    len = (size_t)(stop - start);
    memcpy(text, start, len);
    text[len] = '\0';
    return strlen(text) == len && inet_pton(AF_INET6, text, &address) == 1 ? stop + 1 : NULL;
}

static const char *
skip_name(const char *p, const char *end)
{
    const char *start = p;

    while (p < end) {
        if (octet_is(*p, OCTET_NAME))
            p++;
        else if (grammar_is_escape(p, end))
            p += 3;
        else
            break;
    }
    return p > start ? p : NULL;
}

static bool
is_port(const char *p, const char *end)
{
    unsigned port = 0;

    for (; p < end; p++) {
        if (!octet_is(*p, OCTET_DIGIT))
            return false;
        port = port * 10 + (unsigned)(*p - '0');
        if (port > 65535)
            return false;
    }
    return true;
}

bool
target_is_host(const char *p, size_t len)
{
    const char *end = p + len;

    if (len == 0)
        return false;
    p = *p == '[' ? skip_literal(p, end) : skip_name(p, end);
    if (p == NULL)
        return false;
    return p == end || (*p == ':' && is_port(p + 1, end));
}
