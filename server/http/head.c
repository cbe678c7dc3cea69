/*
 * head: the parser of request heads. Strict RFC 9112, with the strict choice wherever there is one:
 * what two servers could read differently is refused (request smuggling lives there).
 *
 *   find the end: line by line, every LF must follow a CR      -> more octets needed, or refused
 *   request line: method SP target SP HTTP/1.x
 *   fields: name ":" OWS value OWS, no folding
 *   framing: Content-Length, Transfer-Encoding; then Host, Connection, Expect
 *
 * Pure functions; nothing is copied, slices point into the octets given.
 */
#include "http/head.h"

#include <string.h>
#include <strings.h>

enum {
    IS_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    IS_VALUE = 2,  /* field-vchar, SP, HTAB, obs-text: RFC 9110 5.5 */
    IS_TARGET = 4, /* pchar, "/", "?" without "%": RFC 3986 3.3, 3.4 */
    IS_HOST = 8,   /* reg-name, IP-literal and port without "%": RFC 3986 3.2.2 */
    IS_HEX = 16,
};

enum { DIGITS_MAX = 18 };

#define T IS_TOKEN
#define V IS_VALUE
#define G IS_TARGET
#define H IS_HOST

static const unsigned char octet_class[256] = {
    ['\t'] = V,
    [' '] = V,
    ['!'] = T | V | G | H,
    ['"'] = V,
    ['#'] = T | V,
    ['$'] = T | V | G | H,
    ['%'] = T | V,
    ['&'] = T | V | G | H,
    ['\''] = T | V | G | H,
    ['('] = V | G | H,
    [')'] = V | G | H,
    ['*'] = T | V | G | H,
    ['+'] = T | V | G | H,
    [','] = V | G | H,
    ['-'] = T | V | G | H,
    ['.'] = T | V | G | H,
    ['/'] = V | G,
    ['0' ... '9'] = T | V | G | H | IS_HEX,
    [':'] = V | G | H,
    [';'] = V | G | H,
    ['<'] = V,
    ['='] = V | G | H,
    ['>'] = V,
    ['?'] = V | G,
    ['@'] = V | G,
    ['A' ... 'F'] = T | V | G | H | IS_HEX,
    ['G' ... 'Z'] = T | V | G | H,
    ['['] = V | H,
    ['\\'] = V,
    [']'] = V | H,
    ['^'] = T | V,
    ['_'] = T | V | G | H,
    ['`'] = T | V,
    ['a' ... 'f'] = T | V | G | H | IS_HEX,
    ['g' ... 'z'] = T | V | G | H,
    ['{'] = V,
    ['|'] = T | V,
    ['}'] = V,
    ['~'] = T | V | G | H,
    [0x80 ... 0xff] = V,
};

const char *const http_method_names[HTTP_METHODS] = {
    [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",     [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_PATCH] = "PATCH",
};

static bool
is(char c, unsigned class)
{
    return (octet_class[(unsigned char)c] & class) != 0;
}

static long
refuse(struct http_head *head, enum failure failure, const char *why)
{
    head->failure = failure;
    head->why = why;
    head->keep_alive = false;
    return -1;
}

static bool
slice_is(struct slice_text s, const char *text, size_t len)
{
    return s.len == len && strncasecmp(s.p, text, len) == 0;
}

/* ---- the request line ---- */

static int
parse_method(struct http_head *head, const char *p, size_t len)
{
    for (unsigned m = 0; m < HTTP_METHODS; m++) {
        if (strlen(http_method_names[m]) == len && memcmp(http_method_names[m], p, len) == 0) {
            head->method = (enum http_method)m;
            return 0;
        }
    }
    for (size_t i = 0; i < len; i++)
        if (!is(p[i], IS_TOKEN))
            return (int)refuse(head, FAIL_BAD_REQUEST, "the method is not a token (RFC 9112 3.1)");
    return (int)refuse(head, len > 0 ? FAIL_UNKNOWN_METHOD : FAIL_BAD_REQUEST,
                       "this method is not known here (RFC 9110 9.1)");
}

/* host [ ":" port ], and nothing else. */
static bool
is_authority(struct slice_text s)
{
    size_t name = s.len, i = 0;
    const char *colon;

    if (s.len == 0)
        return false;
    if (s.p[0] == '[') {
        const char *close = memchr(s.p, ']', s.len);

        if (close == NULL || close == s.p + 1)
            return false;
        for (const char *p = s.p + 1; p < close; p++)
            if (!is(*p, IS_HEX) && *p != ':' && *p != '.')
                return false;
        name = (size_t)(close - s.p) + 1;
    } else {
        colon = memchr(s.p, ':', s.len);
        if (colon != NULL)
            name = (size_t)(colon - s.p);
        for (; i < name; i++)
            if (!is(s.p[i], IS_HOST) || s.p[i] == '[' || s.p[i] == ']')
                return false;
    }
    if (name == 0)
        return false;
    if (name == s.len)
        return true;
    if (s.p[name] != ':')
        return false;
    for (i = name + 1; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len - name <= 6;
}

/* "http://authority/path": the authority stands in for Host (RFC 9112 3.2.2). */
static int
parse_absolute(struct http_head *head)
{
    const char *p = head->target.p + 7, *end = head->target.p + head->target.len;
    size_t n = 0;

    if (head->target.len < 8 || strncasecmp(head->target.p, "http://", 7) != 0)
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "the target has no form that is served here (RFC 9112 3.2)");
    while (p + n < end && p[n] != '/' && p[n] != '?')
        n++;
    head->host = (struct slice_text){p, n};
    if (!is_authority(head->host))
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "the target's authority is not a host and port (RFC 9110 4.2)");
    head->target = (struct slice_text){p + n, (size_t)(end - p) - n};
    if (head->target.len == 0)
        head->target = (struct slice_text){"/", 1};
    else if (head->target.p[0] == '?')
        return (int)refuse(head, FAIL_BAD_REQUEST, "the target has no path (RFC 9112 3.2.2)");
    return 0;
}

