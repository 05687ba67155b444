/**
 * The content of a file as a stream that opens nothing until it is read.
 *
 * @module
 */

import type { OpenFile } from "../engine/engine.ts";
import { openRegularFile, SMALL_FILE_SIZE } from "../runtime/file_system.ts";

/** Which bytes of which file a stream stands for. */
export interface FileSource {
  /** Path of the file. */
  readonly path: string;
  /** First byte. */
  readonly start: number;
  /** One past the last byte; undefined is the end of the file. */
  readonly end: number | undefined;
  /** Whether the user asked for a part with `slice()`. */
  readonly isSlice: boolean;
  /** Media type. */
  readonly type: string;
}

/** Most bytes in one chunk. */
const CHUNK_SIZE = 256 * 1024;

/** Without this the stream would open its file when it is created. */
const ONLY_WHEN_READ = { highWaterMark: 0 };

class FileReader implements UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  readonly source: FileSource;
  touched = false;
  #file: OpenFile | undefined;
  #position: number;
  #end = 0;
  #knowsEnd = true;

  constructor(source: FileSource) {
    this.source = source;
    this.#position = source.start;
  }

  async pull(
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ): Promise<void> {
    this.touched = true;
    try {
      const file = this.#file ?? this.#open();
      const size = Math.min(CHUNK_SIZE, this.#end - this.#position);
      const chunk = new Uint8Array(Math.max(0, size));
      const count = size <= 0
        ? 0
        : size <= SMALL_FILE_SIZE
        ? file.readSync(chunk, this.#position)
        : await file.read(chunk, this.#position);
      this.#deliver(controller, chunk, count);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  cancel(): void {
    this.touched = true;
    this.#close();
  }

  #open(): OpenFile {
    const { path, end } = this.source;
    const file = openRegularFile(path);
    this.#file = file;
    const { size } = file.info;
    // Files of /proc claim to be empty and are not.
    this.#knowsEnd = size > 0;
    this.#end = size > 0 ? Math.min(end ?? size, size) : end ?? Infinity;
    return file;
  }

  #deliver(
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
    chunk: Uint8Array<ArrayBuffer>,
    count: number,
  ): void {
    // Cancelled while the read was under way.
    if (this.#file === undefined) return;
    if (count === 0 && this.#knowsEnd && this.#position < this.#end) {
      throw new Error(
        `Cannot read "${this.source.path}": it became shorter while it was read`,
      );
    }
    if (count > 0) {
      this.#position += count;
      controller.enqueue(
        count === chunk.length ? chunk : chunk.subarray(0, count),
      );
    }
    if (count === 0 || this.#position >= this.#end) {
      this.#close();
      controller.close();
    }
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

class FileStream extends ReadableStream<Uint8Array<ArrayBuffer>> {
  readonly #reader: FileReader;

  constructor(source: FileSource) {
    const reader = new FileReader(source);
    super(reader, ONLY_WHEN_READ);
    this.#reader = reader;
  }

  static sourceOf(stream: ReadableStream): FileSource | undefined {
    if (!(#reader in stream)) return undefined;
    const { touched, source } = stream.#reader;
    return touched || stream.locked ? undefined : source;
  }
}

/**
 * A stream of the bytes that `source` names. The file is opened by the first
 * read and closed after the last byte, on an error, and on `cancel()`.
 */
export function streamFile(
  source: FileSource,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new FileStream(source);
}

/**
 * The file behind a stream, if all of its bytes still come straight from a
 * file: such a stream need not be read, the file can be sent instead.
 */
export function fileBehind(stream: ReadableStream): FileSource | undefined {
  return FileStream.sourceOf(stream);
}
