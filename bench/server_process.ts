/**
 * Starts, watches and stops the process of a subject.
 *
 * @module
 */

import type { Subject } from "./subjects.ts";

const START_SECONDS = 20;
const STOP_SECONDS = 3;
const clockTicksPerSecond = await readClockTicks();

/** A running subject. */
export class ServerProcess {
  /** The port that it has printed. */
  readonly port: number;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts a subject and waits until it listens.
   *
   * @throws {Error} When it prints no port in time.
   */
  static async start(subject: Subject): Promise<ServerProcess> {
    const child = new Deno.Command(subject.program, {
      args: [...subject.args],
      env: { ...subject.env },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const port = await Promise.race([
      firstLine(child.stdout),
      seconds(START_SECONDS).then(() => "nothing in time"),
    ]);
    if (!/^[0-9]+$/.test(port)) {
      await stop(child);
      throw new Error(`Cannot start ${subject.name}: it printed "${port}"`);
    }
    return new ServerProcess(child, Number(port));
  }

  /** CPU time of all its threads since it started, in seconds. */
  async cpuSeconds(): Promise<number> {
    const text = await Deno.readTextFile(`/proc/${this.#child.pid}/stat`);
    // The name in parentheses may hold spaces; user and system time are the
    // 12th and 13th field behind it (proc_pid_stat(5)).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
  }

  /** Resident memory at its peak, in bytes. */
  async peakMemory(): Promise<number> {
    const text = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
  }
}

async function stop(child: Deno.ChildProcess): Promise<void> {
  const ended = child.status;
  signal(child, "SIGTERM");
  const kill = setTimeout(() => signal(child, "SIGKILL"), STOP_SECONDS * 1000);
  await ended;
  clearTimeout(kill);
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended by itself.
  }
}

async function firstLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const end = text.indexOf("\n");
    if (end !== -1) return text.slice(0, end).trim();
  }
  return text.trim();
}

async function seconds(count: number): Promise<void> {
  await new Promise((resolve) =>
    Deno.unrefTimer(setTimeout(resolve, count * 1000))
  );
}

async function readClockTicks(): Promise<number> {
  const { stdout } = await new Deno.Command("getconf", { args: ["CLK_TCK"] })
    .output();
  return Number(new TextDecoder().decode(stdout)) || 100;
}
