/**
 * Our own client for WebSocket and TCP, `sockets/`: a process that holds the
 * connections and is told when to begin.
 *
 * @module
 */

import { spawnChild } from "../tools/children.ts";
import type { LoadResult } from "./load.ts";

/** What the clients do. */
export interface SocketTarget {
  /** Where the server is. */
  readonly port: number;
  /** What is spoken; `http` only to hold connections. */
  readonly protocol: "tcp" | "http" | "websocket";
  /** What is done on the connections. */
  readonly exchange: "echo" | "publish" | "ping" | "receive" | "idle";
  /** How many are opened. */
  readonly connections: number;
  /** Bytes of a message. */
  readonly size?: number;
  /** How many copies every receiver gets of what is sent once. */
  readonly copies?: number;
  /** Pings per second over all connections. */
  readonly rate?: number;
}

/** Connected clients; they disconnect when disposed. */
export class SocketLoad implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #errors: Promise<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = linesOf(child.stdout);
    this.#input = child.stdin.getWriter();
    this.#errors = new Response(child.stderr).text();
  }

  /**
   * Connects all clients.
   *
   * @param program The compiled client.
   * @throws {Error} If one cannot connect.
   */
  static async connect(
    program: string,
    target: SocketTarget,
  ): Promise<SocketLoad> {
    const { exchange, protocol, port, connections } = target;
    const child = spawnChild(program, {
      args: [
        ...[exchange, protocol, String(port), String(connections)],
        ...[target.size ?? 0, target.copies ?? 1, target.rate ?? 0].map(String),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const load = new SocketLoad(child);
    try {
      await load.#nextLine();
      return load;
    } catch (error) {
      await load[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Does it for some seconds.
   *
   * @throws {Error} If an answer was wrong or missing.
   */
  async run(seconds: number): Promise<LoadResult> {
    await this.#input.write(new TextEncoder().encode(`${seconds}\n`));
    return JSON.parse(await this.#nextLine());
  }

  /** Disconnects all clients. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#lines.return?.();
    await this.#errors;
  }

  async #nextLine(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    const reason = (await this.#errors).replace(/^Error: /, "").trim();
    throw new Error(reason || "The client ended");
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, void> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
}
