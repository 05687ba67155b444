/**
 * A server as a process of its own, on one engine, and what the system tells
 * about that process.
 *
 * @module
 */
import { loadNativeEngine } from "../../src/engine/native/engine.ts";
import { repository, RunningProgram } from "../entry/running_program.ts";

/** An engine to run a program on. */
export type EngineName = "deno" | "native";

/** What a process uses. */
export interface Usage {
  /** Open file descriptors. */
  readonly descriptors: number;
  /** Threads. */
  readonly threads: number;
  /** Resident memory in bytes. */
  readonly memory: number;
}

/** A running program of `tests/hostile/programs`. */
export class HostileProgram implements AsyncDisposable {
  readonly #program: RunningProgram;
  /** The port that its first server listens on. */
  readonly port: number;

  private constructor(program: RunningProgram, port: number) {
    this.#program = program;
    this.port = port;
  }

  /**
   * Starts a program and waits until it listens.
   *
   * @param program Its name in `programs`, or where it is.
   * @param run `bun`, or further options of `deno run`.
   */
  static async start(
    program: string | URL,
    engine: EngineName,
    env: Readonly<Record<string, string>> = {},
    run: "bun" | readonly string[] = [],
  ): Promise<HostileProgram> {
    const url = typeof program === "string"
      ? new URL(`programs/${program}.ts`, import.meta.url)
      : program;
    const { pathname } = url;
    const running = new RunningProgram({
      command: run === "bun" ? run : undefined,
      args: run === "bun"
        ? [pathname]
        : ["run", "-A", `--config=${repository}deno.json`, ...run, pathname],
      env: { JSTIME_ENGINE: engine, ...env },
    });
    try {
      const { port } = new URL(await running.url());
      return new HostileProgram(running, Number(port));
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Everything that was printed so far. */
  get output(): string {
    return this.#program.output;
  }

  /** The number of the process. */
  get pid(): number {
    return this.#program.pid;
  }

  /** Waits until a text was printed some times. */
  printed(text: string, times?: number): Promise<void> {
    return this.#program.printed(text, times);
  }

  /** What the process uses now. */
  usage(): Usage {
    return usageOf(this.pid);
  }

  /** A request over a connection of its own, which must be answered. */
  async get(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      headers: { connection: "close" },
    });
    return await response.text();
  }

  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** What a process of Linux uses now. */
export function usageOf(pid: number): Usage {
  const count = (path: string) => [...Deno.readDirSync(path)].length;
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(status)!;
  return {
    descriptors: count(`/proc/${pid}/fd`),
    threads: count(`/proc/${pid}/task`),
    memory: Number(kilobytes) * 1024,
  };
}

/** The most resident memory that a process has had, in bytes. */
export function peakOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(status)!;
  return Number(kilobytes) * 1024;
}

/** Makes the peak what is resident now. */
export async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}

/** Registers a test for each of some engines. */
export function testOn(
  engines: readonly EngineName[],
  name: string,
  fn: (engine: EngineName) => Promise<void>,
): void {
  for (const engine of engines) {
    const missing = engine === "native" && loadNativeEngine() === undefined;
    Deno.test({
      name: `${name} (${engine})` +
        (missing ? " [skipped: the native engine does not load]" : ""),
      ignore: missing || Deno.build.os !== "linux",
      fn: () => fn(engine),
    });
  }
}

/** Asks again until something holds; `what` names it when it never does. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Never true: ${what}`);
}
