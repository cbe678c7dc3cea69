/*
 * head: see head.h. Pure: reads octets, writes the struct it is given, keeps nothing. What can fail
 * is in the octets; the first rule that is broken, in their order, gives the answer.
 */
#include "http/head.h"

#include "http/framing.h"
#include "http/grammar.h"
#include "http/target.h"

#include <string.h>
#include <strings.h>

const char *const http_method_names[] = {
    [HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",     [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_PATCH] = "PATCH", [HTTP_METHODS] = NULL,
};

/* Where the parser stands. */
struct reader {
    const char *data, *p, *end;
    const struct http_limits *limits;
    struct http_head *head;
};

static int
refuse(struct http_head *head, enum failure failure, const char *why)
{
    head->failure = failure;
    head->why = why;
    return -1;
}

/* The next whole line, without its CRLF. 1: there; 0: not yet whole; -1: refused. */
static int
take_line(struct reader *r, struct slice_text *line)
{
    const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
    const char *stop = lf != NULL ? lf + 1 : r->end;

    if ((size_t)(stop - r->data) > r->limits->head)
        return refuse(r->head, FAIL_HEAD_TOO_LARGE, "the head is longer than max_head");
    if (lf == NULL)
        return 0;
    if (lf == r->p || lf[-1] != '\r')
        return refuse(r->head, FAIL_BAD_REQUEST, "a line that ends in a bare LF (RFC 9112 2.2)");
    *line = (struct slice_text){r->p, (size_t)(lf - r->p) - 1};
    r->p = stop;
    return 1;
}

/* ---- the request line ---- */

static int
read_version(struct http_head *head, const char *p, const char *end)
{
    if (end - p != 8 || memcmp(p, "HTTP/", 5) != 0 || !octet_is(p[5], OCTET_DIGIT) || p[6] != '.' ||
        !octet_is(p[7], OCTET_DIGIT))
        return refuse(head, FAIL_BAD_REQUEST, "no HTTP version ends this line (RFC 9112 2.3, 3)");
    if (p[5] != '1')
        return refuse(head, FAIL_VERSION, "not HTTP/1.x (RFC 9110 15.6.6)");
    head->minor = p[7] == '0' ? 0 : 1;
    return 0;
}

static int
read_method(struct http_head *head, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!octet_is(p[i], OCTET_TOKEN))
            return refuse(head, FAIL_BAD_REQUEST, "a method that is no token (RFC 9112 3.1)");
    for (unsigned m = 0; m < HTTP_METHODS; m++) {
        if (strlen(http_method_names[m]) == len && memcmp(http_method_names[m], p, len) == 0) {
            head->method = (enum http_method)m;
            return 0;
        }
    }
    return refuse(head, FAIL_UNKNOWN_METHOD, "a method that is not known here (RFC 9110 9.1)");
}

/* Where the target begins and ends, as far as the line is there. Octets beyond max_head are not
 * looked at: who gets the line in pieces refuses it before they come. */
static int
check_target_length(const struct reader *r, const char *line, const char *end)
{
    const char *space, *stop;

    if ((size_t)(end - r->data) > r->limits->head)
        end = r->data + r->limits->head + 1;
    if ((size_t)(end - line) <= r->limits->target)
        return 0; /* the usual case: the whole line is shorter than a target may be */
    space = memchr(line, ' ', (size_t)(end - line));
    if (space == NULL)
        return 0;
    stop = memchr(space + 1, ' ', (size_t)(end - space) - 1);
    if ((size_t)((stop != NULL ? stop : end) - space) - 1 <= r->limits->target)
        return 0;
    return refuse(r->head, FAIL_TARGET_TOO_LONG, "the target is longer than max_target");
}