static int
parse_target(struct http_head *head)
{
    struct slice_text *t = &head->target;
    const char *mark;

    for (size_t i = 0; i < t->len; i++) {
        if (is(t->p[i], IS_TARGET))
            continue;
        if (t->p[i] != '%')
            return (int)refuse(head, FAIL_BAD_REQUEST,
                               "the target has an octet that must be encoded (RFC 3986 3.3)");
        if (t->len - i < 3 || !is(t->p[i + 1], IS_HEX) || !is(t->p[i + 2], IS_HEX))
            return (int)refuse(head, FAIL_BAD_REQUEST,
                               "a % in the target lacks its two digits (RFC 3986 2.1)");
    }
    if (t->len == 0)
        return (int)refuse(head, FAIL_BAD_REQUEST, "the target is empty (RFC 9112 3.2)");
    if (t->p[0] != '/') {
        if (t->len == 1 && t->p[0] == '*') {
            if (head->method != HTTP_OPTIONS)
                return (int)refuse(head, FAIL_BAD_REQUEST,
                                   "only OPTIONS may ask for * (RFC 9112 3.2.4)");
        } else if (parse_absolute(head) != 0) {
            return -1;
        }
    }
    mark = memchr(t->p, '?', t->len);
    head->path = (struct slice_text){t->p, mark != NULL ? (size_t)(mark - t->p) : t->len};
    head->query = mark != NULL ? (struct slice_text){mark + 1, t->len - head->path.len - 1}
                               : (struct slice_text){t->p + t->len, 0};
    return 0;
}

static int
parse_version(struct http_head *head, const char *p, size_t len)
{
    if (len != 8 || memcmp(p, "HTTP/", 5) != 0 || p[5] < '0' || p[5] > '9' || p[6] != '.' ||
        p[7] < '0' || p[7] > '9')
        return (int)refuse(head, FAIL_BAD_REQUEST, "the version is not HTTP/1.1 (RFC 9112 2.3)");
    if (p[5] != '1')
        return (int)refuse(head, FAIL_VERSION,
                           "HTTP/1.1 and HTTP/1.0 are spoken here (RFC 9110 2.5)");
    head->minor = p[7] == '0' ? 0 : 1; /* 1.2 and above are answered as 1.1 */
    return 0;
}

static int
parse_request_line(struct http_head *head, const char *line, size_t len,
                   const struct http_limits *limits)
{
    const char *end = line + len;
    const char *first = memchr(line, ' ', len), *second;

    if (first == NULL)
        return (int)refuse(head, FAIL_BAD_REQUEST, "the request line has no target (RFC 9112 3)");
    second = memchr(first + 1, ' ', (size_t)(end - first - 1));
    if (second == NULL)
        return (int)refuse(head, FAIL_BAD_REQUEST, "the request line has no version (RFC 9112 3)");
    head->target = (struct slice_text){first + 1, (size_t)(second - first - 1)};
    if (head->target.len > limits->target)
        return (int)refuse(head, FAIL_TARGET_TOO_LONG,
                           "the target is longer than max_target (RFC 9112 3)");
    if (parse_version(head, second + 1, (size_t)(end - second - 1)) != 0 ||
        parse_method(head, line, (size_t)(first - line)) != 0)
        return -1;
    return parse_target(head);
}

/* ---- fields ---- */

