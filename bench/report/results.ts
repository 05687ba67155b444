/**
 * Everything that a run has found out, as it is kept in a file.
 *
 * @module
 */

import type { Sample, Skip } from "../method/sample.ts";
import type { SubjectId, SubjectRole } from "../subjects/subject.ts";
import type { WorkloadGroup } from "../workloads/workload.ts";

/** What was measured, for readers of results. */
export interface WorkloadFacts {
  /** Its name on the command line. */
  readonly name: string;
  /** Its name in tables. */
  readonly title: string;
  /** Where it stands in tables. */
  readonly group: WorkloadGroup;
  /** What one operation is. */
  readonly operation: string;
  /** Whether clients wait for an answer before they send again. */
  readonly isClosedLoop: boolean;
  /** Whether it is part of the headline. */
  readonly isHeadline: boolean;
}

/** Who was measured, for readers of results. */
export interface SubjectFacts {
  /** Its name on the command line. */
  readonly id: SubjectId;
  /** Its name in tables. */
  readonly title: string;
  /** Whether it is ours, a peer or the floor. */
  readonly role: SubjectRole;
  /** Versions of what runs it. */
  readonly version: string;
  /** The command that starts it, with its flags. */
  readonly command: string;
}

/** Everything that a run has found out. */
export interface Results {
  /** The version of this format. */
  readonly format: 1;
  /** When the run began, ISO 8601. */
  readonly created: string;
  /** The command that repeats it. */
  readonly command: string;
  /** The machine and the programs. */
  readonly environment: Readonly<Record<string, string>>;
  /** Fresh processes for each subject and case. */
  readonly rounds: number;
  /** Seconds of load that was measured in each. */
  readonly seconds: number;
  /** What was measured, in order. */
  readonly workloads: readonly WorkloadFacts[];
  /** Who was measured, in the order of tables. */
  readonly subjects: readonly SubjectFacts[];
  /** Every measurement. */
  readonly samples: readonly Sample[];
  /** What could not be measured, and why. */
  readonly skips: readonly Skip[];
}

const folder = `${import.meta.dirname}/../results`;

/** The path for the results of a run, without extension. */
export async function resultsPath(created: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const moment = created.slice(0, 19).replaceAll(":", "-");
  return `${await Deno.realPath(folder)}/${moment}`;
}

/** Writes results to a file. */
export async function writeResults(
  path: string,
  results: Results,
): Promise<void> {
  await Deno.writeTextFile(path, `${JSON.stringify(results, null, 2)}\n`);
}

/**
 * Reads results from a file.
 *
 * @throws {Error} If it is no file of results.
 */
export async function readResults(path: string): Promise<Results> {
  const results = JSON.parse(await Deno.readTextFile(path));
  if (results.format === 1) return results;
  throw new Error(`Cannot read ${path}: expected results of format 1`);
}
