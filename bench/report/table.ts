/**
 * Prints what was measured in one case.
 *
 * @module
 */

import { metricFacts, threeDigits } from "../method/metrics.ts";
import type { MetricName } from "../method/sample.ts";
import type { AnalyzedCase, Ratio, Row } from "./analysis.ts";

const NAME_WIDTH = 34;
const COLUMN_WIDTH = 12;

/** Metrics that are not columns: they explain others. */
const hidden: ReadonlySet<MetricName> = new Set<MetricName>([
  "busiestThread",
  "machineIdle",
]);

/** What the marks in tables mean. */
export const legend: string = [
  "Medians of all rounds. Below ours: the ratio to the best peer in each column.",
  "  *   the server was not at full CPU: the load, or the machine, was the limit",
  "  ±   from the lowest to the highest round, of the first column",
  "  ~   a difference smaller than that between rounds: noise",
].join("\n");

/** One case: a line for each subject, and one for each of our ratios. */
export function caseTable(analyzed: AnalyzedCase): string {
  const columns = columnsOf(analyzed);
  const titles = columns.map((name) => metricFacts[name].title);
  const heading = headingOf(analyzed);
  const fits = heading.length <= NAME_WIDTH;
  return [
    ...(fits ? [] : [heading]),
    line(fits ? heading : "", [...titles, "±"]),
    ...analyzed.rows.flatMap((row) => [
      line(`  ${row.subject.title}`, cellsOf(row, columns)),
      ...ratioLines(row, columns),
    ]),
  ].join("\n");
}

/** The name of a case. */
export function headingOf({ workload, connections }: AnalyzedCase): string {
  return workload.group === "Start and memory"
    ? workload.title
    : `${workload.title} @ ${connections.toLocaleString("en")}`;
}

function columnsOf({ rows }: AnalyzedCase): readonly MetricName[] {
  const names = Object.keys(metricFacts) as readonly MetricName[];
  return names.filter((name) =>
    !hidden.has(name) && rows.some((row) => row.summaries[name] !== undefined)
  );
}

function cellsOf(row: Row, columns: readonly MetricName[]): readonly string[] {
  const cells = columns.map((name) => {
    const summary = row.summaries[name];
    // The floor has no JavaScript thread.
    const isMissing = summary === undefined ||
      name === "scriptCpu" && row.subject.role === "floor";
    if (isMissing) return "-";
    const mark = name === "operationsPerSecond" && row.isLoadBound ? "*" : "";
    return metricFacts[name].write(summary.median) + mark;
  });
  const first = columns[0] && row.summaries[columns[0]];
  const spread = first === undefined ? "-" : `${percent(first.spread)}%`;
  return [...cells, spread];
}

function ratioLines(
  { ratios }: Row,
  columns: readonly MetricName[],
): readonly string[] {
  if (Object.keys(ratios).length === 0) return [];
  const cells = columns.map((name) => ratioText(ratios[name]));
  return [line("    / best peer", cells)];
}

/** A ratio with the peer's name, `~` for noise. */
export function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  const mark = ratio.isBetter === undefined ? "~" : "";
  const name = ratio.peer.title.split(" ")[0];
  return `${mark}${threeDigits(ratio.value)} ${name}`;
}

function percent(share: number): string {
  return (share * 100).toFixed(0);
}

function line(name: string, cells: readonly string[]): string {
  const rest = cells.map((cell) => cell.padStart(COLUMN_WIDTH));
  return (name.padEnd(NAME_WIDTH) + rest.join("")).trimEnd();
}
