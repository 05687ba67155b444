/**
 * A server program as a process of its own, for tests that ask it questions.
 *
 * @module
 */

const decoder = new TextDecoder();

/** How to run a program. */
export interface ProgramOptions {
  /** What runs it. Default: this Deno. */
  readonly command?: string;
  /** Arguments of the command. */
  readonly args: readonly string[];
  /** Working directory. Default: the repository. */
  readonly cwd?: string;
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The root of the repository. */
export const repository: string = new URL("../../", import.meta.url).pathname;

/** A process whose output is collected; it ends when disposed. */
export class RunningProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #collected: Promise<unknown>;
  #output = "";
  #wake: () => void = () => {};

  /** Starts a command with some arguments. */
  constructor(
    { command = Deno.execPath(), args, cwd = repository, env = {} }:
      ProgramOptions,
  ) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1", JSTIME_PORT: "0", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#collected = Promise.all([
      this.#collect(this.#child.stdout),
      this.#collect(this.#child.stderr),
    ]);
  }

  /** The number of the process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Everything that was printed so far, errors included. */
  get output(): string {
    return this.#output;
  }

  /**
   * Waits until a text was printed some times.
   *
   * @throws {Error} When the program ends before.
   */
  async printed(text: string, times = 1): Promise<void> {
    await this.#until(() => this.#output.split(text).length > times, text);
  }

  /** The address in "Listening on ...", at which this machine reaches it. */
  async url(path = ""): Promise<string> {
    const pattern = /Listening on \w+:\/\/[^/]*:(\d+)\//;
    await this.#until(() => pattern.test(this.#output), "Listening on");
    const port = pattern.exec(this.#output)![1];
    return `http://127.0.0.1:${port}/${path}`;
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** The exit code, once it has ended by itself or by a signal. */
  async exitCode(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#collected;
    return code;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.exitCode();
  }

  async #until(isReached: () => boolean, text: string): Promise<void> {
    let hasEnded = false;
    this.#collected.finally(() => {
      hasEnded = true;
      this.#wake();
    });
    while (!isReached()) {
      if (hasEnded) {
        throw new Error(`Never printed "${text}", but:\n${this.#output}`);
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) {
      this.#output += decoder.decode(chunk);
      this.#wake();
    }
  }
}
