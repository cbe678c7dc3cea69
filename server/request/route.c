/*
 * route: looking up a path. The table is short and fixed, so a perfect hash is not needed: routes
 * are found by length and first difference. Runs in the front end.
 */
#include "request/route.h"

#include "common/distance.h"

#include <string.h>

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

const char *
route_like(const struct route_table *t, const char *path, size_t len)
{
    const char *best = NULL;
    unsigned best_distance = 5;

    for (unsigned i = 0; i < t->count; i++) {
        const struct route *row = &t->rows[i];
        size_t n = t->lengths[i];
        unsigned d = text_distance(path, len, row->path, n, 5);

        /* a part left out or added ("/sleep") is likelier than four typos */
        if (len > 3 && n > len && memcmp(row->path + n - len, path, len) == 0)
            d = 1;
        if (d < best_distance && d < n) {
            best = row->path;
            best_distance = d;
        }
    }
    return best;
}
