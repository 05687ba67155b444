/**
 * Compares two versions that were measured side by side, round by round: what
 * disturbs a machine for a while disturbs both.
 *
 * @module
 */

import { metricFacts } from "../method/metrics.ts";
import type { MetricName, Metrics } from "../method/sample.ts";
import { summarize, type Summary } from "../method/statistics.ts";

/** One round: the same measurement of both versions. */
export interface Pair {
  /** The version to judge. */
  readonly now: Metrics;
  /** The version to compare with. */
  readonly then: Metrics;
}

/** The metrics that are compared. */
export const pairedMetrics: readonly MetricName[] = [
  "cpu",
  "scriptCpu",
  "operationsPerSecond",
  "p50",
  "p99",
];

/** `now / then` of a metric over all rounds; undefined where none has it. */
export function pairedRatio(
  pairs: readonly Pair[],
  metric: MetricName,
): Summary | undefined {
  const ratios = pairs.flatMap(({ now, then }) => {
    const ratio = (now[metric] ?? NaN) / (then[metric] ?? NaN);
    return Number.isFinite(ratio) ? [ratio] : [];
  });
  return summarize(ratios);
}

const NAME_WIDTH = 34;
const COLUMN_WIDTH = 20;

/** The line above all rows. */
export function pairsHead(): string {
  const titles = pairedMetrics.map((name) => metricFacts[name].title);
  return row("now / then", titles);
}

/** One line: medians, and in brackets the lowest and the highest round. */
export function pairsRow(name: string, pairs: readonly Pair[]): string {
  return row(
    name,
    pairedMetrics.map((metric) => ratioText(pairedRatio(pairs, metric))),
  );
}

function ratioText(summary: Summary | undefined): string {
  if (summary === undefined) return "-";
  const { median, low, high } = summary;
  const [middle, least, most] = [median, low, high].map((it) => it.toFixed(2));
  // All rounds on one side of 1: more than chance, most likely.
  const mark = low > 1 || high < 1 ? "!" : " ";
  return `${middle} (${least}-${most})${mark}`;
}

function row(name: string, cells: readonly string[]): string {
  const rest = cells.map((cell) => cell.padStart(COLUMN_WIDTH));
  return (name.padEnd(NAME_WIDTH) + rest.join("")).trimEnd();
}
