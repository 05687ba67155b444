/**
 * Runs all measurements: the subjects take turns, and each round begins with
 * another one, so that none has the quiet machine to itself.
 *
 * @module
 */

import type { Case } from "../settings.ts";
import type { Subject } from "../subjects/subject.ts";
import { measure, type Step } from "./measure.ts";
import type { Sample, Skip } from "./sample.ts";
import type { Setup } from "./setup.ts";
import { rotate } from "./statistics.ts";

/** What is told while measurements run. */
export interface RunEvents {
  /** A measurement begins. */
  begin(step: Step): void;
  /** It has ended, well or not. */
  end(): void;
  /** All measurements of a case have ended. */
  endCase(
    current: Case,
    samples: readonly Sample[],
    skips: readonly Skip[],
  ): void;
}

/** Everything that was measured, and what was not. */
export interface RunResult {
  /** Every measurement. */
  readonly samples: readonly Sample[];
  /** What could not be measured. */
  readonly skips: readonly Skip[];
}

/** The order of the measurements of a case. */
export function stepsFor(
  { workload, connections }: Case,
  subjects: readonly Subject[],
  rounds: number,
): readonly Step[] {
  const able = subjects.filter(({ applies, lacks }) =>
    applies(workload) && lacks(workload) === undefined
  );
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    rotate(able, round).map((subject) => ({
      subject,
      workload,
      connections,
      round,
    }))
  );
}

/** Runs all measurements of all cases. */
export async function runAll(
  cases: readonly Case[],
  subjects: readonly Subject[],
  rounds: number,
  setup: Setup,
  events: RunEvents,
): Promise<RunResult> {
  const samples: Sample[] = [];
  const skips: Skip[] = [];
  for (const current of cases) {
    const result = await runCase(current, subjects, rounds, setup, events);
    events.endCase(current, result.samples, result.skips);
    samples.push(...result.samples);
    for (const skip of result.skips) {
      // At other numbers of connections the reason is the same.
      const isKnown = skips.some((it) =>
        it.workload === skip.workload && it.subject === skip.subject &&
        it.reason === skip.reason
      );
      if (!isKnown) skips.push(skip);
    }
  }
  return { samples, skips };
}

async function runCase(
  current: Case,
  subjects: readonly Subject[],
  rounds: number,
  setup: Setup,
  events: RunEvents,
): Promise<RunResult> {
  const workload = current.workload.name;
  const samples: Sample[] = [];
  const skips: Skip[] = subjects.flatMap(({ id, applies, lacks }) => {
    if (!applies(current.workload)) return [];
    const reason = lacks(current.workload);
    return reason === undefined ? [] : [{ workload, subject: id, reason }];
  });
  const failed = new Set<string>();
  for (const step of stepsFor(current, subjects, rounds)) {
    const { id } = step.subject;
    if (!failed.has(id)) {
      events.begin(step);
      try {
        samples.push(await measure(step, setup));
      } catch (error) {
        failed.add(id);
        const reason = error instanceof Error ? error.message : String(error);
        skips.push({ workload, subject: id, reason });
      }
    }
    events.end();
  }
  // Medians of fewer rounds than the others' would not be comparable.
  return {
    samples: samples.filter(({ subject }) => !failed.has(subject)),
    skips,
  };
}
