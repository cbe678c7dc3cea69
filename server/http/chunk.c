/*
 * chunk: see chunk.h. Pure: one small struct per body, octet by octet but for the data itself.
 */
#include "http/chunk.h"

#include "http/grammar.h"

#include <stdbool.h>

enum {
    SIZE_LINE_MAX = 256,
    EXTENSIONS_MAX = 16384, /* in all chunks of a body: RFC 9112 7.1.1 wants a limit */
    TRAILERS_MAX = 8192,
    DIGITS_MAX = 16,
};

enum chunk_state {
    CHUNK_SIZE,          /* digits of a size */
    CHUNK_BLANK,         /* blanks behind a size or an extension: a ';' must follow */
    CHUNK_NAME_FIRST,    /* behind ';': blanks, then a name */
    CHUNK_NAME,          /* the name of an extension */
    CHUNK_NAME_BLANK,    /* blanks behind it: '=' or ';' must follow */
    CHUNK_VALUE_FIRST,   /* behind '=': blanks, then a token or a quoted string */
    CHUNK_VALUE,         /* a token */
    CHUNK_QUOTED,        /* a quoted string */
    CHUNK_QUOTED_PAIR,   /* the backslash of a pair in it was read */
    CHUNK_QUOTED_END,    /* its last quote was read */
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

/* Extensions: *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ), where BWS are
 * blanks that nobody should send and everybody must read (RFC 9112 7.1.1). What may follow in each
 * state; 0: nothing there is right. */
enum piece {
    PIECE_OTHER,
    PIECE_TOKEN,
    PIECE_BLANK,
    PIECE_SEMICOLON,
    PIECE_EQUALS,
    PIECE_QUOTE,
    PIECE_CR,
    PIECES
};

static const uint8_t extension_moves[][PIECES] = {
    [CHUNK_BLANK] = {[PIECE_BLANK] = CHUNK_BLANK, [PIECE_SEMICOLON] = CHUNK_NAME_FIRST},
    [CHUNK_NAME_FIRST] = {[PIECE_BLANK] = CHUNK_NAME_FIRST, [PIECE_TOKEN] = CHUNK_NAME},
    [CHUNK_NAME] = {[PIECE_TOKEN] = CHUNK_NAME,
                    [PIECE_BLANK] = CHUNK_NAME_BLANK,
                    [PIECE_EQUALS] = CHUNK_VALUE_FIRST,
                    [PIECE_SEMICOLON] = CHUNK_NAME_FIRST,
                    [PIECE_CR] = CHUNK_SIZE_LF},
    [CHUNK_NAME_BLANK] = {[PIECE_BLANK] = CHUNK_NAME_BLANK,
                          [PIECE_EQUALS] = CHUNK_VALUE_FIRST,
                          [PIECE_SEMICOLON] = CHUNK_NAME_FIRST},
    [CHUNK_VALUE_FIRST] = {[PIECE_BLANK] = CHUNK_VALUE_FIRST,
                           [PIECE_TOKEN] = CHUNK_VALUE,
                           [PIECE_QUOTE] = CHUNK_QUOTED},
    [CHUNK_VALUE] = {[PIECE_TOKEN] = CHUNK_VALUE,
                     [PIECE_BLANK] = CHUNK_BLANK,
                     [PIECE_SEMICOLON] = CHUNK_NAME_FIRST,
                     [PIECE_CR] = CHUNK_SIZE_LF},
    [CHUNK_QUOTED_END] = {[PIECE_BLANK] = CHUNK_BLANK,
                          [PIECE_SEMICOLON] = CHUNK_NAME_FIRST,
                          [PIECE_CR] = CHUNK_SIZE_LF},
};

static enum piece
piece_of(char c)
{
    if (octet_is(c, OCTET_TOKEN))
        return PIECE_TOKEN;
    switch (c) {
    case ' ':
    case '\t':
        return PIECE_BLANK;
    case ';':
        return PIECE_SEMICOLON;
    case '=':
        return PIECE_EQUALS;
    case '"':
        return PIECE_QUOTE;
    case '\r':
        return PIECE_CR;
    }
    return PIECE_OTHER;
}

static enum chunk_state
on_extension(enum chunk_state state, char c, const char **why)
{
    unsigned next = extension_moves[state][piece_of(c)];

    if (next == 0)
        return wrong(why, "a chunk extension that is none (RFC 9112 7.1.1)");
    return (enum chunk_state)next;
}

static enum chunk_state
on_quoted(enum chunk_state state, char c, const char **why)
{
    if (!grammar_is_value(&c, 1))
        return wrong(why, "a control octet in a chunk extension (RFC 9112 7.1.1)");
    if (state == CHUNK_QUOTED_PAIR)
        return CHUNK_QUOTED;
    if (c == '"')
        return CHUNK_QUOTED_END;
    return c == '\\' ? CHUNK_QUOTED_PAIR : CHUNK_QUOTED;
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
    if (d->digits > 0 && c == '\r')
        return CHUNK_SIZE_LF;
    if (d->digits > 0 && extension_moves[CHUNK_BLANK][piece_of(c)] != 0)
        return on_extension(CHUNK_BLANK, c, why);
    return wrong(why, "a chunk size is hexadecimal digits only (RFC 9112 7.1)");
}

/* A CR ends the line, other controls are none of its octets. */
static enum chunk_state
on_trailer_value(char c, const char **why)
{
    if (c == '\r')
        return CHUNK_TRAILER_LF;
    if (!grammar_is_value(&c, 1))
        return wrong(why, "a control octet in a trailer (RFC 9110 5.5)");
    return CHUNK_TRAILER_VALUE;
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
    case CHUNK_BLANK:
    case CHUNK_NAME_FIRST:
    case CHUNK_NAME:
    case CHUNK_NAME_BLANK:
    case CHUNK_VALUE_FIRST:
    case CHUNK_VALUE:
    case CHUNK_QUOTED_END:
        return on_extension(state, c, why);
    case CHUNK_QUOTED:
    case CHUNK_QUOTED_PAIR:
        return on_quoted(state, c, why);
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
        return on_trailer_value(c, why);
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
    bool extension = d->state >= CHUNK_BLANK && d->state <= CHUNK_QUOTED_END;

    if (extension && ++d->extensions > EXTENSIONS_MAX)
        return true;
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

uint64_t
chunk_owed(const struct chunk_decoder *d)
{
    return d->state == CHUNK_OCTETS ? d->left : 0;
}
