import { readEnvironment } from "../../runtime/environment.ts";
import { REGION_BYTES } from "./abi.ts";
import { Doorbell } from "./doorbell.ts";
import { IoMemory } from "./io_memory.ts";
import type { SharedLibrary } from "./library.ts";
import { type IoCalls, Pump, type RequestSink } from "./pump.ts";
import type { Helper } from "./symbols.ts";
import { describeErrno } from "./system_error.ts";
import type { TcpSink } from "./tcp_table.ts";
import type { EncodedClient } from "./tls_client.ts";

/** The most I/O threads. */
const MOST_THREADS = 64;
/** Room for what most clients show of themselves. */
const CERTIFICATE_BYTES = 4096;
/** Room for the path of a Unix socket. */
const PATH_BYTES = 128;

/** How many I/O threads to start: `JSTIME_IO_THREADS`. Default: 1. */
export function threadCount(
  text: string | undefined = readEnvironment("JSTIME_IO_THREADS"),
): number {
  const count = Number(text ?? 1);
  return Number.isInteger(count) && count >= 1
    ? Math.min(count, MOST_THREADS)
    : 1;
}

/** JavaScript's side of one I/O thread. */
interface Thread {
  readonly calls: HelperCalls;
  readonly pump: Pump;
  readonly doorbellPath: string;
}

/** The I/O threads of a JavaScript thread, while it has listeners. */
export class Runtime {
  /** The functions of the helper, until this is closed. */
  readonly helper: Helper;
  /** What the helper knows these threads by. */
  readonly handle: number;
  readonly #library: SharedLibrary;
  readonly #threads: readonly Thread[];
  #doorbells: Doorbell[] | undefined;
  #referenced = 0;
  /** The thread that gets the next connection that is asked for. */
  #nextThread = 0;

  /** @throws {Error} If no threads can be started; `code` says why. */
  constructor(library: SharedLibrary, threads: number = threadCount()) {
    this.#library = library;
    const helper = this.helper = library.acquire();
    const handle = this.handle = helper.jstime_open(threads);
    if (handle <= 0) {
      library.release();
      throw startError(-handle);
    }
    const indices = Array.from({ length: threads }, (_, index) => index);
    this.#threads = indices.map((index) => startThread(helper, handle, index));
  }

