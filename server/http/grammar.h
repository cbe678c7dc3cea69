/*
 * Which octets may stand where (RFC 9110 section 5.6.2, RFC 3986 appendix A): one table of bits, so
 * that every rule of the parser is a look-up.
 */
#ifndef HTTP_GRAMMAR_H
#define HTTP_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum octet_class {
    OCTET_TOKEN = 1,  /* tchar: methods, names of fields, tokens in values */
    OCTET_TARGET = 2, /* path or query as it stands, without '%', which needs two digits behind
                         it */
    OCTET_NAME = 4,   /* reg-name or IPv4 of a host, again without '%' */
    OCTET_HEX = 8,
    OCTET_DIGIT = 16,
};

extern const uint8_t octet_classes[256];

static inline bool
octet_is(char c, unsigned classes)
{
    return (octet_classes[(uint8_t)c] & classes) != 0;
}

/* The value of a hexadecimal digit. */
static inline unsigned
octet_hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* "%41": does a well-formed escape stand at p, before end? An escaped NUL is none: it cuts text
 * short behind our back. */
bool grammar_is_escape(const char *p, const char *end);

/* May all these octets stand in the value of a field: no controls but the tab (RFC 9110 5.5)? */
bool grammar_is_value(const char *p, size_t len);

/* Is this the lower-case text, whatever the case of p? `text` has letters, digits and '-' only. */
static inline bool
grammar_is_text(const char *p, size_t len, const char *text, size_t text_len)
{
    if (len != text_len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((p[i] | 0x20) != text[i])
            return false;
    return true;
}

#endif
