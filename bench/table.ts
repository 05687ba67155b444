/**
 * Prints what was measured.
 *
 * @module
 */

import type { Sample } from "./measure.ts";
import { median } from "./statistics.ts";
import type { Subject } from "./subjects.ts";
import type { Workload } from "./workloads.ts";

const NAME_WIDTH = 26;
const WIDTHS = [12, 9, 11, 9, 13, 13];

/** The line above all rows. */
export function tableHead(): string {
  return row("", [
    "requests/s",
    "p99 ms",
    "CPU µs/req",
    "peak MB",
    "CPU vs hand",
    "req/s vs hand",
  ]);
}

/** The rows of one workload: medians, compared with the first subject. */
export function tableRows(
  workload: Workload,
  subjects: readonly Subject[],
  samples: readonly Sample[],
): string {
  const middle = (subject: Subject, key: keyof Sample) =>
    median(
      samples
        .filter((sample) => sample.subject === subject.name)
        .map((sample) => Number(sample[key])),
    );
  const baseline = subjects.find((subject) => subject.isBaseline)!;
  const ratio = (subject: Subject, key: keyof Sample) =>
    subject === baseline
      ? "1"
      : (middle(subject, key) / middle(baseline, key)).toFixed(2);
  const lines = subjects.map((subject) =>
    row(`  ${subject.name}`, [
      Math.round(middle(subject, "requestsPerSecond")).toLocaleString("en"),
      middle(subject, "p99").toFixed(2),
      middle(subject, "cpuMicroseconds").toFixed(2),
      (middle(subject, "peakMemory") / 1e6).toFixed(0),
      ratio(subject, "cpuMicroseconds"),
      ratio(subject, "requestsPerSecond"),
    ])
  );
  return [workload.title, ...lines].join("\n");
}

function row(name: string, cells: readonly string[]): string {
  const rest = cells.map((cell, index) => cell.padStart(WIDTHS[index]!));
  return name.padEnd(NAME_WIDTH) + rest.join("  ");
}