  /** Requests of `listener` go to `sink` from now on. */
  listen(listener: number, sink: RequestSink): void {
    for (const { pump } of this.#threads) pump.listen(listener, sink);
    this.#startDoorbells();
  }

  /** Connections of TCP listener `listener` go to `sink` from now on. */
  listenTcp(listener: number, sink: TcpSink): void {
    for (const { pump } of this.#threads) pump.tcp.listen(listener, sink);
    this.#startDoorbells();
  }

  /** Connections of TCP listener `listener` are not wanted any more. */
  forgetTcp(listener: number): void {
    for (const { pump } of this.#threads) pump.tcp.forget(listener);
  }

  /**
   * Connects. What comes of it goes to `sink`.
   *
   * @param plan As `jstime_tcp_connect` takes it.
   */
  connectTcp(plan: Uint8Array<ArrayBuffer>, sink: TcpSink): Promise<void> {
    this.#startDoorbells();
    const index = this.#nextThread++ % this.#threads.length;
    const { promise, number } = this.#threads[index]!.pump.tcp.attempt(sink);
    const { helper, handle } = this;
    helper.jstime_tcp_connect(handle, index, number, plan, plan.length);
    return promise;
  }

  #startDoorbells(): void {
    this.#doorbells ??= this.#threads.map(({ pump, doorbellPath }) =>
      new Doorbell(doorbellPath, () => pump.wake())
    );
  }

  /** Shows the threads what was written for them. */
  show(): void {
    for (const { pump } of this.#threads) pump.show();
  }

  /** One more listener keeps the process alive. */
  ref(): void {
    if (++this.#referenced === 1) this.#setReferenced(true);
  }

  /** One listener less keeps the process alive. */
  unref(): void {
    if (--this.#referenced === 0) this.#setReferenced(false);
  }

  #setReferenced(isReferenced: boolean): void {
    for (const doorbell of this.#doorbells ?? []) {
      doorbell.setReferenced(isReferenced);
    }
  }

  /**
   * Ends the threads, whatever they do. Resolves when everything was given
   * back.
   */
  async close(): Promise<void> {
    for (const { pump, calls } of this.#threads) {
      pump.close();
      calls.close();
    }
    const closing = this.#doorbells?.map((doorbell) => doorbell.close()) ?? [];
    // From here on their memory is gone.
    this.helper.jstime_close(this.handle);
    this.#library.release();
    await Promise.all(closing);
  }
}

function startError(errno: number): Error {
  const { code, description } = describeErrno(errno);
  const error = new Error(`Cannot start I/O threads: ${description}`);
  return Object.assign(error, { code });
}

function startThread(helper: Helper, handle: number, index: number): Thread {
  const start = helper.jstime_memory(handle, index)!;
  const region = Deno.UnsafePointerView.getArrayBuffer(start, REGION_BYTES);
  const calls = new HelperCalls(helper, handle, index);
  const pump = new Pump(new IoMemory(region), calls);
  const path = new Uint8Array(PATH_BYTES);
  const length = helper.jstime_doorbell(handle, index, path, path.length);
  const doorbellPath = new TextDecoder().decode(path.subarray(0, length));
  return { calls, pump, doorbellPath };
}

/** Calls for one I/O thread; harmless once it is closed. */
class HelperCalls implements IoCalls {
  readonly #helper: Helper;
  readonly #handle: number;
  readonly #index: number;
  #isClosed = false;

  constructor(helper: Helper, handle: number, index: number) {
    this.#helper = helper;
    this.#handle = handle;
    this.#index = index;
  }

  /** The code of the helper may go. */
  close(): void {
    this.#isClosed = true;
  }

  wake(): void {
    if (this.#isClosed) return;
    this.#helper.jstime_wake(this.#handle, this.#index);
  }

  help(): void {
    if (this.#isClosed) return;
    this.#helper.jstime_help(this.#handle, this.#index);
  }

  present(
    connection: number,
    head: number,
    content: Uint8Array<ArrayBuffer>,
  ): boolean {
    if (this.#isClosed) return false;
    return this.#helper.jstime_present(
      this.#handle,
      this.#index,
      connection,
      head,
      content,
      content.length,
    ) === 1;
  }

  readTcp(
    connection: number,
    generation: number,
    offer: number,
    out: Uint8Array<ArrayBuffer>,
  ): number {
    if (this.#isClosed) return -1;
    return this.#helper.jstime_tcp_read(
      this.#handle,
      this.#index,
      connection,
      generation,
      offer,
      out,
      out.length,
    );
  }

  lend(content: Uint8Array<ArrayBuffer>): number {
    if (this.#isClosed) return 0;
    return this.#helper.jstime_lend(this.#handle, content, content.length);
  }

  lendClient({ options, authorities }: EncodedClient): number {
    if (this.#isClosed) return 0;
    return this.#helper.jstime_tcp_client(
      this.#handle,
      options,
      options.length,
      authorities,
      authorities.length,
    );
  }

  take(
    connection: number,
    generation: number,
    target: Uint8Array<ArrayBuffer>,
  ): number {
    if (this.#isClosed) return -1;
    return this.#helper.jstime_take(
      this.#handle,
      this.#index,
      connection,
      generation,
      target,
      target.length,
    );
  }

  peerCertificate(
    connection: number,
    generation: number,
  ): Uint8Array<ArrayBuffer> | undefined {
    let out = new Uint8Array(CERTIFICATE_BYTES);
    for (;;) {
      if (this.#isClosed) return undefined;
      const size = this.#helper.jstime_peer_certificate(
        this.#handle,
        this.#index,
        connection,
        generation,
        out,
        out.length,
      );
      if (size < 0) return undefined;
      if (size <= out.length) return out.subarray(0, size);
      out = new Uint8Array(size);
    }
  }
}
