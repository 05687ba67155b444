/**
 * Load by oha: HTTP at a fixed rate, or with a connection for each request, or
 * as fast as answers come.
 *
 * @module
 */

import { findProgram, outputOf } from "../tools/program.ts";
import type { HttpLoad, HttpTarget, LoadResult } from "./load.ts";

/** Finds oha: `$OHA`, the path, or where cargo installs it. */
export async function findOha(): Promise<HttpLoad | undefined> {
  const home = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;
  const found = await findProgram(
    [Deno.env.get("OHA"), "oha", `${home}/bin/oha`],
    "--version",
  );
  return found && {
    name: "oha",
    version: found.version,
    lacks: ({ pipelined }) =>
      pipelined > 1 ? "oha does not pipeline" : undefined,
    run: async (target, seconds) => {
      const text = await outputOf(found.path, argumentsFor(target, seconds));
      return parseOhaReport(text, target.status);
    },
  };
}

/** Arguments for a run. */
export function argumentsFor(
  target: HttpTarget,
  seconds: number,
): readonly string[] {
  const { request, contentFile, rate } = target;
  // It takes the type of the content apart from other headers.
  const { "content-type": type, ...others } = request.headers;
  const headers = Object.entries(others)
    .flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  return [
    ...["--no-tui", "--insecure", "--wait-ongoing-requests-after-deadline"],
    ...["--output-format", "json"],
    // The other CPUs are the server's.
    ...["--worker-threads", String(workerThreads())],
    ...["-c", String(target.connections)],
    ...["-z", `${Math.round(seconds * 1000)}ms`],
    ...["-m", request.method],
    ...headers,
    ...(type === undefined ? [] : ["-T", type]),
    ...(contentFile === undefined ? [] : ["-D", contentFile]),
    ...(target.closes ? ["--disable-keepalive"] : []),
    ...(rate === undefined ? [] : ["-q", String(rate), "--latency-correction"]),
    target.origin + request.path,
  ];
}

/**
 * Reads the report that oha prints as JSON.
 *
 * @param status The only status that is right.
 * @throws {Error} If there were other answers, or errors, or nothing at all.
 */
export function parseOhaReport(text: string, status: number): LoadResult {
  const report = JSON.parse(text);
  const statuses: Record<string, number> = report.statusCodeDistribution ?? {};
  const errors: Record<string, number> = report.errorDistribution ?? {};
  const operations = statuses[status] ?? 0;
  if (
    operations === 0 || Object.keys(statuses).length > 1 ||
    Object.keys(errors).length > 0
  ) {
    throw new Error(
      `wrong answers: statuses ${JSON.stringify(statuses)}, ` +
        `errors ${JSON.stringify(errors)}`,
    );
  }
  const percentiles: Record<string, number | null> = report.latencyPercentiles;
  const milliseconds = (name: string) => {
    const seconds = percentiles[name];
    return typeof seconds === "number" ? seconds * 1000 : undefined;
  };
  return {
    operations,
    seconds: report.summary.total,
    p50: milliseconds("p50"),
    p99: milliseconds("p99"),
    p999: milliseconds("p99.9"),
  };
}

function workerThreads(): number {
  return Math.max(1, navigator.hardwareConcurrency >> 1);
}
