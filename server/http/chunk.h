/*
 * The chunked transfer coding (RFC 9112 section 7.1), decoded in place from whatever pieces arrive.
 *
 *   1a;name=value CRLF   26 octets CRLF   ...   0 CRLF   trailer: value CRLF   CRLF
 *   '-- size, extension  '-- data                        '-- trailers          '-- the end
 *
 * Strict, since two readers who disagree about a chunk can be made to disagree about requests: no
 * bare LF, no blanks or signs around sizes, at most 16 digits, size lines of at most 256 octets.
 * Extensions must be extensions, with blanks only where RFC 9112 7.1.1 has them, and are ignored
 * (at most 16 KiB in all); trailer fields must be fields, and are dropped (at most 8 KiB).
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include "common/attr.h"

#include <stddef.h>
#include <stdint.h>

struct chunk_decoder {
    uint64_t left;       /* octets of the present chunk still to come */
    uint32_t extensions; /* octets of extensions in all chunks so far */
    uint16_t line;       /* octets of the present size line, or of all trailers, so far */
    uint8_t digits;      /* of the present size */
    uint8_t state;       /* enum chunk_state, chunk.c */
};

enum chunk_result { CHUNK_DATA, CHUNK_MORE, CHUNK_END, CHUNK_BAD };

void chunk_init(struct chunk_decoder *);
/* Looks at in[0..in_len): *used octets were consumed. CHUNK_DATA: *data, *len point into `in`.
 * MORE: all consumed, give more. END: the last chunk and trailers are over. BAD: *why has a
 * sentence with the rule. */
MUST_CHECK enum chunk_result chunk_decode(struct chunk_decoder *, const char *in, size_t in_len,
                                          size_t *used, const char **data, size_t *len,
                                          const char **why);
/* Octets that the present chunk still owes, by its size line; 0 while that is not yet whole. */
uint64_t chunk_owed(const struct chunk_decoder *);

#endif
