/**
 * What the samples say: medians, and ratios against the better peer.
 *
 * @module
 */

import { metricFacts } from "../method/metrics.ts";
import type { MetricName, Sample } from "../method/sample.ts";
import { overlap, summarize, type Summary } from "../method/statistics.ts";
import type { Results, SubjectFacts, WorkloadFacts } from "./results.ts";

/** A server whose busiest thread used less was not what was measured. */
export const FULL_CPU = 0.9;

/** A median of rounds that differ more than this is noise. */
export const NOISY_SPREAD = 0.1;

/** How one of ours compares with the best of the peers. */
export interface Ratio {
  /** Our median divided by the peer's. */
  readonly value: number;
  /** The peer. */
  readonly peer: SubjectFacts;
  /** Whether ours is better; undefined when the rounds of both overlap. */
  readonly isBetter: boolean | undefined;
}

/** All rounds of one subject. */
export interface Row {
  /** Who. */
  readonly subject: SubjectFacts;
  /** What was measured. */
  readonly summaries: Partial<Readonly<Record<MetricName, Summary>>>;
  /** Against the better peer; only ours has them. */
  readonly ratios: Partial<Readonly<Record<MetricName, Ratio>>>;
  /** The load or the machine was the limit, not the server. */
  readonly isLoadBound: boolean;
}

/** One workload at one number of connections. */
export interface AnalyzedCase {
  /** What was measured. */
  readonly workload: WorkloadFacts;
  /** How many connections were open. */
  readonly connections: number;
  /** What made the load. */
  readonly load: string;
  /** Who was measured, in the order of tables. */
  readonly rows: readonly Row[];
}

const metricNames = Object.keys(metricFacts) as readonly MetricName[];

/** Analyses all cases, in the order in which they were measured. */
export function analyze(results: Results): readonly AnalyzedCase[] {
  const cases: AnalyzedCase[] = [];
  for (const workload of results.workloads) {
    const own = results.samples.filter((it) => it.workload === workload.name);
    for (const connections of new Set(own.map((it) => it.connections))) {
      const samples = own.filter((it) => it.connections === connections);
      cases.push(analyzeCase(workload, connections, samples, results.subjects));
    }
  }
  return cases;
}

/** Analyses one case. */
export function analyzeCase(
  workload: WorkloadFacts,
  connections: number,
  samples: readonly Sample[],
  subjects: readonly SubjectFacts[],
): AnalyzedCase {
  const rows = subjects
    .map((subject) => ({
      subject,
      own: samples.filter((sample) => sample.subject === subject.id),
    }))
    .filter(({ own }) => own.length > 0)
    .map(({ subject, own }): Row => {
      const summaries = summarizeMetrics(own);
      const { busiestThread } = summaries;
      return {
        subject,
        summaries,
        ratios: {},
        isLoadBound: workload.isClosedLoop && connections > 1 &&
          busiestThread !== undefined && busiestThread.median < FULL_CPU,
      };
    });
  return {
    workload,
    connections,
    load: samples[0]?.load ?? "",
    rows: rows.map((row) =>
      row.subject.role === "ours"
        ? { ...row, ratios: ratiosOf(row, rows) }
        : row
    ),
  };
}

function summarizeMetrics(samples: readonly Sample[]): Row["summaries"] {
  const entries = metricNames.flatMap((name) => {
    const values = samples.map((sample) => sample.metrics[name])
      .filter((value) => value !== undefined);
    const summary = summarize(values);
    return summary === undefined ? [] : [[name, summary] as const];
  });
  return Object.fromEntries(entries);
}

function ratiosOf(row: Row, rows: readonly Row[]): Row["ratios"] {
  const peers = rows.filter(({ subject }) => subject.role === "peer");
  const entries = metricNames.flatMap((name) => {
    const ratio = ratioOf(name, row, peers);
    return ratio === undefined ? [] : [[name, ratio] as const];
  });
  return Object.fromEntries(entries);
}

/** Compares one metric with the best of the peers; undefined without any. */
export function ratioOf(
  name: MetricName,
  { summaries }: Row,
  peers: readonly Row[],
): Ratio | undefined {
  const ours = summaries[name];
  const { better } = metricFacts[name];
  if (ours === undefined || better === undefined) return undefined;
  const sign = better === "higher" ? 1 : -1;
  let best:
    | { readonly summary: Summary; readonly peer: SubjectFacts }
    | undefined;
  for (const { subject, summaries } of peers) {
    const summary = summaries[name];
    if (summary === undefined) continue;
    if (!best || sign * (summary.median - best.summary.median) > 0) {
      best = { summary, peer: subject };
    }
  }
  if (best === undefined || best.summary.median === 0) return undefined;
  return {
    value: ours.median / best.summary.median,
    peer: best.peer,
    isBetter: overlap(ours, best.summary)
      ? undefined
      : sign * (ours.median - best.summary.median) > 0,
  };
}