static int
parse_field(struct http_head *head, const char *line, size_t len, const struct http_limits *limits)
{
    size_t name = 0, from, to = len;

    if (head->nfields == limits->fields || head->nfields == HTTP_FIELDS_MAX)
        return (int)refuse(head, FAIL_HEAD_TOO_LARGE, "there are more than max_fields fields");
    while (name < len && is(line[name], IS_TOKEN))
        name++;
    if (name == 0 && (line[0] == ' ' || line[0] == '\t'))
        return (int)refuse(head, FAIL_BAD_REQUEST, "a field is folded over lines (RFC 9112 5.2)");
    if (name == 0 || name == len || line[name] != ':')
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "a field is not a token followed by a colon (RFC 9112 5.1)");
    from = name + 1;
    while (from < to && (line[from] == ' ' || line[from] == '\t'))
        from++;
    while (to > from && (line[to - 1] == ' ' || line[to - 1] == '\t'))
        to--;
    for (size_t i = from; i < to; i++)
        if (!is(line[i], IS_VALUE))
            return (int)refuse(head, FAIL_BAD_REQUEST,
                               "a field's value has a control octet (RFC 9110 5.5)");
    head->fields[head->nfields++] = (struct http_field){{line, name}, {line + from, to - from}};
    return 0;
}

static int
take_length(struct http_head *head, struct slice_text value)
{
    int64_t n = 0;

    if (head->content_length >= 0)
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "Content-Length stands there twice (RFC 9112 6.3)");
    if (value.len == 0 || value.len > DIGITS_MAX)
        return (int)refuse(head, FAIL_BAD_REQUEST, "Content-Length is not a number (RFC 9110 8.6)");
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return (int)refuse(head, FAIL_BAD_REQUEST,
                               "Content-Length is not a number (RFC 9110 8.6)");
        n = n * 10 + (value.p[i] - '0');
    }
    head->content_length = n;
    return 0;
}

static int
take_coding(struct http_head *head, struct slice_text value)
{
    if (head->chunked)
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "Transfer-Encoding stands there twice (RFC 9112 6.1)");
    if (head->minor == 0)
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "HTTP/1.0 has no Transfer-Encoding (RFC 9112 6.1)");
    if (value.len == 0)
        return (int)refuse(head, FAIL_BAD_REQUEST, "Transfer-Encoding is empty (RFC 9112 6.1)");
    if (!slice_is(value, "chunked", 7))
        return (int)refuse(head, FAIL_UNKNOWN_CODING,
                           "the only transfer coding known here is chunked (RFC 9112 6.1)");
    head->chunked = true;
    return 0;
}

static int
take_host(struct http_head *head, struct slice_text value, unsigned *hosts)
{
    if (++*hosts > 1)
        return (int)refuse(head, FAIL_BAD_REQUEST, "Host stands there twice (RFC 9112 3.2)");
    if (!is_authority(value))
        return (int)refuse(head, FAIL_BAD_REQUEST, "Host is not a host and port (RFC 9112 3.2)");
    if (head->host.p == NULL) /* the authority of an absolute target goes first */
        head->host = value;
    return 0;
}

static void
take_connection(struct slice_text value, bool *close, bool *keep)
{
    const char *p = value.p, *end = p + value.len;

    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *stop = comma != NULL ? comma : end;
        struct slice_text token = {p, (size_t)(stop - p)};

        while (token.len > 0 && (token.p[0] == ' ' || token.p[0] == '\t')) {
            token.p++;
            token.len--;
        }
        while (token.len > 0 && (token.p[token.len - 1] == ' ' || token.p[token.len - 1] == '\t'))
            token.len--;
        *close |= slice_is(token, "close", 5);
        *keep |= slice_is(token, "keep-alive", 10);
        p = stop + 1;
    }
}

/* What the fields mean for this layer: framing, host, connection, expectation. */
static int
take_fields(struct http_head *head)
{
    unsigned hosts = 0;
    bool close = false, keep = false;

    for (unsigned i = 0; i < head->nfields; i++) {
        struct slice_text name = head->fields[i].name, value = head->fields[i].value;
        int result = 0;

        if (slice_is(name, "host", 4))
            result = take_host(head, value, &hosts);
        else if (slice_is(name, "content-length", 14))
            result = take_length(head, value);
        else if (slice_is(name, "transfer-encoding", 17))
            result = take_coding(head, value);
        else if (slice_is(name, "connection", 10))
            take_connection(value, &close, &keep);
        else if (slice_is(name, "expect", 6) && !slice_is(value, "100-continue", 12))
            result = (int)refuse(head, FAIL_EXPECTATION,
                                 "only 100-continue can be expected (RFC 9110 10.1.1)");
        else if (slice_is(name, "expect", 6))
            head->expect_continue = head->minor > 0;
        if (result != 0)
            return -1;
    }
    if (head->chunked && head->content_length >= 0)
        return (int)refuse(head, FAIL_BAD_REQUEST,
                           "Content-Length and Transfer-Encoding together (RFC 9112 6.1)");
    if (hosts == 0 && head->minor > 0)
        return (int)refuse(head, FAIL_BAD_REQUEST, "Host is missing (RFC 9112 3.2)");
    head->keep_alive = !close && (head->minor > 0 || keep);
    return 0;
}

