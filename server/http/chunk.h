/*
 * The chunked transfer coding (RFC 9112 section 7.1), decoded in place from whatever pieces arrive.
 * Strict: no bare LF, no blanks or signs in sizes, size lines of at most 256 octets, extensions
 * ignored, trailer fields read and dropped (at most 8 KiB).
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stddef.h>
#include <stdint.h>

struct chunk_decoder {
    int state;
    uint64_t left; /* octets of the present chunk still to come */
    unsigned line; /* octets of the present size line or trailer so far */
    unsigned digits;
};

enum chunk_result { CHUNK_DATA, CHUNK_MORE, CHUNK_END, CHUNK_BAD };

void chunk_init(struct chunk_decoder *);
/* Looks at in[0..in_len): *used octets were consumed. CHUNK_DATA: *data, *len point into `in`.
 * MORE: all consumed, give more. END: the last chunk and trailers are over. BAD: *why has a
 * sentence with the rule. */
enum chunk_result chunk_decode(struct chunk_decoder *, const char *in, size_t in_len, size_t *used,
                               const char **data, size_t *len, const char **why);

#endif
