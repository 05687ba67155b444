/**
 * What is measured, from the command line.
 *
 * @module
 */

import type { Durations } from "./method/setup.ts";
import {
  type SubjectId,
  subjectIds,
  subjectTitles,
} from "./subjects/subject.ts";
import { workloads as allWorkloads } from "./workloads/all.ts";
import type { Workload } from "./workloads/workload.ts";

/** One workload at one number of connections. */
export interface Case {
  /** What is measured. */
  readonly workload: Workload;
  /** How many connections are open. */
  readonly connections: number;
}

/** What the user wants. */
export interface Settings {
  /** What is measured, in order. */
  readonly cases: readonly Case[];
  /** Who is measured, in the order of tables. */
  readonly subjects: readonly SubjectId[];
  /** How often, each time in a fresh process. */
  readonly rounds: number;
  /** For how long. */
  readonly durations: Durations;
  /** The preferred load generator: `auto`, `oha` or `wrk`. */
  readonly load: string;
  /** Print the headline as Markdown instead of tables. */
  readonly markdown: boolean;
  /** Show the results in this file instead of measuring. */
  readonly from: string | undefined;
  /** Make a page with plots. */
  readonly page: boolean;
  /** Print help, or the names of workloads, and end. */
  readonly help: boolean;
}

const quickWorkloads = [
  "hello",
  "static",
  "json",
  "file-64k",
  "ws-echo",
  "publish-500",
  "stall-static",
];
const quickSubjects: readonly SubjectId[] = [
  "native",
  "deno-engine",
  "deno",
  "bun",
];

/** What `--help` prints. */
export function usage(): string {
  const subjects = subjectIds.map((id) =>
    `  ${id.padEnd(18)}${subjectTitles[id]}`
  );
  const workloads = allWorkloads.map(({ name, title, connections }) =>
    `  ${name.padEnd(18)}${title} (${connections.join(", ")})`
  );
  return `Compares servers: throughput, latency, CPU time, memory.

deno run -A bench/main.ts [OPTIONS]

  --quick              a headline in about two minutes
  --only NAME,...      these workloads
  --subjects NAME,...  these servers
  --connections N,...  this many connections, where a workload allows
  --rounds N           fresh processes per server and workload (5)
  --seconds N          measured load in each (2)
  --warm-up N          seconds of load before (1)
  --load NAME          prefer oha or wrk (auto: wrk where it can, else oha)
  --markdown           print the headline as Markdown
  --from FILE          show earlier results instead of measuring
  --no-page            make no page with plots

Subjects
${subjects.join("\n")}

Workloads (connections)
${workloads.join("\n")}`;
}

/**
 * Reads the arguments.
 *
 * @throws {TypeError} If an argument is unknown or lacks its value.
 * @throws {RangeError} If a number is out of range.
 */
export function readSettings(args: readonly string[]): Settings {
  const { values, flags } = splitArguments(args);
  const isQuick = flags.has("quick");
  const workloads = chooseWorkloads(values.get("only"), isQuick);
  const connections = values.get("connections")?.split(",")
    .map((text) => readNumber("connections", text, 1, 10_000, true));
  const number = (name: string, fallback: number, low: number, high: number) =>
    readNumber(name, values.get(name) ?? String(fallback), low, high, false);
  return {
    cases: workloads.flatMap((workload) =>
      connectionsOf(workload, connections, isQuick)
        .map((connections) => ({ workload, connections }))
    ),
    subjects: chooseSubjects(values.get("subjects"), isQuick),
    rounds: Math.round(number("rounds", isQuick ? 3 : 5, 1, 100)),
    durations: {
      warmUp: number("warm-up", isQuick ? 0.25 : 1, 0.1, 60),
      load: number("seconds", isQuick ? 0.6 : 2, 0.2, 60),
      stall: isQuick ? 2 : 5,
    },
    load: chooseLoad(values.get("load") ?? "auto"),
    markdown: flags.has("markdown"),
    from: values.get("from"),
    page: !flags.has("no-page"),
    help: flags.has("help"),
  };
}

const flagNames = new Set(["quick", "markdown", "no-page", "help"]);
const valueNames = new Set([
  ...["only", "subjects", "connections", "rounds", "seconds", "warm-up"],
  ...["load", "from"],
]);

function splitArguments(args: readonly string[]): {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
} {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    const [, name = "", given] = /^--([^=]+)(?:=(.*))?$/.exec(arg) ?? [];
    if (flagNames.has(name) && given === undefined) {
      flags.add(name);
    } else if (valueNames.has(name)) {
      const value = given ?? args[++index];
      if (!value) throw new TypeError(`Cannot use --${name}: expected a value`);
      values.set(name, value);
    } else {
      throw new TypeError(`Cannot understand "${arg}": see --help`);
    }
  }
  return { values, flags };
}

function chooseWorkloads(
  names: string | undefined,
  isQuick: boolean,
): readonly Workload[] {
  const wanted = names?.split(",") ?? (isQuick ? quickWorkloads : undefined);
  if (wanted === undefined) return allWorkloads;
  return wanted.map((name) =>
    choose("workload", name, allWorkloads, (workload) => workload.name)
  );
}

function chooseSubjects(
  names: string | undefined,
  isQuick: boolean,
): readonly SubjectId[] {
  if (names === undefined) return isQuick ? quickSubjects : subjectIds;
  const wanted = names.split(",").map((name) =>
    choose("subject", name, subjectIds, (id) => id)
  );
  return subjectIds.filter((id) => wanted.includes(id));
}

function chooseLoad(name: string): string {
  return choose("load generator", name, ["auto", "oha", "wrk"], (it) => it);
}

function choose<T>(
  what: string,
  name: string,
  from: readonly T[],
  nameOf: (item: T) => string,
): T {
  const found = from.find((item) => nameOf(item) === name);
  if (found !== undefined) return found;
  throw new TypeError(
    `Cannot find ${what} "${name}": expected one of ` +
      from.map(nameOf).join(", "),
  );
}

function connectionsOf(
  workload: Workload,
  wanted: readonly number[] | undefined,
  isQuick: boolean,
): readonly number[] {
  if (wanted !== undefined && workload.takesConnections) return wanted;
  const usual = workload.connections;
  return isQuick && usual.includes(64) ? [64] : usual;
}

function readNumber(
  name: string,
  text: string,
  low: number,
  high: number,
  isInteger: boolean,
): number {
  const value = Number(text);
  if (
    value >= low && value <= high && (!isInteger || Number.isInteger(value))
  ) {
    return value;
  }
  throw new RangeError(
    `Cannot use --${name} ${text}: expected ${
      isInteger ? "an integer" : "a number"
    } from ${low} to ${high}`,
  );
}
