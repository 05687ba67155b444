/**
 * Writing a file piece by piece.
 *
 * @module
 */

import { openForWriting, type WritableFile } from "../runtime/file_system.ts";
import { toBytes } from "./bytes.ts";

/** Options of {@linkcode FileSink}. */
export interface FileSinkOptions {
  /** Bytes to collect before they are written. Default: 64 KiB. */
  highWaterMark?: number;
}

const DEFAULT_HIGH_WATER_MARK = 64 * 1024;

/**
 * Writes a file piece by piece; made by `file(path).writer()`.
 *
 * Pieces are collected in memory and written when there are `highWaterMark`
 * bytes of them, on `flush()`, and on `end()`. Call `end()`: without it the
 * last bytes are lost and the file stays open.
 *
 * @example
 * ```ts
 * import { file } from "@jstime/serve";
 *
 * const path = Deno.makeTempFileSync();
 * const sink = file(path).writer();
 * sink.write("first line\n");
 * sink.write("second line\n");
 * await sink.end();
 * Deno.removeSync(path);
 * ```
 */
export class FileSink {
  readonly #path: string;
  readonly #file: WritableFile;
  #highWaterMark: number = DEFAULT_HIGH_WATER_MARK;
  #pieces: Uint8Array[] = [];
  #collected = 0;
  #position = 0;
  #ended = false;

  /**
   * Opens the file, creates it if it is missing, and empties it.
   *
   * @throws {Error} with `code`, if the file cannot be opened.
   */
  constructor(path: string, options: FileSinkOptions = {}) {
    this.#path = path;
    const highWaterMark = checkHighWaterMark(options.highWaterMark);
    this.#file = openForWriting(path, false);
    this.#highWaterMark = highWaterMark ?? DEFAULT_HIGH_WATER_MARK;
    try {
      this.#file.truncate(0);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /**
   * Sets how many bytes are collected before they are written.
   *
   * @throws {RangeError} unless it is a whole number from 0.
   */
  start(options: FileSinkOptions = {}): void {
    this.#highWaterMark = checkHighWaterMark(options.highWaterMark) ??
      this.#highWaterMark;
  }

  /**
   * Adds a piece; strings are encoded as UTF-8.
   *
   * @returns the number of bytes in it.
   * @throws {TypeError} if it is neither text nor bytes, or after `end()`.
   * @throws {Error} with `code`, if writing to the disk fails.
   */
  write(
    chunk: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer,
  ): number {
    if (this.#ended) {
      throw new TypeError(
        `Cannot write to "${this.#path}": the sink has ended`,
      );
    }
    const bytes = toBytes(chunk);
    if (bytes === undefined) {
      throw new TypeError(
        `Cannot write to "${this.#path}": expected a string or bytes`,
      );
    }
    if (this.#collected + bytes.length < this.#highWaterMark) {
      // The caller may use its buffer again before the bytes are written.
      this.#pieces.push(typeof chunk === "string" ? bytes : bytes.slice());
      this.#collected += bytes.length;
    } else {
      this.flush();
      this.#append(bytes);
    }
    return bytes.length;
  }

  /**
   * Writes what was collected.
   *
   * @returns the number of bytes written.
   * @throws {Error} with `code`, if writing to the disk fails.
   */
  flush(): number {
    const count = this.#collected;
    if (count === 0) return 0;
    const bytes = new Uint8Array(count);
    let offset = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, offset);
      offset += piece.length;
    }
    this.#append(bytes);
    this.#pieces = [];
    this.#collected = 0;
    return count;
  }

  /**
   * Writes what was collected and closes the file; safe to call twice. What
   * was written stays, also when the caller ends with an error.
   *
   * @returns the number of bytes written.
   * @throws {Error} with `code`, if writing to the disk fails; the file is
   * closed nevertheless.
   */
  end(_error?: Error): number {
    if (this.#ended) return 0;
    this.#ended = true;
    try {
      return this.flush();
    } finally {
      this.#file.close();
    }
  }

  /** Does nothing: an open file never keeps the process alive. */
  ref(): void {}

  /** Does nothing: an open file never keeps the process alive. */
  unref(): void {}

  #append(bytes: Uint8Array): void {
    this.#file.writeSync(bytes, this.#position);
    this.#position += bytes.length;
  }
}

function checkHighWaterMark(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `Cannot use highWaterMark ${value}: expected an integer from 0`,
  );
}
