/**
 * Who is measured: each subject is a process that serves one workload.
 *
 * @module
 */

import type { Workload } from "./workloads.ts";

/** A program to measure on one workload. */
export interface Subject {
  /** Its name in tables and results. */
  readonly name: string;
  /** The program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Extra environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the other subjects are compared with this one. */
  readonly isBaseline: boolean;
}

/**
 * The subjects for one workload; the baseline comes first.
 *
 * @param bun The Bun program, if there is one.
 * @param file The file to serve.
 */
export function subjectsFor(
  workload: Workload,
  bun: string | undefined,
  file: string,
): readonly Subject[] {
  const isFile = workload.fileSize > 0;
  const subjects = [
    deno("Deno.serve by hand", "by_hand.ts", workload, "", file, true),
  ];
  if (workload.name === "static") {
    subjects.push(
      deno("Deno.serve by hand, ETag", "by_hand.ts", workload, "etag", file),
    );
  }
  subjects.push(deno("ours, deno engine", "ours.ts", workload, "", file));
  if (isFile) {
    subjects.push(
      deno("ours, file route", "ours.ts", workload, "route", file),
    );
  }
  if (bun !== undefined) {
    subjects.push(bunSubject("Bun", bun, workload, "", file));
    if (isFile) {
      subjects.push(
        bunSubject("Bun, file route", bun, workload, "route", file),
      );
    }
  }
  return subjects;
}

function deno(
  name: string,
  script: string,
  workload: Workload,
  variant: string,
  file: string,
  isBaseline = false,
): Subject {
  return {
    name,
    program: Deno.execPath(),
    args: ["run", "-A", pathTo(script), workload.name, variant, file],
    env: { JSTIME_ENGINE: "deno", NO_COLOR: "1" },
    isBaseline,
  };
}

function bunSubject(
  name: string,
  bun: string,
  workload: Workload,
  variant: string,
  file: string,
): Subject {
  return {
    name,
    program: bun,
    args: ["run", pathTo("bun.ts"), workload.name, variant, file],
    env: { NO_COLOR: "1" },
    isBaseline: false,
  };
}

function pathTo(script: string): string {
  return `${import.meta.dirname}/subjects/${script}`;
}
