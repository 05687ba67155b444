/**
 * Replacing the content of a file.
 *
 * @module
 */

import { openForWriting, type WritableFile } from "../runtime/file_system.ts";
import { toBytes } from "./bytes.ts";

/** What can be written to a file in one go. */
export type FileContent =
  | string
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  | Request
  | Response
  | ReadableStream;

interface Piece {
  readonly done: boolean;
  readonly value?: unknown;
}

const NO_PIECE: Piece = { done: true };

/** Options of `file(path).write()`. */
export interface FileWriteOptions {
  /** Create the directories of the path if they are missing. Default: true. */
  createPath?: boolean;
}

/**
 * Replaces the content of the file at `path`.
 *
 * The content is asked for its first piece before the file is touched, so a
 * source that cannot be read leaves the file as it was. One that fails later
 * leaves the part that was written until then.
 *
 * @returns the number of bytes written.
 */
export async function writeFile(
  path: string,
  content: FileContent,
  options: FileWriteOptions = {},
): Promise<number> {
  const createDirectories = options.createPath ?? true;
  const bytes = toBytes(content);
  const stream = bytes === undefined ? toStream(path, content) : null;
  if (stream === null) {
    const file = openForWriting(path, createDirectories);
    return await replace(file, path, {
      done: bytes === undefined,
      value: bytes,
    });
  }
  const reader = stream.getReader();
  try {
    const first = await reader.read();
    const file = openForWriting(path, createDirectories);
    return await replace(file, path, first, reader);
  } catch (error) {
    // The first error is the one to report.
    reader.cancel(error).catch(() => {});
    throw error;
  }
}

/** The stream of anything with a body; null for a message without one. */
function toStream(path: string, content: unknown): ReadableStream | null {
  if (content instanceof ReadableStream) return content;
  if (content instanceof Blob) return content.stream();
  if (content instanceof Response || content instanceof Request) {
    if (content.bodyUsed) {
      throw new TypeError(
        `Cannot write to "${path}": the body is already used`,
      );
    }
    return content.body;
  }
  throw new TypeError(
    `Cannot write to "${path}": expected a string, bytes, Blob, Response, Request or ReadableStream`,
  );
}

/**
 * Writes in place and cuts the file at the end, not at the start: the source
 * may be a part of this very file, and reading stays ahead of writing.
 */
async function replace(
  file: WritableFile,
  path: string,
  first: Piece,
  rest?: ReadableStreamDefaultReader,
): Promise<number> {
  let position = 0;
  try {
    let piece = first;
    while (!piece.done) {
      const bytes = toBytes(piece.value);
      if (bytes === undefined) {
        throw new TypeError(
          `Cannot write to "${path}": expected a stream of strings or bytes`,
        );
      }
      await file.write(bytes, position);
      position += bytes.length;
      piece = rest === undefined ? NO_PIECE : await rest.read();
    }
  } finally {
    try {
      file.truncate(position);
    } finally {
      file.close();
    }
  }
  return position;
}
