/*
 * histogram: see histogram.h. Bucket i of the first 32 is the value 64 i; above that the position
 * of the highest bit gives the group of 16 and the four bits behind it the place in the group.
 */
#include "common/histogram.h"

enum {
    UNIT_BITS = 6, /* values are told apart in steps of 64 ns */
    STEP_BITS = 4, /* 16 steps for each power of two */
    STEPS = 1 << STEP_BITS,
};

static unsigned
bucket_of(uint64_t value)
{
    uint64_t units = value >> UNIT_BITS;
    unsigned high, bucket;

    if (units >> (STEP_BITS + 1) == 0)
        return (unsigned)units;
    high = 63 - (unsigned)__builtin_clzll(units);
    bucket = (high - STEP_BITS) * STEPS + (unsigned)(units >> (high - STEP_BITS));
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value that falls into this bucket. */
static uint64_t
bucket_end(unsigned bucket)
{
    unsigned shift;
    uint64_t units;

    if (bucket < 2 * STEPS)
        return ((uint64_t)bucket + 1) * (1 << UNIT_BITS) - 1;
    shift = bucket / STEPS - 1;
    units = (uint64_t)(bucket % STEPS + STEPS + 1) << shift;
    return (units << UNIT_BITS) - 1;
}

void
histogram_record_many(struct histogram *h, uint64_t value, uint64_t times)
{
    h->count += times;
    h->buckets[bucket_of(value)] += (uint32_t)times;
    if (value > h->max)
        h->max = value;
}

void
histogram_record(struct histogram *h, uint64_t value)
{
    histogram_record_many(h, value, 1);
}

uint64_t
histogram_percentile(const struct histogram *h, double percent)
{
    double wanted = percent / 100.0 * (double)h->count;
    uint64_t seen = 0;

    if (h->count == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if ((double)seen >= wanted && seen > 0 && i < HISTOGRAM_BUCKETS - 1)
            return bucket_end(i) < h->max ? bucket_end(i) : h->max;
    }
    return h->max;
}

uint64_t
histogram_max(const struct histogram *h)
{
    return h->max;
}
