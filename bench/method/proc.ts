/**
 * Reads what Linux says in `/proc`: the formats of proc(5), as pure functions.
 *
 * @module
 */

/** CPU time of a machine since it started, in clock ticks. */
export interface MachineTimes {
  /** All CPUs together, idle time included. */
  readonly total: number;
  /** Nothing to do, or waiting for a disk. */
  readonly idle: number;
}

/**
 * User and system time in `/proc/<pid>/stat`, in clock ticks.
 *
 * @throws {Error} If the text has another format.
 */
export function parseStatTicks(text: string): number {
  // The name in parentheses may hold spaces and parentheses; user and system
  // time are the 12th and 13th field behind it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`Cannot read stat: ${text}`);
  return ticks;
}

/**
 * Time on a CPU in `/proc/<pid>/task/<tid>/schedstat`, in seconds; undefined
 * for kernels that do not count it.
 */
export function parseSchedstat(text: string): number | undefined {
  const nanoseconds = Number(/^([0-9]+) [0-9]+ [0-9]+/.exec(text)?.[1]);
  return nanoseconds > 0 ? nanoseconds / 1e9 : undefined;
}

/** A size such as `VmHWM` in `/proc/<pid>/status`, in bytes. */
export function parseStatusBytes(text: string, field: string): number {
  const match = new RegExp(`^${field}:\\s+([0-9]+) kB$`, "m").exec(text);
  return Number(match?.[1] ?? NaN) * 1024;
}

/**
 * The first line of `/proc/stat`.
 *
 * @throws {Error} If the text has another format.
 */
export function parseMachineTimes(text: string): MachineTimes {
  const match = /^cpu +(.+)$/m.exec(text);
  const fields = (match?.[1] ?? "").split(" ").map(Number);
  // user nice system idle iowait irq softirq steal; the guest times that
  // follow are part of user and nice already.
  const total = fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0);
  const idle = fields[3]! + (fields[4] ?? 0);
  if (!(total > 0) || Number.isNaN(idle)) {
    throw new Error(`Cannot read machine times: ${text.slice(0, 80)}`);
  }
  return { total, idle };
}

/** The share of the time between two readings in which no CPU was used. */
export function idleShare(before: MachineTimes, after: MachineTimes): number {
  const total = after.total - before.total;
  return total === 0 ? 0 : (after.idle - before.idle) / total;
}
