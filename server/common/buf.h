/*
 * A growing run of octets, and the two texts we write into it: formatted text and JSON.
 * Growth is by doubling and ends the process when memory is out: bound what a client controls
 * first.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include "common/attr.h"

#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

/* An empty buffer; {0} is one too. */
void buf_init(struct buf *b);

/* Frees the memory; the buffer is empty and usable again. */
void buf_fini(struct buf *b);

/* Room for `more` further octets behind b->len: write there, then add to b->len. */
void buf_reserve(struct buf *b, size_t more);

/* What is added must not lie in the buffer itself, which may move. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A decimal number, without printf's cost: for hot paths. */
void buf_add_u64(struct buf *b, uint64_t value);

/* Takes the first `len` octets away (a memmove of the rest). */
void buf_consume(struct buf *b, size_t len);

/* "text" as a JSON string, quotes included (RFC 8259 section 7). Octets that are not UTF-8 become
 * U+FFFD. */
void buf_add_json_string(struct buf *b, const char *text, size_t len);

/* Length of the well-formed UTF-8 sequence that the text begins with; 0: there is none. */
size_t buf_utf8_sequence(const char *text, size_t left);

/* Text for an HTML element or a quoted attribute: & < > " ' become entities. */
void buf_add_html(struct buf *b, const char *text, size_t len);

/* Nanoseconds as milliseconds with one decimal: 501.2 */
void buf_add_ms(struct buf *b, uint64_t ns);

#endif
