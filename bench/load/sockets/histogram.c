#include "histogram.h"

#include <string.h>

void histogram_clear(struct histogram *histogram) {
  memset(histogram, 0, sizeof *histogram);
}

/* Small values have a bucket each; then 64 buckets per power of two. */
static int bucket_of(uint64_t value) {
  if (value < HISTOGRAM_STEPS) return (int)value;
  int power = 63 - __builtin_clzll(value);
  int step = (int)((value >> (power - 6)) & (HISTOGRAM_STEPS - 1));
  return (power - 5) * HISTOGRAM_STEPS + step;
}

static double middle_of(int bucket) {
  if (bucket < HISTOGRAM_STEPS) return bucket;
  int power = bucket / HISTOGRAM_STEPS + 5;
  uint64_t width = 1ULL << (power - 6);
  uint64_t start = (uint64_t)(HISTOGRAM_STEPS + bucket % HISTOGRAM_STEPS);
  return (double)(start * width) + (double)width / 2;
}

void histogram_add(struct histogram *histogram, int64_t nanoseconds) {
  histogram->counts[bucket_of(nanoseconds < 0 ? 0 : (uint64_t)nanoseconds)]++;
  histogram->total++;
}

double histogram_percentile(const struct histogram *histogram, double share) {
  double wanted = share * (double)histogram->total;
  uint64_t seen = 0;
  for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->counts[bucket];
    if (seen > 0 && (double)seen >= wanted) return middle_of(bucket) / 1e6;
  }
  return 0;
}
