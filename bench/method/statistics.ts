/**
 * The little statistics that the benchmarks need.
 *
 * @module
 */

/** What several rounds say together. */
export interface Summary {
  /** The middle value. */
  readonly median: number;
  /** The smallest value. */
  readonly low: number;
  /** The largest value. */
  readonly high: number;
  /** How many values there were. */
  readonly count: number;
  /** From the smallest to the largest, as a share of the median. */
  readonly spread: number;
}

/** The median; the mean of the middle two for an even count; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Summarises values; undefined for none. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  const middle = median(values);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const spread = middle === 0 ? 0 : (high - low) / Math.abs(middle);
  return { median: middle, low, high, count: values.length, spread };
}

/** Whether both took values in a common range, so that neither is better. */
export function overlap(one: Summary, other: Summary): boolean {
  return one.low <= other.high && other.low <= one.high;
}

/** Turns a list so that it begins with the element at `by`. */
export function rotate<T>(list: readonly T[], by: number): readonly T[] {
  const start = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
