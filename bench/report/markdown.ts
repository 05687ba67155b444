/**
 * The headline as Markdown, for a README.
 *
 * @module
 */

import { metricFacts } from "../method/metrics.ts";
import type { MetricName } from "../method/sample.ts";
import type { AnalyzedCase, Row } from "./analysis.ts";
import type { Results, SubjectFacts } from "./results.ts";
import { ratioText } from "./table.ts";

/** The headline table, and the command that repeats it. */
export function headline(
  results: Results,
  cases: readonly AnalyzedCase[],
): string {
  const chosen = headlineCases(cases);
  const subjects = results.subjects.filter(({ id }) =>
    chosen.some(({ rows }) => rows.some(({ subject }) => subject.id === id))
  );
  const rows = chosen.flatMap((analyzed) =>
    rowsOf(analyzed).map(({ title, metric }) => [
      title,
      ...subjects.map(({ id }) =>
        cell(analyzed.rows.find(({ subject }) => subject.id === id), metric)
      ),
      ...ours(subjects).map(({ id }) => ratioCell(analyzed, id, metric)),
    ])
  );
  const head = [
    "",
    ...subjects.map(({ title }) => title),
    ...ours(subjects).map(({ title }) => `${title} / best peer`),
  ];
  const versions = [...new Set(results.subjects.map(({ version }) => version))];
  const { processor, processors, system } = results.environment;
  return [
    `Medians of ${roundsText(results)} of ${results.seconds} s, ` +
    `${
      versions.join(", ")
    }, on ${processors} CPUs (${processor}, ${system}), ` +
    "shared with the load. CPU is that of the whole server; in brackets, that " +
    "of its JavaScript thread. `*`: the server was not at full CPU. `~`: a " +
    "difference smaller than that between rounds.",
    "",
    row(head),
    row(head.map(() => "---")),
    ...rows.map(row),
    "",
    `\`${results.command}\` measures it on your machine.`,
  ].join("\n");
}

/** Of several numbers of connections, the headline shows 64. */
function headlineCases(
  cases: readonly AnalyzedCase[],
): readonly AnalyzedCase[] {
  return cases.filter(({ workload, connections }) => {
    if (!workload.isHeadline) return false;
    const counts = cases.filter((it) => it.workload.name === workload.name)
      .map((it) => it.connections);
    return counts.includes(64) ? connections === 64 : true;
  });
}

/** How many rounds, in words. */
export function roundsText({ rounds }: Pick<Results, "rounds">): string {
  return rounds === 1 ? "1 round" : `${rounds} rounds`;
}

interface HeadlineRow {
  readonly title: string;
  readonly metric: MetricName;
}

function rowsOf({ workload }: AnalyzedCase): readonly HeadlineRow[] {
  const { title, operation, group } = workload;
  if (group === "While JavaScript is blocked") {
    return [{ title: `${title}: p99, ms`, metric: "p99" }];
  }
  if (group === "Start and memory") {
    return [{ title: `${title}, ms`, metric: "startTime" }];
  }
  return [
    { title: `${title}: CPU, µs per ${operation}`, metric: "cpu" },
    { title: `${title}: per second`, metric: "operationsPerSecond" },
  ];
}

function ours(subjects: readonly SubjectFacts[]): readonly SubjectFacts[] {
  return subjects.filter(({ role }) => role === "ours");
}

function cell(row: Row | undefined, metric: MetricName): string {
  const summary = row?.summaries[metric];
  if (row === undefined || summary === undefined) return "-";
  const { write } = metricFacts[metric];
  const text = write(summary.median);
  const script = row.summaries.scriptCpu;
  if (metric === "cpu" && row.subject.role === "ours" && script) {
    return `${text} (${write(script.median)})`;
  }
  return metric === "operationsPerSecond" && row.isLoadBound
    ? `${text}*`
    : text;
}

function ratioCell(
  { rows }: AnalyzedCase,
  id: string,
  metric: MetricName,
): string {
  const ratios = rows.find(({ subject }) => subject.id === id)?.ratios;
  if (ratios?.[metric] === undefined) return "-";
  const script = metric === "cpu" && ratios.scriptCpu !== undefined
    ? ` (${ratioText(ratios.scriptCpu)})`
    : "";
  return ratioText(ratios[metric]) + script;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((it) => it.replaceAll("|", "\\|")).join(" | ")} |`;
}
