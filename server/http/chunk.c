/*
 * chunk: see chunk.h. Pure: one small struct per body, octet by octet but for the data itself.
 */
#include "http/chunk.h"

#include "http/grammar.h"

enum {
    SIZE_LINE_MAX = 256,
    TRAILERS_MAX = 8192,
    DIGITS_MAX = 16,
};

enum chunk_state {
    CHUNK_SIZE,          /* digits of a size */
    CHUNK_EXTENSION,     /* behind ';' */
    CHUNK_SIZE_LF,       /* the CR of a size line was read */
    CHUNK_OCTETS,        /* data */
    CHUNK_OCTETS_CR,     /* data is over: CR ... */
    CHUNK_OCTETS_LF,     /* ... LF */
    CHUNK_TRAILER,       /* the first octet of a trailer line, or of the empty one that ends all */
    CHUNK_TRAILER_NAME,  /* up to the colon */
    CHUNK_TRAILER_VALUE, /* up to CR */
    CHUNK_TRAILER_LF,    /* the CR of a trailer line was read */
    CHUNK_LAST_LF,       /* the CR of the empty line was read */
    CHUNK_OVER,
    CHUNK_WRONG,
};

void
chunk_init(struct chunk_decoder *d)
{
    *d = (struct chunk_decoder){.state = CHUNK_SIZE};
}

static enum chunk_state
wrong(const char **why, const char *rule)
{
    *why = rule;
    return CHUNK_WRONG;
}

static enum chunk_state
on_size(struct chunk_decoder *d, char c, const char **why)
{
    if (octet_is(c, OCTET_HEX)) {
        if (d->digits++ == DIGITS_MAX)
            return wrong(why, "a chunk size of more than 16 digits (RFC 9112 7.1)");
        if (d->left >> 58 != 0)
            return wrong(why, "a chunk size beyond all limits (RFC 9112 7.1)");
        d->left = d->left << 4 | octet_hex(c);
        return CHUNK_SIZE;
    }
    if (d->digits == 0 || (c != '\r' && c != ';'))
        return wrong(why, "a chunk size is hexadecimal digits only (RFC 9112 7.1)");
    return c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
}

/* A CR ends the line, other controls are none of its octets. */
static enum chunk_state
on_text(char c, enum chunk_state stay, enum chunk_state end, const char **why)
{
    if (c == '\r')
        return end;
    if (!grammar_is_value(&c, 1))
        return wrong(why, "a control octet in a chunk extension or trailer (RFC 9112 7.1)");
    return stay;
}

static enum chunk_state
on_trailer_name(enum chunk_state state, char c, const char **why)
{
    if (octet_is(c, OCTET_TOKEN))
        return CHUNK_TRAILER_NAME;
    if (c == ':' && state == CHUNK_TRAILER_NAME)
        return CHUNK_TRAILER_VALUE;
    return wrong(why, "a trailer that is no field (RFC 9112 7.1.2)");
}

static enum chunk_state
on_size_end(struct chunk_decoder *d)
{
    d->digits = 0;
    d->line = 0;
    return d->left > 0 ? CHUNK_OCTETS : CHUNK_TRAILER;
}

/* One octet that is not data. */
static enum chunk_state
step(struct chunk_decoder *d, char c, const char **why)
{
    enum chunk_state state = (enum chunk_state)d->state;

    switch (state) {
    case CHUNK_SIZE:
        return on_size(d, c, why);
    case CHUNK_EXTENSION:
        return on_text(c, state, CHUNK_SIZE_LF, why);
    case CHUNK_SIZE_LF:
        return c == '\n' ? on_size_end(d) : wrong(why, "a CR without LF (RFC 9112 2.2)");
    case CHUNK_OCTETS_CR:
        return c == '\r' ? CHUNK_OCTETS_LF
                         : wrong(why, "no CRLF behind the data of a chunk (RFC 9112 7.1)");
    case CHUNK_OCTETS_LF:
        return c == '\n' ? CHUNK_SIZE
                         : wrong(why, "no CRLF behind the data of a chunk (RFC 9112 7.1)");
    case CHUNK_TRAILER:
        if (c == '\r')
            return CHUNK_LAST_LF;
        return on_trailer_name(state, c, why);
    case CHUNK_TRAILER_NAME:
        return on_trailer_name(state, c, why);
    case CHUNK_TRAILER_VALUE:
        return on_text(c, state, CHUNK_TRAILER_LF, why);
    case CHUNK_TRAILER_LF:
        return c == '\n' ? CHUNK_TRAILER : wrong(why, "a CR without LF (RFC 9112 2.2)");
    case CHUNK_LAST_LF:
        return c == '\n' ? CHUNK_OVER : wrong(why, "a CR without LF (RFC 9112 2.2)");
    case CHUNK_OCTETS:
    case CHUNK_OVER:
    case CHUNK_WRONG:
        break;
    }
    return wrong(why, "octets behind a body that was refused");
}

/* Lines that never end are refused, too. */
static bool
line_is_too_long(struct chunk_decoder *d)
{
    bool trailers = d->state >= CHUNK_TRAILER && d->state <= CHUNK_LAST_LF;

    return ++d->line > (trailers ? TRAILERS_MAX : SIZE_LINE_MAX);
}

enum chunk_result
chunk_decode(struct chunk_decoder *d, const char *in, size_t in_len, size_t *used,
             const char **data, size_t *len, const char **why)
{
    enum chunk_state next;
    size_t i = 0;

    for (; i < in_len && d->state != CHUNK_OVER; i++) {
        if (d->state == CHUNK_OCTETS) {
            size_t there = in_len - i;

            *data = in + i;
            *len = there < d->left ? there : (size_t)d->left;
            d->left -= *len;
            if (d->left == 0)
                d->state = CHUNK_OCTETS_CR;
            *used = i + *len;
            return CHUNK_DATA;
        }
        if (line_is_too_long(d))
            next = wrong(why, "a size line or trailers longer than allowed (RFC 9112 7.1.1)");
        else
            next = step(d, in[i], why);
        d->state = (uint8_t)next;
        if (d->state == CHUNK_WRONG) {
            *used = i;
            return CHUNK_BAD;
        }
    }
    *used = i;
    return d->state == CHUNK_OVER ? CHUNK_END : CHUNK_MORE;
}
