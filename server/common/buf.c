/*
 * buf: see buf.h. Used in every process; owns the memory of its buffers only.
 */
#include "common/buf.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST = 256 };

void
buf_init(struct buf *b)
{
    *b = (struct buf){0};
}

void
buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void
buf_reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;

    if (b->cap - b->len >= more)
        return;
    if (more > SIZE_MAX / 2 - b->len)
        fatalx("a buffer can't grow by %zu octets", more);
    while (cap - b->len < more)
        cap *= 2;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    buf_reserve(b, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void
buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void
buf_add_char(struct buf *b, char c)
{
    buf_reserve(b, 1);
    b->data[b->len++] = c;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    int n;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n > 0) {
        buf_reserve(b, (size_t)n + 1);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void
buf_add_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_add(b, digits + n, sizeof(digits) - n);
}

void
buf_consume(struct buf *b, size_t len)
{
    if (len >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

/* RFC 3629 section 4. */
size_t
buf_utf8_sequence(const char *text, size_t left)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;
    unsigned char low = 0x80, high = 0xbf;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        n = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        n = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (left < n)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return n;
}

void
buf_add_json_string(struct buf *b, const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n;

    buf_add_char(b, '"');
    for (size_t i = 0; i < len; i += n) {
        n = 1;
        switch (s[i]) {
        case '"':
            buf_add(b, "\\\"", 2);
            continue;
        case '\\':
            buf_add(b, "\\\\", 2);
            continue;
        case '\n':
            buf_add(b, "\\n", 2);
            continue;
        case '\r':
            buf_add(b, "\\r", 2);
            continue;
        case '\t':
            buf_add(b, "\\t", 2);
            continue;
        default:
            break;
        }
        if (s[i] < 0x20) {
            buf_addf(b, "\\u%04x", s[i]);
            continue;
        }
        n = buf_utf8_sequence(text + i, len - i);
        if (n == 0) {
            buf_add(b, "\xef\xbf\xbd", 3);
            n = 1;
        } else {
            buf_add(b, s + i, n);
        }
    }
    buf_add_char(b, '"');
}

void
buf_add_html(struct buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        switch (text[i]) {
        case '&':
            buf_add(b, "&amp;", 5);
            break;
        case '<':
            buf_add(b, "&lt;", 4);
            break;
        case '>':
            buf_add(b, "&gt;", 4);
            break;
        case '"':
            buf_add(b, "&quot;", 6);
            break;
        case '\'':
            buf_add(b, "&#39;", 5);
            break;
        default:
            buf_add_char(b, text[i]);
            break;
        }
    }
}

void
buf_add_ms(struct buf *b, uint64_t ns)
{
    uint64_t tenths = (ns + NS_PER_MS / 20) / (NS_PER_MS / 10);

    buf_add_u64(b, tenths / 10);
    buf_add_char(b, '.');
    buf_add_char(b, (char)('0' + tenths % 10));
}
