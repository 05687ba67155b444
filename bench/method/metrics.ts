/**
 * How metrics are named, compared and printed.
 *
 * @module
 */

import type { MetricName } from "./sample.ts";

/** What a reader needs to know of a metric. */
export interface MetricFacts {
  /** Heading of its column. */
  readonly title: string;
  /** Its unit, in full. */
  readonly unit: string;
  /** Which values are good; undefined when neither is. */
  readonly better: "higher" | "lower" | undefined;
  /** Writes a value. */
  readonly write: (value: number) => string;
}

/** All metrics, in the order of the table's columns. */
export const metricFacts: Readonly<Record<MetricName, MetricFacts>> = {
  operationsPerSecond: {
    title: "per second",
    unit: "operations per second",
    better: "higher",
    write: (value) => Math.round(value).toLocaleString("en"),
  },
  p50: milliseconds("p50 ms", "median latency, milliseconds"),
  p99: milliseconds("p99 ms", "99th percentile of latency, milliseconds"),
  p999: milliseconds("p99.9 ms", "99.9th percentile of latency, milliseconds"),
  cpu: microseconds("CPU µs", "CPU time of the server, µs per operation"),
  scriptCpu: microseconds(
    "JS CPU µs",
    "CPU time of the server's JavaScript thread, µs per operation",
  ),
  peakMemory: {
    title: "peak MB",
    unit: "peak resident memory, megabytes (10^6)",
    better: "lower",
    write: (value) => (value / 1e6).toFixed(0),
  },
  startTime: milliseconds("start ms", "from start to first answer, ms"),
  memory: {
    title: "memory MB",
    unit: "resident memory, megabytes (10^6)",
    better: "lower",
    write: (value) => (value / 1e6).toFixed(1),
  },
  busiestThread: share("busiest", "CPU share of the server's busiest thread"),
  machineIdle: share("idle", "share of the machine's CPU that nobody used"),
};

function milliseconds(title: string, unit: string): MetricFacts {
  return {
    title,
    unit,
    better: "lower",
    write: (value) => threeDigits(value),
  };
}

function microseconds(title: string, unit: string): MetricFacts {
  return { title, unit, better: "lower", write: (value) => threeDigits(value) };
}

function share(title: string, unit: string): MetricFacts {
  return {
    title,
    unit,
    better: undefined,
    write: (value) => `${Math.round(value * 100)}%`,
  };
}

/** Three significant digits, without an exponent. */
export function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const magnitude = Math.abs(value);
  if (magnitude >= 1000) return Math.round(value).toLocaleString("en");
  if (magnitude >= 100) return value.toFixed(0);
  if (magnitude >= 10) return value.toFixed(1);
  return value.toFixed(magnitude >= 1 ? 2 : 3);
}
