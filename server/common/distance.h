/*
 * How far apart two words are: for "did you mean".
 */
#ifndef COMMON_DISTANCE_H
#define COMMON_DISTANCE_H

#include <stddef.h>

/* How many octets must be inserted, left out, changed or swapped with their neighbour (optimal
 * string alignment); at most `limit`, which is also the answer for texts above 64 octets. */
unsigned text_distance(const char *a, size_t alen, const char *b, size_t blen, unsigned limit);

#endif
