/*
 * How far apart two words are: for "did you mean".
 */
#ifndef COMMON_DISTANCE_H
#define COMMON_DISTANCE_H

#include <stddef.h>

/* Edit distance (Levenshtein) of two texts of at most 64 octets, but never more than `limit`, which
 * is also the answer for longer texts. */
unsigned text_distance(const char *a, size_t alen, const char *b, size_t blen, unsigned limit);

#endif
