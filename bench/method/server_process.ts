/**
 * Starts, watches and stops the process of a subject.
 *
 * @module
 */

import { spawnChild } from "../tools/children.ts";
import { readThreadTimes, type ThreadTimes } from "./cpu_time.ts";
import { parseStatusBytes } from "./proc.ts";

const START_SECONDS = 20;
const STOP_SECONDS = 3;

/** How to start a process. */
export interface Command {
  /** The program itself, not a wrapper: its CPU time is measured. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Extra environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** The line that a subject prints when it listens. */
export interface Announcement {
  /** Where it listens. */
  readonly port: number;
  /** `server.engine`, for ours. */
  readonly engine?: string;
}

/** A running subject. */
export class ServerProcess implements AsyncDisposable {
  /** What it has printed. */
  readonly announcement: Announcement;
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, announcement: Announcement) {
    this.#child = child;
    this.announcement = announcement;
  }

  /**
   * Starts a subject and waits until it listens.
   *
   * @throws {Error} When it does not in time; with what it said.
   */
  static async start(command: Command): Promise<ServerProcess> {
    const child = spawn(command);
    const errors = new Lines(child.stderr);
    const output = new Lines(child.stdout);
    const line = await Promise.race([
      output.first,
      seconds(START_SECONDS).then(() => ""),
    ]);
    const announcement = parseAnnouncement(line);
    if (announcement !== undefined) {
      return new ServerProcess(child, announcement);
    }
    await stop(child);
    throw new Error(reasonOf(await errors.text) || `it printed "${line}"`);
  }

  /** Where it listens. */
  get port(): number {
    return this.announcement.port;
  }

  /** The process, which is also the identifier of its main thread. */
  get pid(): number {
    return this.#child.pid;
  }

  /** CPU time of its threads since they started. */
  threadTimes(): Promise<ThreadTimes> {
    return readThreadTimes(this.#child.pid);
  }

  /** Resident memory at its peak, in bytes. */
  peakMemory(): Promise<number> {
    return this.#status("VmHWM");
  }

  /** Resident memory now, in bytes. */
  memory(): Promise<number> {
    return this.#status("VmRSS");
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
  }

  async #status(field: string): Promise<number> {
    const text = await Deno.readTextFile(`/proc/${this.#child.pid}/status`);
    return parseStatusBytes(text, field);
  }
}

/** Starts a program whose output is read. */
export function spawn({ program, args, env }: Command): Deno.ChildProcess {
  return spawnChild(program, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Ends a process, by force if it does not follow. */
export async function stop(child: Deno.ChildProcess): Promise<void> {
  const ended = child.status;
  signal(child, "SIGTERM");
  const kill = setTimeout(() => signal(child, "SIGKILL"), STOP_SECONDS * 1000);
  await ended;
  clearTimeout(kill);
}

/** Reads an announcement; undefined for anything else. */
export function parseAnnouncement(line: string): Announcement | undefined {
  try {
    const value = JSON.parse(line);
    return Number.isInteger(value.port) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The line that says why a program failed, without the runtime's frame. */
export function reasonOf(errors: string): string {
  const lines = errors.split("\n").map((line) => line.trim());
  const found = lines.find((line) => /\b[A-Za-z]*Error\b.*:/.test(line)) ??
    lines.find((line) => line !== "") ?? "";
  return found.replace(/^error: /, "").replace(/^Uncaught /, "")
    .replace(/^\(in promise\) /, "").replace(/^Error: /, "");
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended by itself.
  }
}

/** Reads a stream to its end, so that its writer never has to wait. */
class Lines {
  /** The first line, or what there was when the stream ended. */
  readonly first: Promise<string>;
  /** The beginning of everything. */
  readonly text: Promise<string>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.first = promise;
    this.text = this.#read(stream, resolve);
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    foundFirst: (line: string) => void,
  ): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of stream) {
      if (text.length > 10_000) continue;
      text += decoder.decode(chunk, { stream: true });
      const end = text.indexOf("\n");
      if (end !== -1) foundFirst(text.slice(0, end).trim());
    }
    foundFirst(text.trim());
    return text;
  }
}

async function seconds(count: number): Promise<void> {
  await new Promise((resolve) =>
    Deno.unrefTimer(setTimeout(resolve, count * 1000))
  );
}
