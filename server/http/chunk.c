/*
 * chunk: see chunk.h. One state per place in the grammar of RFC 9112 7.1; digits are counted, not
 * the value, so that nothing overflows.
 *
 *   SIZE -> [EXT] -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *   size 0: -> TRAILER -> TRAILER_LF -> ... -> LAST_LF -> END
 */
#include "http/chunk.h"

enum { DIGITS_MAX = 15, SIZE_LINE_MAX = 256, TRAILERS_MAX = 8192 };

enum state {
    SIZE,
    EXT,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER,
    TRAILER_LF,
    LAST_LF,
    END
};

void
chunk_init(struct chunk_decoder *d)
{
    *d = (struct chunk_decoder){.state = SIZE};
}

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One octet of a size line; NULL, or why it is wrong. */
static const char *
size_octet(struct chunk_decoder *d, char c)
{
    int digit = hex(c);

    if (++d->line > SIZE_LINE_MAX)
        return "a chunk's size line is too long";
    if (digit >= 0) {
        if (++d->digits > DIGITS_MAX)
            return "a chunk's size is too large (RFC 9112 7.1)";
        d->left = d->left << 4 | (unsigned)digit;
        return 0;
    }
    if (d->digits == 0)
        return "a chunk's size is not hexadecimal (RFC 9112 7.1)";
    if (c == ';') {
        d->state = EXT;
        return 0;
    }
    if (c == '\r') {
        d->state = SIZE_LF;
        return 0;
    }
    return "a chunk's size is not hexadecimal (RFC 9112 7.1)";
}

static const char *
ext_octet(struct chunk_decoder *d, char c)
{
    if (++d->line > SIZE_LINE_MAX)
        return "a chunk's size line is too long";
    if (c == '\r')
        d->state = SIZE_LF;
    else if ((unsigned char)c < ' ' && c != '\t')
        return "a chunk extension has a control octet (RFC 9112 7.1.1)";
    return 0;
}

static const char *
line_feed(struct chunk_decoder *d, char c)
{
    if (c != '\n')
        return "a CR is not followed by LF (RFC 9112 7.1)";
    switch ((enum state)d->state) {
    case SIZE_LF:
        d->line = 0;
        d->digits = 0;
        d->state = d->left > 0 ? DATA : TRAILER_START;
        break;
    case DATA_LF:
        d->state = SIZE;
        break;
    case TRAILER_LF:
        d->state = TRAILER_START;
        break;
    case LAST_LF:
        d->state = END;
        break;
    case SIZE:
    case EXT:
    case DATA:
    case DATA_CR:
    case TRAILER_START:
    case TRAILER:
    case END:
        break;
    }
    return 0;
}

static const char *
trailer_octet(struct chunk_decoder *d, char c)
{
    if (++d->line > TRAILERS_MAX)
        return "the trailers are too long";
    if (c == '\r') {
        d->state = d->state == TRAILER_START ? LAST_LF : TRAILER_LF;
        return 0;
    }
    if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
        return "a trailer has a control octet (RFC 9110 5.5)";
    if (d->state == TRAILER_START && (c == ' ' || c == '\t' || c == ':'))
        return "a trailer is not a field (RFC 9112 7.1.2)";
    d->state = TRAILER;
    return 0;
}

static const char *
octet(struct chunk_decoder *d, char c)
{
    switch ((enum state)d->state) {
    case SIZE:
        return size_octet(d, c);
    case EXT:
        return ext_octet(d, c);
    case SIZE_LF:
    case DATA_LF:
    case TRAILER_LF:
    case LAST_LF:
        return line_feed(d, c);
    case DATA_CR:
        if (c != '\r')
            return "a chunk is longer than its size (RFC 9112 7.1)";
        d->state = DATA_LF;
        return 0;
    case TRAILER_START:
    case TRAILER:
        return trailer_octet(d, c);
    case DATA:
    case END:
        break;
    }
    return 0;
}

enum chunk_result
chunk_decode(struct chunk_decoder *d, const char *in, size_t in_len, size_t *used,
             const char **data, size_t *len, const char **why)
{
    *used = 0;
    while (d->state != END) {
        const char *wrong;

        if (*used == in_len)
            return CHUNK_MORE;
        if (d->state == DATA) {
            size_t n = in_len - *used;

            if (n > d->left)
                n = (size_t)d->left;
            *data = in + *used;
            *len = n;
            *used += n;
            d->left -= n;
            if (d->left == 0)
                d->state = DATA_CR;
            return CHUNK_DATA;
        }
        wrong = octet(d, in[(*used)++]);
        if (wrong != NULL) {
            *why = wrong;
            return CHUNK_BAD;
        }
    }
    return CHUNK_END;
}
