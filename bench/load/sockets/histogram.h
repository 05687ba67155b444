/* Latencies in buckets no wider than 1.6 percent of what they hold. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = 64 * HISTOGRAM_STEPS };

struct histogram {
  uint64_t counts[HISTOGRAM_BUCKETS];
  uint64_t total;
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, int64_t nanoseconds);

/* Milliseconds below which that share of the values lies; 0 without values. */
double histogram_percentile(const struct histogram *histogram, double share);

#endif
