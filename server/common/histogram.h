/*
 * A histogram of durations: log-linear buckets (as HdrHistogram, Gil Tene: 16 steps for each power
 * of two, so that a percentile is at most 6 % too high), fixed memory, O(1) to record.
 */
#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 16 * 32 };

/* Zeroed is empty. Values are nanoseconds; 0 to some 36 minutes are told apart. */
struct histogram {
    uint64_t count;
    uint64_t max;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *, uint64_t value);
void histogram_record_many(struct histogram *, uint64_t value, uint64_t times);
/* The value that `percent` of all are at most: the upper end of its bucket, never above the
 * maximum; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *, double percent);
uint64_t histogram_max(const struct histogram *);

#endif
