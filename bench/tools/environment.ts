/**
 * The machine and the programs, for whoever reads results.
 *
 * @module
 */

import type { LoadTools } from "../load/tools.ts";
import { outputOf } from "./program.ts";

/** Everything about this system that a number may depend on. */
export async function readEnvironment(
  tools: LoadTools,
): Promise<Readonly<Record<string, string>>> {
  const facts: Record<string, string | undefined> = {
    processor: field(await read("/proc/cpuinfo"), /^model name\s*:\s*(.+)$/m) ??
      Deno.build.arch,
    processors: String(navigator.hardwareConcurrency),
    memory: gibibytes(
      field(await read("/proc/meminfo"), /^MemTotal:\s+([0-9]+) kB$/m),
    ),
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    governor: await read(
      "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
    ),
    "load before": field(await read("/proc/loadavg"), /^(\S+)/),
    deno: `${Deno.version.deno}, V8 ${Deno.version.v8}`,
    load: tools.http.map(({ version }) => version).join(", "),
    compiler: tools.compiler,
    commit: await commit(),
  };
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]]
    ),
  );
}

async function commit(): Promise<string | undefined> {
  const folder = import.meta.dirname!;
  try {
    const name = await outputOf("git", [
      ...["-C", folder, "rev-parse", "--short", "HEAD"],
    ]);
    const changes = await outputOf("git", [
      ...["-C", folder, "status", "--porcelain", "--untracked-files=no"],
    ]);
    return name.trim() + (changes === "" ? "" : " with changes");
  } catch {
    // Not a repository, or no git.
    return undefined;
  }
}

function field(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1]?.trim();
}

function gibibytes(kibibytes: string | undefined): string | undefined {
  if (kibibytes === undefined) return undefined;
  return `${(Number(kibibytes) / 2 ** 20).toFixed(1)} GiB`;
}

async function read(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch {
    return "";
  }
}
