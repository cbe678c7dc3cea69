/*
 * route: looking up a path. The table is short and fixed, so a perfect hash is not needed: routes
 * are found by length and first difference. Runs in the front end.
 */
#include "request/route.h"

#include "common/distance.h"

#include <ctype.h>
#include <string.h>

enum { TYPOS_MAX = 4, PATH_OCTETS_MAX = 64 };

const struct route *
route_find(const struct route_table *t, const char *path, size_t len, struct slice_text *rest)
{
    *rest = (struct slice_text){NULL, 0};
    for (unsigned i = 0; i < t->count; i++) {
        const struct route *row = &t->rows[i];
        size_t n = t->lengths[i];

        if (n == len && memcmp(row->path, path, len) == 0)
            return row;
        if ((row->flags & ROUTE_PREFIX) != 0 && n < len && memcmp(row->path, path, n) == 0) {
            *rest = (struct slice_text){path + n, len - n};
            return row;
        }
    }
    return NULL;
}

unsigned
route_number(const struct route_table *t, const struct route *row)
{
    return (unsigned)(row - t->rows);
}

/* Could somebody who typed `path` have meant `ours`, from which it is `d` letters away? A third of
 * the longer one may be wrong; and what begins with another letter is another word. */
static bool
is_typo(const char *path, size_t len, const char *ours, size_t n, unsigned d)
{
    if (d > (len > n ? len : n) / 3)
        return false;
    return d <= 1 || (len > 1 && n > 1 && path[1] == ours[1]);
}

const char *
route_like(const struct route_table *t, const char *text, size_t len)
{
    char path[PATH_OCTETS_MAX]; /* small letters, as all of ours are */
    const char *best = NULL;
    unsigned best_distance = TYPOS_MAX + 1;

    if (len > sizeof(path))
        return NULL;
    for (size_t i = 0; i < len; i++)
        path[i] = (char)tolower((unsigned char)text[i]);

    for (unsigned i = 0; i < t->count; i++) {
        const struct route *row = &t->rows[i];
        size_t n = t->lengths[i];
        unsigned d = text_distance(path, len, row->path, n, best_distance);

        /* a part left out ("/sleep") is likelier than any typo */
        if (len > 3 && n > len && memcmp(row->path + n - len, path, len) == 0)
            d = 1;
        else if (!is_typo(path, len, row->path, n, d))
            continue;
        if (d < best_distance) {
            best = row->path;
            best_distance = d;
        }
    }
    return best;
}