/* ---- the whole head ---- */

/* Finds the empty line. Returns the length of the head with it, 0: not there yet, -1: refused.
 * *scanned is the begin of the first line not yet seen whole. */
static long
find_end(struct http_head *head, const char *data, size_t len, size_t first, size_t *scanned)
{
    const char *lf;

    while ((lf = memchr(data + *scanned, '\n', len - *scanned)) != NULL) {
        size_t at = (size_t)(lf - data), line = *scanned;

        if (at == line || lf[-1] != '\r')
            return refuse(head, FAIL_BAD_REQUEST, "a line ends with LF alone (RFC 9112 2.2)");
        *scanned = at + 1;
        if (at == line + 1 && line > first)
            return (long)*scanned;
    }
    return 0;
}

/* Too much already, though the end has not come? */
static long
check_limits(struct http_head *head, const char *data, size_t len, const struct http_limits *limits)
{
    enum { REQUEST_LINE_SLACK = 32 }; /* method and version around the target */

    if (len > limits->target + REQUEST_LINE_SLACK &&
        memchr(data, '\n', limits->target + REQUEST_LINE_SLACK) == NULL)
        return refuse(head, FAIL_TARGET_TOO_LONG,
                      "the target is longer than max_target (RFC 9112 3)");
    if (len > limits->head)
        return refuse(head, FAIL_HEAD_TOO_LARGE, "the head is longer than max_head");
    return 0;
}

long
http_head_parse(struct http_head *head, const char *data, size_t len,
                const struct http_limits *limits, size_t *scanned)
{
    size_t first = 0, line;
    long total;

    memset(head, 0, offsetof(struct http_head, fields));
    head->content_length = -1;
    /* one empty line before the request line is passed over (RFC 9112 2.2) */
    if (len >= 2 && data[0] == '\r' && data[1] == '\n')
        first = 2;
    else if (len == 1 && data[0] == '\r')
        return 0;
    if (*scanned < first)
        *scanned = first;
    total = find_end(head, data, len, first, scanned);
    if (total < 0)
        return -1;
    if (total == 0 || (size_t)total > limits->head) {
        long limit = check_limits(head, data + first, len - first, limits);

        if (limit != 0 || total == 0)
            return limit;
        return refuse(head, FAIL_HEAD_TOO_LARGE, "the head is longer than max_head");
    }
    head->octets = (struct slice_text){data, (size_t)total};
    line = first;
    while (line + 2 < (size_t)total) {
        const char *lf = memchr(data + line, '\n', (size_t)total - line);
        size_t line_len = (size_t)(lf - data) - line - 1;
        int result = line == first ? parse_request_line(head, data + line, line_len, limits)
                                   : parse_field(head, data + line, line_len, limits);

        if (result != 0)
            return -1;
        line += line_len + 2;
    }
    return take_fields(head) != 0 ? -1 : total;
}

struct slice_text
http_head_field(const struct http_head *head, const char *name)
{
    size_t len = strlen(name);

    for (unsigned i = 0; i < head->nfields; i++)
        if (slice_is(head->fields[i].name, name, len))
            return head->fields[i].value;
    return (struct slice_text){NULL, 0};
}

struct http_head *
http_head_keep(const struct http_head *head, struct arena *arena)
{
    size_t size = offsetof(struct http_head, fields) + head->nfields * sizeof(head->fields[0]);
    struct http_head *copy = arena_alloc(arena, size);
    const char *from = head->octets.p, *end = from + head->octets.len;
    const char *to;
    struct slice_text *const slices[] = {&copy->target, &copy->path, &copy->query, &copy->host};

    memcpy(copy, head, size);
    if (from == NULL) /* not parsed from octets: what it points to lives on */
        return copy;
    to = arena_copy(arena, from, head->octets.len);
    copy->octets.p = to;
    for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
        if (slices[i]->p >= from && slices[i]->p <= end)
            slices[i]->p = to + (slices[i]->p - from);
    for (unsigned i = 0; i < copy->nfields; i++) {
        copy->fields[i].name.p = to + (copy->fields[i].name.p - from);
        copy->fields[i].value.p = to + (copy->fields[i].value.p - from);
    }
    return copy;
}