static int
read_request_line(struct http_head *head, struct slice_text line)
{
    const char *end = line.p + line.len;
    const char *space = memchr(line.p, ' ', line.len), *version;
    const char *why = "the request line is not: method, blank, target, blank, "
                      "version (RFC 9112 3)";

    if (space == NULL || space == line.p)
        return refuse(head, FAIL_BAD_REQUEST, why);
    version = memchr(space + 1, ' ', (size_t)(end - space) - 1);
    if (version == NULL || version == space + 1)
        return refuse(head, FAIL_BAD_REQUEST, why);
    if (read_version(head, version + 1, end) != 0 ||
        read_method(head, line.p, (size_t)(space - line.p)) != 0)
        return -1;
    head->target = (struct slice_text){space + 1, (size_t)(version - space) - 1};
    return target_read(head);
}

/* 1: read; 0: not yet whole; -1: refused. */
static int
take_request_line(struct reader *r)
{
    struct slice_text line;
    const char *lf;
    int got;

    if (r->p < r->end && *r->p == '\r') { /* one empty line before it is forgiven: RFC 9112 2.2 */
        if (r->end - r->p < 2)
            return 0;
        if (r->p[1] == '\n')
            r->p += 2;
    }
    if (r->p == r->end)
        return 0;
    if (!octet_is(*r->p, OCTET_TOKEN)) /* at once: a TLS client has no end of line to wait for */
        return refuse(r->head, FAIL_BAD_REQUEST, "this does not begin with a method (RFC 9112 3)");
    lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
    if (check_target_length(r, r->p, lf != NULL ? lf : r->end) != 0)
        return -1;
    got = take_line(r, &line);
    if (got <= 0)
        return got;
    return read_request_line(r->head, line) == 0 ? 1 : -1;
}

/* ---- fields ---- */

static int
read_field(struct http_head *head, struct slice_text line, struct http_field *field)
{
    const char *p = line.p, *end = line.p + line.len;

    if (*p == ' ' || *p == '\t')
        return refuse(head, FAIL_BAD_REQUEST, "a folded line (RFC 9112 2.2, 5.2)");
    while (p < end && octet_is(*p, OCTET_TOKEN))
        p++;
    if (p == end || *p != ':' || p == line.p) {
        if (p < end && (*p == ' ' || *p == '\t'))
            return refuse(head, FAIL_BAD_REQUEST, "a blank before the colon (RFC 9112 5.1)");
        return refuse(head, FAIL_BAD_REQUEST, "no token and colon begin this field (RFC 9112 5)");
    }
    field->name = (struct slice_text){line.p, (size_t)(p - line.p)};
    p++;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (!grammar_is_value(p, (size_t)(end - p)))
        return refuse(head, FAIL_BAD_REQUEST, "a control octet in a field (RFC 9110 5.5)");
    field->value = (struct slice_text){p, (size_t)(end - p)};
    return 0;
}

/* 1: all read; 0: not yet whole; -1: refused. */
static int
take_fields(struct reader *r)
{
    struct http_head *head = r->head;
    struct framing framing = {.absolute = head->host.p != NULL};
    struct slice_text line;
    int got;

    while ((got = take_line(r, &line)) > 0) {
        struct http_field *field = &head->fields[head->nfields];

        if (line.len == 0)
            return framing_end(&framing, head) == 0 ? 1 : -1;
        if (head->nfields == r->limits->fields || head->nfields == HTTP_FIELDS_MAX)
            return refuse(head, FAIL_HEAD_TOO_LARGE, "more fields than max_fields");
        if (read_field(head, line, field) != 0)
            return -1;
        head->nfields++;
        if (framing_field(&framing, head, field) != 0)
            return -1;
    }
    return got;
}

/* ---- the whole head ---- */

static void
clear(struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, fields));
    head->content_length = -1;
}

