/**
 * What a reader should know before believing a number.
 *
 * @module
 */

import { metricFacts, threeDigits } from "../method/metrics.ts";
import type { MetricName } from "../method/sample.ts";
import {
  type AnalyzedCase,
  FULL_CPU,
  NOISY_SPREAD,
  type Ratio,
  type Row,
} from "./analysis.ts";
import type { Results } from "./results.ts";
import { headingOf } from "./table.ts";

/** Some notes of one kind. */
export interface NoteSection {
  /** What they are about. */
  readonly title: string;
  /** One sentence each. */
  readonly notes: readonly string[];
}

const notMeasured: readonly string[] = [
  "Real networks: everything runs over the loopback of one machine, and the load shares its CPUs with the server.",
  "Several processes on one port: every subject is one process.",
  "HTTP/2, compression, slow clients, and runs of hours.",
  "Memory of the kernel: socket buffers are not part of a process.",
];

const method: readonly string[] = [
  "Look at CPU per operation first: operations per second also depend on the load generator.",
  "CPU time is that of all threads of the server; the JavaScript thread is its main thread.",
  "Static routes of ours and of Bun answer with an ETag, and with 304; those by hand do not.",
  "Ours and Bun run the same program. Bun's HTTP/1.1 pipelining, files and WebSockets are its own; Node's WebSockets are those of the package ws.",
  "At a fixed rate, latency counts from when an operation was due, not from when it was sent.",
];

/** A load average from which on somebody else was working, too. */
const BUSY_LOAD = 1;

/** Metrics in which we may lose. */
const compared: readonly MetricName[] = [
  ...["operationsPerSecond", "p50", "p99", "cpu", "scriptCpu"] as const,
  ...["startTime", "memory", "peakMemory"] as const,
];

/** Everything worth knowing, sections without notes left out. */
export function notesFor(
  results: Results,
  cases: readonly AnalyzedCase[],
): readonly NoteSection[] {
  const sections: readonly NoteSection[] = [
    { title: "Where we lose", notes: losses(cases) },
    { title: "What is noise", notes: noise(results, cases) },
    { title: "Where the server was not the limit", notes: loadBound(cases) },
    { title: "What could not be measured", notes: skips(results) },
    { title: "What is not measured", notes: notMeasured },
    { title: "How to read it", notes: method },
  ];
  return sections.filter(({ notes }) => notes.length > 0);
}

/** A loss beyond the spread of rounds, of each of ours. */
function losses(cases: readonly AnalyzedCase[]): readonly string[] {
  return cases.flatMap((analyzed) =>
    analyzed.rows.flatMap((row) => {
      const lost = compared.flatMap((name) => {
        const ratio = row.ratios[name];
        return isLoss(name, ratio, row) ? [lossText(name, ratio)] : [];
      });
      if (lost.length === 0) return [];
      return [
        `${headingOf(analyzed)}, ${row.subject.title}: ${lost.join(", ")}`,
      ];
    })
  );
}

function isLoss(
  name: MetricName,
  ratio: Ratio | undefined,
  { isLoadBound }: Row,
): ratio is Ratio {
  if (ratio?.isBetter !== false) return false;
  // Then it is the load that did less.
  return !(name === "operationsPerSecond" && isLoadBound);
}

function lossText(name: MetricName, { value, peer }: Ratio): string {
  return `${metricFacts[name].title} ${threeDigits(value)}x of ${peer.title}`;
}

function noise(
  { rounds, environment }: Results,
  cases: readonly AnalyzedCase[],
): readonly string[] {
  const notes: string[] = [];
  const loadBefore = Number(environment["load before"]);
  if (loadBefore >= BUSY_LOAD) {
    notes.push(
      `The machine was busy before the run began (load ${loadBefore}): ` +
        "throughput and latency are noise, CPU time less so.",
    );
  }
  if (rounds < 3) {
    notes.push(
      `${rounds === 1 ? "One round shows" : "Two rounds show"} nothing: ` +
        "differences may be noise even where no mark says so.",
    );
  }
  const limit = `${NOISY_SPREAD * 100}%`;
  for (const analyzed of cases) {
    const noisy = analyzed.rows.flatMap(({ subject, summaries }) => {
      const { spread = 0 } = summaries.cpu ?? summaries.startTime ??
        summaries.memory ?? {};
      if (spread <= NOISY_SPREAD) return [];
      return [`${subject.title} ${Math.round(spread * 100)}%`];
    });
    if (noisy.length === 0) continue;
    const what = analyzed.rows[0]?.summaries.cpu ? "CPU" : "values";
    notes.push(
      `${headingOf(analyzed)}: ${what} of rounds differ by more than ` +
        `${limit}: ${noisy.join(", ")}`,
    );
  }
  return notes;
}

function loadBound(cases: readonly AnalyzedCase[]): readonly string[] {
  return cases.flatMap((analyzed) => {
    const bound = analyzed.rows.filter(({ isLoadBound }) => isLoadBound);
    if (bound.length === 0) return [];
    const who = bound.map(({ subject, summaries }) => {
      const busiest = Math.round((summaries.busiestThread?.median ?? 0) * 100);
      return `${subject.title} ${busiest}%`;
    });
    const idle = Math.max(
      ...bound.map(({ summaries }) => summaries.machineIdle?.median ?? 0),
    );
    const reason = idle < 1 - FULL_CPU
      ? "the machine had no CPU left"
      : "the load generator was the limit";
    return [
      `${headingOf(analyzed)}, busiest thread of ${who.join(", ")}: ${reason}`,
    ];
  });
}

function skips({ skips, subjects }: Results): readonly string[] {
  return skips.map(({ workload, subject, reason }) => {
    const title = subjects.find(({ id }) => id === subject)?.title ?? subject;
    return workload === "*"
      ? `${title}: ${reason}`
      : `${workload}, ${title}: ${reason}`;
  });
}
