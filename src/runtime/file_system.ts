/**
 * The one module that touches the file system.
 *
 * `node:fs` opens files because `Deno.open` takes no flags: without
 * `O_NONBLOCK` opening a named pipe blocks the whole process until somebody
 * writes to it. Looking at the path first would leave a gap in which a pipe
 * can take the place of the file.
 *
 * @module
 */

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  read,
  readSync,
  type Stats,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { OpenFile, OpenFileInfo } from "../engine/engine.ts";
import { fileError } from "./file_error.ts";

// Absent on Windows, where no name in a file system is a pipe.
const NONBLOCK: number = constants.O_NONBLOCK ?? 0;
const READ_FLAGS = constants.O_RDONLY | NONBLOCK;
const WRITE_FLAGS = constants.O_WRONLY | constants.O_CREAT | NONBLOCK;

/** Files up to this many bytes are read in one go, without leaving the thread. */
export const SMALL_FILE_SIZE: number = 64 * 1024;

class ReadableDescriptor implements OpenFile {
  readonly info: OpenFileInfo;
  readonly #path: string;
  readonly #descriptor: number;
  #readsInFlight = 0;
  #closed = false;

  constructor(path: string, descriptor: number, info: OpenFileInfo) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.info = info;
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    if (this.#closed) {
      return Promise.reject(fileError("EBADF", "read", this.#path));
    }
    this.#readsInFlight++;
    return new Promise((resolve, reject) => {
      read(
        this.#descriptor,
        buffer,
        0,
        buffer.length,
        position,
        (error, count) => {
          this.#readsInFlight--;
          // The number of a closed descriptor may already belong to another
          // file, so closing waits for reads that still use it.
          if (this.#closed && this.#readsInFlight === 0) {
            closeSync(this.#descriptor);
          }
          if (error) reject(error);
          else resolve(count);
        },
      );
    });
  }

  readSync(buffer: Uint8Array, position: number): number {
    if (this.#closed) throw fileError("EBADF", "read", this.#path);
    return readSync(this.#descriptor, buffer, 0, buffer.length, position);
  }

  hasChanged(): boolean {
    if (this.#closed) throw fileError("EBADF", "fstat", this.#path);
    // Looking at the path is four times cheaper than asking the descriptor,
    // and as good if it still leads to the same file.
    const { device, inode, size, modified } = this.info;
    const found = statFile(this.#path);
    const isSame = inode !== undefined && found?.inode === inode &&
      found.device === device;
    const now = isSame ? found : toOpenInfo(fstatSync(this.#descriptor));
    return now.size !== size || now.modified !== modified;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#readsInFlight === 0) closeSync(this.#descriptor);
  }
}

function toOpenInfo(facts: Stats): OpenFileInfo {
  return {
    size: facts.size,
    modified: facts.mtimeMs,
    isFile: facts.isFile(),
    device: facts.dev,
    inode: facts.ino || undefined,
  };
}

/**
 * Opens a regular file or a directory for reading. It never blocks.
 *
 * @throws {Error} with `code` (`ENOENT`, `EACCES`, ...), `syscall` and `path`;
 * `EINVAL` for a pipe, a device or a socket.
 */
export function openFile(path: string): OpenFile {
  const descriptor = openSync(path, READ_FLAGS);
  try {
    const facts = fstatSync(descriptor);
    if (!facts.isFile() && !facts.isDirectory()) {
      throw fileError("EINVAL", "open", path);
    }
    return new ReadableDescriptor(path, descriptor, toOpenInfo(facts));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Opens a regular file for reading.
 *
 * @throws {Error} as {@linkcode openFile}, and `EISDIR` for a directory.
 */
export function openRegularFile(path: string): OpenFile {
  const file = openFile(path);
  if (file.info.isFile) return file;
  file.close();
  throw fileError("EISDIR", "read", path);
}

/** A file that is open for writing. Whoever holds it closes it. */
export class WritableFile {
  readonly #descriptor: number;
  readonly #isFile: boolean;
  #closed = false;

  /** Use {@linkcode openForWriting}. */
  constructor(descriptor: number, isFile: boolean) {
    this.#descriptor = descriptor;
    this.#isFile = isFile;
  }

  /** Writes all of `bytes` at `position`. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += await new Promise<number>((resolve, reject) => {
        write(
          this.#descriptor,
          bytes,
          done,
          bytes.length - done,
          position + done,
          (error, count) => error ? reject(error) : resolve(count),
        );
      });
    }
  }

  /** As `write`, but blocks. */
  writeSync(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(
        this.#descriptor,
        bytes,
        done,
        bytes.length - done,
        position + done,
      );
    }
  }

  /** Cuts the file to `length` bytes; devices have no length to cut. */
  truncate(length: number): void {
    if (this.#isFile) ftruncateSync(this.#descriptor, length);
  }

  /** Closes the descriptor, after any write; safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }
}

/**
 * Opens a file for writing and keeps what is in it; creates it when it is
 * missing, and its directories too with `createDirectories`. It never blocks.
 *
 * @throws {Error} with `code`, `syscall` and `path`; `EISDIR` for a directory,
 * `EINVAL` or `ENXIO` for a pipe or a socket.
 */
export function openForWriting(
  path: string,
  createDirectories: boolean,
): WritableFile {
  const descriptor = openOrCreate(path, createDirectories);
  try {
    const facts = fstatSync(descriptor);
    // A pipe or socket that does not block also does not take every write.
    if (facts.isFIFO() || facts.isSocket()) {
      throw fileError("EINVAL", "open", path);
    }
    return new WritableFile(descriptor, facts.isFile());
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openOrCreate(path: string, createDirectories: boolean): number {
  try {
    return openSync(path, WRITE_FLAGS, 0o666);
  } catch (error) {
    const missing = error instanceof Error && "code" in error &&
      error.code === "ENOENT";
    if (!missing || !createDirectories || path === "") throw error;
  }
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, WRITE_FLAGS, 0o666);
}

/**
 * What is known about a path; undefined if nothing can be found there.
 * Symbolic links are followed.
 *
 * @throws {Deno.errors.NotCapable} without permission to read the path.
 */
export function statFile(path: string): OpenFileInfo | undefined {
  return orUndefined(() => toInfo(Deno.statSync(path)));
}

/** As {@linkcode statFile}, but a symbolic link is not followed. */
export function statLink(path: string): OpenFileInfo | undefined {
  return orUndefined(() => toInfo(Deno.lstatSync(path)));
}

/** The absolute path without symbolic links; undefined if there is none. */
export function realPath(path: string): string | undefined {
  return orUndefined(() => Deno.realPathSync(path));
}

function orUndefined<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    // A missing permission is a mistake in how the program was started, and
    // hiding it as "no such file" would make it hard to find.
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined;
  }
}

function toInfo(facts: Deno.FileInfo): OpenFileInfo {
  return {
    size: facts.size,
    modified: facts.mtime?.getTime() ?? 0,
    isFile: facts.isFile,
    device: facts.dev,
    inode: facts.ino || undefined,
  };
}

/**
 * Reads from `start` up to `end` (excluded), or to the end of the file.
 *
 * @throws {Error} as {@linkcode openRegularFile}.
 */
export async function readFile(
  path: string,
  start: number,
  end: number | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = openRegularFile(path);
  try {
    const { size } = file.info;
    // Files of /proc claim to be empty and are not.
    if (size === 0) return await readToEnd(file, start, end ?? Infinity);
    const stop = Math.min(end ?? size, size);
    const bytes = new Uint8Array(Math.max(0, stop - start));
    const count = await readInto(file, bytes, start);
    return count === bytes.length ? bytes : bytes.slice(0, count);
  } finally {
    file.close();
  }
}

async function readInto(
  file: OpenFile,
  bytes: Uint8Array,
  start: number,
): Promise<number> {
  const small = bytes.length <= SMALL_FILE_SIZE;
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.subarray(done);
    const count = small
      ? file.readSync(rest, start + done)
      : await file.read(rest, start + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

async function readToEnd(
  file: OpenFile,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(4096);
  let done = 0;
  while (start + done < end) {
    if (done === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    const room = bytes.subarray(done, Math.min(bytes.length, end - start));
    const count = await file.read(room, start + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.slice(0, done);
}
