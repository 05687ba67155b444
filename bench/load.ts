/**
 * Puts a server under load with an external, compiled load generator: one in
 * JavaScript would measure itself.
 *
 * @module
 */

import type { Workload } from "./workloads.ts";

/** What a load generator saw. */
export interface LoadResult {
  /** Answers with status 200. */
  readonly answers: number;
  /** Answers per second. */
  readonly requestsPerSecond: number;
  /** Median latency in milliseconds. */
  readonly p50: number;
  /** 99th percentile of the latency in milliseconds. */
  readonly p99: number;
}

/** Runs a load generator for some seconds. */
export type Load = (
  port: number,
  workload: Workload,
  seconds: number,
) => Promise<LoadResult>;

/** A load generator that was found on this system. */
export interface LoadGenerator {
  /** Its name and version. */
  readonly version: string;
  /** Runs it. */
  readonly run: Load;
}

/** How many connections are open at once, all kept alive. */
export const connections = 64;

/**
 * Finds a load generator.
 *
 * @param name `oha` or `wrk`.
 * @throws {Error} Telling how to install it when it is missing.
 */
export async function findLoadGenerator(name: string): Promise<LoadGenerator> {
  if (name === "wrk") {
    const wrk = await findProgram(["wrk"], "-v");
    if (wrk === undefined) {
      throw new Error("Cannot find wrk: install it with your package manager");
    }
    return { version: wrk.version, run: loadWith(wrk.program, runWrk) };
  }
  if (name !== "oha") {
    throw new Error(`Cannot use load generator "${name}": expected oha or wrk`);
  }
  const home = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`;
  const oha = await findProgram(["oha", `${home}/bin/oha`], "--version");
  if (oha === undefined) {
    throw new Error(
      "Cannot find oha: install it with `cargo install oha`, " +
        "or use wrk with `--load wrk`",
    );
  }
  return { version: oha.version, run: loadWith(oha.program, runOha) };
}

function loadWith(
  program: string,
  run: (program: string, ...rest: Parameters<Load>) => Promise<LoadResult>,
): Load {
  return (port, workload, seconds) => run(program, port, workload, seconds);
}

async function runOha(
  program: string,
  port: number,
  workload: Workload,
  seconds: number,
): Promise<LoadResult> {
  const content = workload.content === ""
    ? []
    : ["-T", "application/json", "-d", workload.content];
  const text = await outputOf(program, [
    "--no-tui",
    "--wait-ongoing-requests-after-deadline",
    ...["--output-format", "json"],
    ...["-c", String(connections)],
    ...["-z", `${Math.round(seconds * 1000)}ms`],
    ...["-m", workload.method],
    ...content,
    `http://127.0.0.1:${port}${workload.path}`,
  ]);
  const report = JSON.parse(text);
  const statuses: Record<string, number> = report.statusCodeDistribution;
  const errors: Record<string, number> = report.errorDistribution;
  const answers = statuses["200"] ?? 0;
  if (
    answers === 0 || Object.keys(statuses).length > 1 ||
    Object.keys(errors).length > 0
  ) {
    throw new Error(
      `Cannot use this run: statuses ${JSON.stringify(statuses)}, ` +
        `errors ${JSON.stringify(errors)}`,
    );
  }
  return {
    answers,
    requestsPerSecond: answers / report.summary.total,
    p50: report.latencyPercentiles.p50 * 1000,
    p99: report.latencyPercentiles.p99 * 1000,
  };
}

async function runWrk(
  program: string,
  port: number,
  workload: Workload,
  seconds: number,
): Promise<LoadResult> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    await Deno.writeTextFile(script, wrkScript(workload));
    const text = await outputOf(program, [
      ...["-t", "1", "-c", String(connections), "-s", script],
      // It counts in whole seconds.
      ...["-d", `${Math.max(1, Math.round(seconds))}s`],
      `http://127.0.0.1:${port}${workload.path}`,
    ]);
    const line = /^RESULT (.+)$/m.exec(text)?.[1] ?? "";
    const [answers, duration, failed, p50, p99] = line.split(" ").map(Number);
    if (!answers || !duration || failed !== 0) {
      throw new Error(`Cannot use this run: ${text}`);
    }
    return {
      answers,
      requestsPerSecond: answers / duration * 1e6,
      p50: p50! / 1000,
      p99: p99! / 1000,
    };
  } finally {
    await Deno.remove(script);
  }
}

function wrkScript(workload: Workload): string {
  const post = `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[${workload.content}]]`;
  return `${workload.method === "POST" ? post : ""}
function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  print(string.format("RESULT %d %d %d %d %d", summary.requests,
    summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
`;
}

async function findProgram(
  candidates: readonly string[],
  versionFlag: string,
): Promise<{ program: string; version: string } | undefined> {
  for (const program of candidates) {
    try {
      const { stdout } = await new Deno.Command(program, {
        args: [versionFlag],
        stderr: "null",
      }).output();
      const version = new TextDecoder().decode(stdout).split("\n")[0] ?? "";
      return { program, version: version.replace(/ Copyright.*/, "") };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

async function outputOf(
  program: string,
  args: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new Error(`Cannot run ${program}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}
