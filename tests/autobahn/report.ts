/**
 * What the report of the test suite says.
 *
 * @module
 */

/** How one case went; there is more in the report. */
export interface CaseResult {
  /** What the server did. */
  readonly behavior: string;
  /** How it closed the connection. */
  readonly behaviorClose: string;
}

/** All cases of a server, by number. */
export type Results = Readonly<Record<string, CaseResult>>;

/** What each group of cases is about. */
export const groups: Readonly<Record<string, string>> = {
  1: "framing",
  2: "pings and pongs",
  3: "reserved bits",
  4: "opcodes",
  5: "fragments",
  6: "UTF-8",
  7: "close handshake",
  9: "limits and performance",
  10: "automatic fragments",
  12: "compression, content",
  13: "compression, parameters",
};

/** Where a server may be slow without being wrong. */
export const LIMITS = "9";

/** What counts as passed: correct, or one of several ways that are allowed. */
const PASSED: ReadonlySet<string> = new Set([
  "OK",
  "NON-STRICT",
  "INFORMATIONAL",
]);

/** Results of one group. */
export interface GroupSummary {
  /** The group's number. */
  readonly group: string;
  /** How many cases were run. */
  readonly cases: number;
  /** The numbers of those that did not pass, in order. */
  readonly failed: readonly string[];
}

/** Whether a case passed, its close included. */
export function hasPassed({ behavior, behaviorClose }: CaseResult): boolean {
  return PASSED.has(behavior) && PASSED.has(behaviorClose);
}

/** Sums up by group, in the order of their numbers. */
export function summarize(results: Results): GroupSummary[] {
  const byGroup = Object.groupBy(Object.keys(results), groupOf);
  return Object.keys(byGroup)
    .toSorted((a, b) => Number(a) - Number(b))
    .map((group) => {
      const cases = byGroup[group]!.toSorted(compareCases);
      const failed = cases.filter((name) => !hasPassed(results[name]!));
      return { group, cases: cases.length, failed };
    });
}

/** Numbers of cases in few words: `12.1.1-12.1.18` for all in between. */
export function ranges(cases: readonly string[]): string {
  const parts: string[] = [];
  let first: string | undefined;
  cases.forEach((name, index) => {
    first ??= name;
    if (cases[index + 1] === successor(name)) return;
    parts.push(first === name ? name : `${first}-${name}`);
    first = undefined;
  });
  return parts.join(", ");
}

/** The group that a case belongs to. */
export function groupOf(name: string): string {
  return name.split(".")[0]!;
}

function successor(name: string): string {
  const parts = name.split(".");
  parts.push(String(Number(parts.pop()) + 1));
  return parts.join(".");
}

function compareCases(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.split(".").map(Number));
  for (let index = 0; index < left!.length; index++) {
    const difference = left![index]! - (right![index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left!.length - right!.length;
}