long
http_head_parse(struct http_head *head, const char *data, size_t len,
                const struct http_limits *limits, size_t *scanned)
{
    struct reader r = {data, data, data + len, limits, head};
    int got;

    clear(head);
    head->secure = limits->secure;
    if (*scanned > 0 && len <= limits->head &&
        memchr(data + *scanned, '\n', len - *scanned) == NULL) {
        *scanned = len;
        return 0;
    }
    got = take_request_line(&r);
    if (got > 0) {
        *scanned = len;
        got = take_fields(&r);
    }
    head->octets = (struct slice_text){data, (size_t)(r.p - data)};
    if (got <= 0) {
        head->keep_alive = false;
        return got;
    }
    return r.p - data;
}

void
http_head_fail(struct http_head *head, enum failure failure, const char *why)
{
    clear(head);
    head->failure = failure;
    head->why = why;
}

bool
http_head_next(const struct http_head *head, const char *name, unsigned *i,
               struct slice_text *value)
{
    const size_t len = strlen(name);

    while (*i < head->nfields) {
        const struct http_field *f = &head->fields[(*i)++];

        if (grammar_is_text(f->name.p, f->name.len, name, len)) {
            *value = f->value;
            return true;
        }
    }
    return false;
}

struct slice_text
http_head_field(const struct http_head *head, const char *name)
{
    struct slice_text value = {NULL, 0};
    unsigned i = 0;

    (void)http_head_next(head, name, &i, &value);
    return value;
}

/* ---- lists: RFC 9110 section 5.6.1 ---- */

bool
http_list_next(struct slice_text *list, struct slice_text *member)
{
    const char *end = list->p + list->len, *comma;

    while (list->p < end && (*list->p == ' ' || *list->p == '\t' || *list->p == ','))
        list->p++;
    if (list->p >= end)
        return false;
    comma = memchr(list->p, ',', (size_t)(end - list->p));
    *member = (struct slice_text){list->p, (size_t)((comma != NULL ? comma : end) - list->p)};
    list->p += member->len;
    list->len = (size_t)(end - list->p);
    while (member->len > 0 && strchr(" \t", member->p[member->len - 1]) != NULL)
        member->len--;
    return true;
}

/* "x;q=0.5" does, a weight of zero says no. */
static bool
has_weight(struct slice_text member)
{
    const char *q = memmem(member.p, member.len, "q=", 2), *end = member.p + member.len;

    if (q == NULL)
        return true;
    for (q += 2; q < end && *q != ';'; q++)
        if (*q >= '1' && *q <= '9')
            return true;
    return false;
}

bool
http_head_wants(const struct http_head *head, const char *field, const char *name)
{
    const size_t len = strlen(name);
    struct slice_text list, member;
    unsigned i = 0;

    while (http_head_next(head, field, &i, &list))
        while (http_list_next(&list, &member))
            if (member.len >= len && strncasecmp(member.p, name, len) == 0 &&
                (member.len == len || strchr("; \t", member.p[len]) != NULL))
                return has_weight(member);
    return false;
}

/* ---- keeping it ---- */

/* The same slice in the copy of the head's octets; those that are no part of them are constants. */
static void
move(struct slice_text *s, const struct slice_text *from, const char *to)
{
    if (s->p >= from->p && s->p <= from->p + from->len)
        s->p = to + (s->p - from->p);
}

struct http_head *
http_head_keep(const struct http_head *head, struct arena *arena)
{
    size_t size = offsetof(struct http_head, fields) + head->nfields * sizeof(head->fields[0]);
    struct http_head *kept = arena_alloc(arena, size);
    const struct slice_text *from = &head->octets;

    memcpy(kept, head, size);
    if (from->p == NULL) /* not parsed from octets: what it points to lives on */
        return kept;
    kept->octets.p = arena_copy(arena, from->p, from->len);
    move(&kept->target, from, kept->octets.p);
    move(&kept->path, from, kept->octets.p);
    move(&kept->query, from, kept->octets.p);
    move(&kept->host, from, kept->octets.p);
    for (unsigned i = 0; i < kept->nfields; i++) {
        move(&kept->fields[i].name, from, kept->octets.p);
        move(&kept->fields[i].value, from, kept->octets.p);
    }
    return kept;
}
