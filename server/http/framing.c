/*
 * framing: see framing.h. Pure.
 */
#include "http/framing.h"

#include "http/grammar.h"
#include "http/target.h"

#include <string.h>

static int
refuse(struct http_head *head, enum failure failure, const char *why)
{
    head->failure = failure;
    head->why = why;
    return -1;
}

/* The next element of a comma-separated list, without blanks around it; empty ones are skipped, as
 * RFC 9110 5.6.1.2 wants. False: that was the last. */
static bool
next_element(struct slice_text *rest, struct slice_text *element)
{
    while (rest->len > 0) {
        const char *p = rest->p, *comma = memchr(p, ',', rest->len);
        const char *end = comma != NULL ? comma : p + rest->len;
        size_t used = (size_t)(end - p) + (comma != NULL);

        rest->p += used;
        rest->len -= used;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        *element = (struct slice_text){p, (size_t)(end - p)};
        if (element->len > 0)
            return true;
    }
    return false;
}

static bool
is_text(struct slice_text s, const char *text)
{
    return grammar_is_text(s.p, s.len, text, strlen(text));
}

static int
field_host(struct framing *f, struct http_head *head, struct slice_text value)
{
    if (f->hosts++ > 0)
        return refuse(head, FAIL_BAD_REQUEST, "more than one Host (RFC 9112 3.2)");
    if (!target_is_host(value.p, value.len))
        return refuse(head, FAIL_BAD_REQUEST, "a Host that is no host (RFC 9112 3.2)");
    if (!f->absolute)
        head->host = value;
    return 0;
}

static int
field_length(struct framing *f, struct http_head *head, struct slice_text value)
{
    uint64_t length = 0;

    if (f->has_length)
        return refuse(head, FAIL_BAD_REQUEST, "more than one Content-Length (RFC 9112 6.3)");
    f->has_length = true;
    if (value.len == 0)
        return refuse(head, FAIL_BAD_REQUEST, "an empty Content-Length (RFC 9110 8.6)");
    for (size_t i = 0; i < value.len; i++)
        if (!octet_is(value.p[i], OCTET_DIGIT))
            return refuse(head, FAIL_BAD_REQUEST,
                          "a Content-Length with other octets than digits (RFC 9110 8.6)");
    for (size_t i = 0; i < value.len; i++) {
        length = length * 10 + (uint64_t)(value.p[i] - '0');
        if (length > INT64_MAX / 16)
            return refuse(head, FAIL_BODY_TOO_LARGE,
                          "a Content-Length beyond all limits (RFC 9110 8.6)");
    }
    head->content_length = (int64_t)length;
    return 0;
}

static int
field_coding(struct framing *f, struct http_head *head, struct slice_text value)
{
    struct slice_text coding;

    f->has_coding = true;
    while (next_element(&value, &coding)) {
        if (f->coding_last)
            return refuse(head, FAIL_BAD_REQUEST, "a coding after chunked (RFC 9112 6.1, 6.3)");
        if (is_text(coding, "chunked"))
            f->coding_last = true;
        else
            f->coding_other = true;
    }
    return 0;
}

static int
field_connection(struct framing *f, struct slice_text value)
{
    struct slice_text option;

    while (next_element(&value, &option)) {
        f->close |= is_text(option, "close");
        f->keep_alive |= is_text(option, "keep-alive");
    }
    return 0;
}

static int
field_expect(struct framing *f, struct http_head *head, struct slice_text value)
{
    struct slice_text expectation;

    while (next_element(&value, &expectation)) {
        if (is_text(expectation, "100-continue"))
            head->expect_continue = true;
        else
            f->expect_other = true;
    }
    return 0;
}

int
framing_field(struct framing *f, struct http_head *head, const struct http_field *field)
{
    switch (field->name.len) {
    case 4:
        if (is_text(field->name, "host"))
            return field_host(f, head, field->value);
        break;
    case 6:
        if (is_text(field->name, "expect"))
            return field_expect(f, head, field->value);
        break;
    case 8:
        head->conditional |= is_text(field->name, "if-match");
        break;
    case 10:
        if (is_text(field->name, "connection"))
            return field_connection(f, field->value);
        break;
    case 13:
        head->conditional |= is_text(field->name, "if-none-match");
        break;
    case 14:
        if (is_text(field->name, "content-length"))
            return field_length(f, head, field->value);
        break;
    case 17:
        if (is_text(field->name, "transfer-encoding"))
            return field_coding(f, head, field->value);
        break;
    default:
        break;
    }
    return 0;
}

/* RFC 9112 6.3: a request has a length that both sides take alike, or it is refused. */
static int
end_coding(const struct framing *f, struct http_head *head)
{
    if (!f->has_coding)
        return 0;
    if (f->has_length)
        return refuse(head, FAIL_BAD_REQUEST,
                      "both Content-Length and Transfer-Encoding (RFC 9112 6.1)");
    if (head->minor == 0)
        return refuse(head, FAIL_BAD_REQUEST, "Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)");
    if (!f->coding_last)
        return refuse(head, FAIL_BAD_REQUEST, "the last coding is not chunked (RFC 9112 6.3)");
    if (f->coding_other)
        return refuse(head, FAIL_UNKNOWN_CODING,
                      "a transfer coding other than chunked (RFC 9112 6.1)");
    head->chunked = true;
    return 0;
}

int
framing_end(struct framing *f, struct http_head *head)
{
    if (f->hosts == 0 && head->minor > 0)
        return refuse(head, FAIL_BAD_REQUEST, "no Host (RFC 9112 3.2)");
    if (end_coding(f, head) != 0)
        return -1;
    if (head->minor == 0)
        head->expect_continue = false; /* RFC 9110 10.1.1: ignored in HTTP/1.0 */
    else if (f->expect_other)
        return refuse(head, FAIL_EXPECTATION, "Expect is not 100-continue (RFC 9110 10.1.1)");
    head->keep_alive = !f->close && (head->minor > 0 || f->keep_alive);
    return 0;
}
