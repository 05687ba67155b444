/**
 * Results as a run would write them, small enough to reckon by hand.
 *
 * @module
 */

import type { Metrics, Sample } from "../../bench/method/sample.ts";
import type {
  Results,
  SubjectFacts,
  WorkloadFacts,
} from "../../bench/report/results.ts";
import {
  roleOf,
  type SubjectId,
  subjectTitles,
} from "../../bench/subjects/subject.ts";

/** A workload. */
export function workload(
  name: string,
  changes: Partial<WorkloadFacts> = {},
): WorkloadFacts {
  return {
    name,
    title: `Title of ${name}`,
    group: "HTTP",
    operation: "request",
    isClosedLoop: true,
    isHeadline: true,
    ...changes,
  };
}

/** A subject. */
export function subject(id: SubjectId): SubjectFacts {
  return {
    id,
    title: subjectTitles[id],
    role: roleOf(id),
    version: `${id} 1.0`,
    command: `run ${id}`,
  };
}

/** One sample per round, with a value of one metric each. */
export function samples(
  workload: string,
  subject: SubjectId,
  connections: number,
  rounds: readonly Metrics[],
): readonly Sample[] {
  return rounds.map((metrics, round) => ({
    workload,
    subject,
    connections,
    round,
    load: "wrk",
    metrics,
  }));
}

/** A whole run. */
export function results(changes: Partial<Results> = {}): Results {
  const rounds = (cpu: number, perSecond: number) =>
    [0.99, 1, 1.01].map((factor): Metrics => ({
      operationsPerSecond: perSecond * factor,
      p50: 0.5,
      p99: 1,
      p999: 2,
      cpu: cpu * factor,
      scriptCpu: cpu * factor / 2,
      peakMemory: 50e6,
      busiestThread: 0.99,
      machineIdle: 0.01,
    }));
  return {
    format: 1,
    created: "2026-01-02T03:04:05.000Z",
    command: "deno task bench",
    environment: { processor: "A <processor>", processors: "2", system: "os" },
    rounds: 3,
    seconds: 2,
    workloads: [workload("hello"), workload("other")],
    subjects: [subject("native"), subject("bun"), subject("floor")],
    samples: [
      ...samples("hello", "native", 64, rounds(8, 100_000)),
      ...samples("hello", "bun", 64, rounds(10, 120_000)),
      ...samples("hello", "floor", 64, rounds(5, 200_000)),
      ...samples("hello", "bun", 1, rounds(20, 10_000)),
    ],
    skips: [],
    ...changes,
  };
}
