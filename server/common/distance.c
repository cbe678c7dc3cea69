/*
 * distance: see distance.h. Of the classic table three rows are kept.
 */
#include "common/distance.h"

enum { TEXT_OCTETS = 64 };

unsigned
text_distance(const char *a, size_t alen, const char *b, size_t blen, unsigned limit)
{
    unsigned rows[3][TEXT_OCTETS + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];

    if (alen > TEXT_OCTETS || blen > TEXT_OCTETS)
        return limit;
    for (size_t j = 0; j <= blen; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= alen; i++) {
        unsigned *spare = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= blen; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        before = last;
        last = row;
        row = spare;
    }
    return last[blen] < limit ? last[blen] : limit;
}
