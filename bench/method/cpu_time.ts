/**
 * CPU time of a process, thread by thread.
 *
 * @module
 */

import { parseSchedstat, parseStatTicks } from "./proc.ts";

/** CPU seconds of each thread that was alive, by thread identifier. */
export type ThreadTimes = ReadonlyMap<number, number>;

/** What a process used between two readings, in seconds. */
export interface CpuUse {
  /** All threads. */
  readonly total: number;
  /** The main thread, which runs JavaScript in every subject. */
  readonly script: number;
  /** The thread that used most. */
  readonly busiest: number;
}

const clockTicksPerSecond = await readClockTicks();

/** Reads the threads of a process. */
export async function readThreadTimes(pid: number): Promise<ThreadTimes> {
  const times = new Map<number, number>();
  const folder = `/proc/${pid}/task`;
  for await (const { name } of Deno.readDir(folder)) {
    const seconds = await readThread(`${folder}/${name}`);
    if (seconds !== undefined) times.set(Number(name), seconds);
  }
  return times;
}

/** Nanoseconds where the kernel counts them, else clock ticks. */
async function readThread(folder: string): Promise<number | undefined> {
  try {
    const precise = parseSchedstat(
      await Deno.readTextFile(`${folder}/schedstat`),
    );
    if (precise !== undefined) return precise;
  } catch {
    // The kernel does not count, or the thread has ended just now.
  }
  try {
    const ticks = parseStatTicks(await Deno.readTextFile(`${folder}/stat`));
    return ticks / clockTicksPerSecond;
  } catch {
    return undefined;
  }
}

/**
 * What was used between two readings. A thread that ended in between counts
 * nothing: runtimes end only threads that had nothing to do.
 *
 * @param main The process, whose main thread has the same identifier.
 */
export function cpuBetween(
  before: ThreadTimes,
  after: ThreadTimes,
  main: number,
): CpuUse {
  let total = 0;
  let busiest = 0;
  let script = 0;
  for (const [thread, seconds] of after) {
    const used = seconds - (before.get(thread) ?? 0);
    total += used;
    busiest = Math.max(busiest, used);
    if (thread === main) script = used;
  }
  return { total, script, busiest };
}

async function readClockTicks(): Promise<number> {
  try {
    const { stdout } = await new Deno.Command("getconf", { args: ["CLK_TCK"] })
      .output();
    return Number(new TextDecoder().decode(stdout)) || 100;
  } catch {
    return 100;
  }
}
