/**
 * Watches what a server uses while it is under load.
 *
 * @module
 */

import type { LoadResult } from "../load/load.ts";
import { cpuBetween } from "./cpu_time.ts";
import { idleShare, type MachineTimes, parseMachineTimes } from "./proc.ts";
import type { MetricName, Metrics } from "./sample.ts";
import type { ServerProcess } from "./server_process.ts";

/**
 * Runs a load, and measures the server meanwhile.
 *
 * @throws {Error} If the load fails, or nothing was answered.
 */
export async function watch(
  server: ServerProcess,
  run: () => Promise<LoadResult>,
): Promise<Metrics> {
  const machineBefore = await readMachineTimes();
  const before = await server.threadTimes();
  const result = await run();
  const after = await server.threadTimes();
  const machineAfter = await readMachineTimes();
  if (result.operations === 0) {
    throw new Error("no answer came in time: give it more --seconds");
  }
  const cpu = cpuBetween(before, after, server.pid);
  return definedMetrics({
    operationsPerSecond: result.operations / result.seconds,
    p50: result.p50,
    p99: result.p99,
    p999: result.p999,
    cpu: cpu.total * 1e6 / result.operations,
    scriptCpu: cpu.script * 1e6 / result.operations,
    peakMemory: await server.peakMemory(),
    busiestThread: cpu.busiest / result.seconds,
    machineIdle: idleShare(machineBefore, machineAfter),
  });
}

/** Leaves out what is undefined. */
export function definedMetrics(
  values: Readonly<Partial<Record<MetricName, number | undefined>>>,
): Metrics {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  );
}

async function readMachineTimes(): Promise<MachineTimes> {
  return parseMachineTimes(await Deno.readTextFile("/proc/stat"));
}
