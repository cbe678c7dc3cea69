/*
 * distance: see distance.h. One row of the classic table is kept.
 */
#include "common/distance.h"

unsigned
text_distance(const char *a, size_t alen, const char *b, size_t blen, unsigned limit)
{
    unsigned row[65];

    if (alen > 64 || blen > 64)
        return limit;
    for (size_t j = 0; j <= blen; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= alen; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= blen; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[blen] < limit ? row[blen] : limit;
}
