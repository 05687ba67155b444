/**
 * Load by wrk: as fast as answers come, also pipelined. It needs less CPU than
 * any server, so that one thread of it keeps one thread of a server busy.
 *
 * @module
 */

import { spawnChild } from "../tools/children.ts";
import { findProgram } from "../tools/program.ts";
import type { HttpLoad, HttpTarget, LoadResult } from "./load.ts";

const LONGEST_SECONDS = 600;
const LARGE = 16 * 1024 * 1024;

/** Finds wrk: `$WRK`, or the path. */
export async function findWrk(): Promise<HttpLoad | undefined> {
  const found = await findProgram([Deno.env.get("WRK"), "wrk"], "-v");
  return found && {
    name: "wrk",
    version: found.version.replace(/ \[.*$/, ""),
    lacks: lackOfWrk,
    run: (target, seconds) => run(found.path, target, seconds),
  };
}

function lackOfWrk(
  { closes, rate, answerBytes }: HttpTarget,
): string | undefined {
  if (closes) return "wrk counts closed connections as errors";
  if (rate !== undefined) return "wrk has no fixed rate";
  if (answerBytes >= LARGE) return "wrk forgets what has not ended in time";
  return undefined;
}

async function run(
  path: string,
  target: HttpTarget,
  seconds: number,
): Promise<LoadResult> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    await Deno.writeTextFile(script, wrkScript(target));
    const threads = Math.min(
      target.connections,
      Math.max(1, navigator.hardwareConcurrency >> 1),
    );
    const child = spawnChild(path, {
      args: [
        ...["-t", String(threads), "-c", String(target.connections)],
        ...["-s", script, "-d", `${LONGEST_SECONDS}s`],
        target.origin + target.request.path,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    // It counts in whole seconds, but reports whenever it is interrupted.
    const timer = setTimeout(() => child.kill("SIGINT"), seconds * 1000);
    const { stdout, stderr } = await child.output();
    clearTimeout(timer);
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout) + decoder.decode(stderr);
    return parseWrkReport(text, target.pipelined);
  } finally {
    await Deno.remove(script);
  }
}

/** The Lua script that makes the requests and prints one line at the end. */
export function wrkScript(target: HttpTarget): string {
  const { request, contentFile, pipelined } = target;
  const headers = Object.entries(request.headers)
    .map(([name, value]) => `wrk.headers["${name}"] = "${value}"\n`);
  const content = contentFile === undefined ? "" : `
local file = assert(io.open("${contentFile}", "rb"))
wrk.body = file:read("*a")
file:close()
`;
  const pipeline = pipelined === 1 ? "" : `
local requests
function init(args)
  requests = string.rep(wrk.format(), ${pipelined})
end
function request()
  return requests
end
`;
  // Looking at each answer would cost CPU: statuses from 400 are counted as
  // errors without that, and the answer was checked before.
  return `wrk.method = "${request.method}"
${headers.join("")}${content}${pipeline}
function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %d %d %d %d %d %d", summary.requests,
    summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`;
}

/**
 * Reads the line that {@linkcode wrkScript} prints.
 *
 * @param pipelined With more than 1, it does not say the latency of each.
 * @throws {Error} If there were errors.
 */
export function parseWrkReport(text: string, pipelined: number): LoadResult {
  const line = /^RESULT ([0-9 ]+)$/m.exec(text)?.[1] ?? "";
  const [operations, duration, failed, p50, p99, p999] = line.split(" ")
    .map(Number);
  if (operations === undefined || !duration || failed !== 0) {
    const problem = /^.*(?:error|unable).*$/im.exec(text)?.[0].trim();
    throw new Error(`wrong answers: ${problem ?? "wrk says nothing more"}`);
  }
  if (pipelined > 1 || operations === 0) {
    const unknown = undefined;
    return {
      operations,
      seconds: duration / 1e6,
      p50: unknown,
      p99: unknown,
      p999: unknown,
    };
  }
  return {
    operations,
    seconds: duration / 1e6,
    p50: p50! / 1000,
    p99: p99! / 1000,
    p999: p999! / 1000,
  };
}
