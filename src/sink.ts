import { bytesOf } from "./tcp/written_bytes.ts";

/** Options of {@linkcode ArrayBufferSink.start}. */
export interface ArrayBufferSinkOptions {
  /**
   * Hand out a `Uint8Array` instead of an `ArrayBuffer`.
   *
   * @default {false}
   */
  readonly asUint8Array?: boolean;
  /** Bytes to make room for at once; at most 1 MiB is. */
  readonly highWaterMark?: number;
  /**
   * Let `flush` hand out what was written since the last one.
   *
   * @default {false}
   */
  readonly stream?: boolean;
}

const SMALLEST = 64;
const LARGEST_AT_ONCE = 1024 * 1024;

/**
 * Collects text and bytes, and hands them out in one piece: to join many small
 * writes into one.
 *
 * It has three modes: without `stream` everything is kept until `end`; with
 * `stream` it is handed out by `flush` as an `ArrayBuffer`; with `stream` and
 * `asUint8Array` as a `Uint8Array`.
 *
 * @example
 * ```ts
 * import { ArrayBufferSink } from "@jstime/serve";
 *
 * const sink = new ArrayBufferSink();
 * sink.start({ stream: true, asUint8Array: true });
 * for (const letter of "hello") sink.write(letter);
 * const bytes = sink.flush() as Uint8Array;
 * console.log(new TextDecoder().decode(bytes)); // hello
 * ```
 */
export class ArrayBufferSink {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;
  #asUint8Array = false;
  #stream = false;

  /**
   * Begins anew: forgets what was written, and sets the mode. A sink that was
   * never started keeps everything until `end`.
   *
   * @param options The mode.
   */
  start(options?: ArrayBufferSinkOptions): void {
    const { asUint8Array, highWaterMark, stream } = options ?? {};
    this.#asUint8Array = Boolean(asUint8Array);
    this.#stream = Boolean(stream);
    this.#length = 0;
    const isSize = typeof highWaterMark === "number" && highWaterMark > 0;
    this.#bytes = new Uint8Array(
      isSize ? Math.min(Math.floor(highWaterMark), LARGEST_AT_ONCE) : 0,
    );
  }

  /**
   * Adds text, as UTF-8, or bytes, which are copied.
   *
   * @param chunk What to add.
   * @returns How many bytes were added.
   * @throws {TypeError} If it is neither text nor bytes.
   */
  write(
    chunk: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer,
  ): number {
    const bytes = bytesOf("chunk", chunk);
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
    return bytes.length;
  }

  /**
   * With `stream`, hands out what was written since the last time; otherwise
   * does nothing.
   *
   * @returns The bytes with `stream`, otherwise 0.
   */
  flush(): number | Uint8Array<ArrayBuffer> | ArrayBuffer {
    return this.#stream ? this.#take() : 0;
  }

  /**
   * Hands out what was written and not flushed yet. The sink can be used again
   * afterwards, in the same mode.
   *
   * @returns The bytes.
   */
  end(): ArrayBuffer | Uint8Array<ArrayBuffer> {
    return this.#take();
  }

  /** A copy, because users may keep what they get and write on. */
  #take(): ArrayBuffer | Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return this.#asUint8Array ? bytes : bytes.buffer;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(
      Math.max(length, this.#bytes.length * 2, SMALLEST),
    );
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
