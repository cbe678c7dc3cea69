/*
 * grudge: see grudge.h. Runs in the front end. A hash is enough: a chance match refuses an innocent
 * job for a minute, once in 2^64.
 */
#include "jobs/grudge.h"

/* FNV-1a over the octets of all numbers. */
static uint64_t
like_of(unsigned kernel, const int64_t *params, unsigned n)
{
    uint64_t hash = 14695981039346656037ULL ^ kernel;

    for (unsigned i = 0; i < n; i++) {
        for (unsigned shift = 0; shift < 64; shift += 8) {
            hash ^= ((uint64_t)params[i] >> shift) & 0xff;
            hash *= 1099511628211ULL;
        }
    }
    return hash;
}

void
grudge_add(struct grudges *g, unsigned kernel, const int64_t *params, unsigned n, uint64_t now)
{
    const uint64_t like = like_of(kernel, params, n);
    unsigned oldest = 0;

    for (unsigned i = 0; i < GRUDGES_MAX; i++) {
        if (g->rows[i].like == like) {
            oldest = i;
            break;
        }
        if (g->rows[i].until_ns < g->rows[oldest].until_ns)
            oldest = i;
    }
    g->rows[oldest].like = like;
    g->rows[oldest].until_ns = now + GRUDGE_NS;
}

bool
grudge_is_held(const struct grudges *g, unsigned kernel, const int64_t *params, unsigned n,
               uint64_t now)
{
    const uint64_t like = like_of(kernel, params, n);

    for (unsigned i = 0; i < GRUDGES_MAX; i++) {
        if (g->rows[i].like == like && now < g->rows[i].until_ns)
            return true;
    }
    return false;
}
