/**
 * Whether what a process uses stays flat.
 *
 * @module
 */
import type { Usage } from "../program.ts";

/** What may be added between the second fifth of a run and its last. */
export interface Allowed {
  /** Resident bytes. */
  readonly memory: number;
  /** Open descriptors. */
  readonly descriptors: number;
  /** Threads. */
  readonly threads: number;
}

/** How much more of each the last fifth of the samples shows than the second. */
export function growth(samples: readonly Usage[]): Usage {
  const fifth = Math.floor(samples.length / 5);
  if (fifth === 0) {
    throw new RangeError(
      `Cannot judge ${samples.length} samples: expected 5 or more`,
    );
  }
  const early = samples.slice(fifth, 2 * fifth);
  const late = samples.slice(-fifth);
  const grown = (of: (usage: Usage) => number) =>
    median(late.map(of)) - median(early.map(of));
  return {
    memory: grown(({ memory }) => memory),
    descriptors: grown(({ descriptors }) => descriptors),
    threads: grown(({ threads }) => threads),
  };
}

/** What grew more than allowed, in words; empty when all is flat. */
export function complaints(
  samples: readonly Usage[],
  allowed: Allowed,
): string[] {
  const grown = growth(samples);
  return (["memory", "descriptors", "threads"] as const)
    .filter((name) => grown[name] > allowed[name])
    .map((name) =>
      `${name} grew by ${grown[name]}, more than ${allowed[name]}`
    );
}

/** One sample on a line. */
export function describe({ memory, descriptors, threads }: Usage): string {
  return `${mebibytes(memory)}, ${descriptors} descriptors, ${threads} threads`;
}

/** A number of bytes as a person reads it. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
