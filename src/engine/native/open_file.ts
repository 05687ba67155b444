import type { OpenFile, OpenFileInfo } from "../engine.ts";
import { fileError } from "../../runtime/file_error.ts";
import { openFile } from "../../runtime/file_system.ts";
import type { SharedLibrary } from "./library.ts";
import type { Helper } from "./symbols.ts";
import { fileSystemError } from "./system_error.ts";

const encoder = new TextEncoder();

/** What the helper tells of a file: see `jstime_file_open`. */
const facts = new Float64Array(6);
const factBytes = new Uint8Array(facts.buffer);

/** Bytes of the longest path that a system takes, and one more. */
const pathBytes = new Uint8Array(4097);

/** Opens files inside of the helper, which can then send them by itself. */
export class NativeFileOpener {
  readonly #library: SharedLibrary;
  #mayReadAll = false;

  constructor(library: SharedLibrary) {
    this.#library = library;
  }

  /**
   * Opens a regular file or a directory.
   *
   * @throws {Error} With `code` such as `ENOENT`, `syscall` and `path`.
   */
  open(path: string): OpenFile {
    // The platform says what is wrong with such a path, or asks somebody.
    if (!this.#mayRead(path) || !isPlain(path)) return openFile(path);
    const helper = this.#library.acquire();
    const { written } = encoder.encodeInto(path, pathBytes);
    const token = helper.jstime_file_open(pathBytes, written, factBytes);
    if (token > 0) {
      return new NativeOpenFile(path, token, factsToInfo(), this.#library);
    }
    this.#library.release();
    throw openError(-token, path);
  }

  #mayRead(path: string): boolean {
    this.#mayReadAll ||= isGranted({ name: "read" });
    return this.#mayReadAll || isGranted({ name: "read", path });
  }
}

function isGranted(descriptor: Deno.ReadPermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** Whether the system can be asked for a path: it must have room for it. */
function isPlain(path: string): boolean {
  return path.length * 3 < pathBytes.length && !path.includes("\0");
}

function openError(errno: number, path: string): Error {
  const error = fileSystemError(errno, "open", path);
  // Opening worked, but what was opened is neither a file nor a directory.
  return "code" in error && error.code === "EINVAL"
    ? fileError("EINVAL", "open", path)
    : error;
}

function factsToInfo(): OpenFileInfo {
  const [size, modified, , device, inode, kind] = facts;
  return {
    size: size!,
    modified: modified!,
    isFile: kind === 1,
    device: device!,
    inode: inode || undefined,
  };
}

/** A file that the helper has opened. */
export class NativeOpenFile implements OpenFile {
  readonly info: OpenFileInfo;
  readonly #path: string;
  readonly #library: SharedLibrary;
  readonly #helper: Helper;
  /** What the helper knows it by. */
  readonly #token: number;
  #isClosed = false;
  #wasSpent = false;
  #readsInFlight = 0;

  /** @param library Acquired once for this file. */
  constructor(
    path: string,
    token: number,
    info: OpenFileInfo,
    library: SharedLibrary,
  ) {
    this.#path = path;
    this.#token = token;
    this.info = info;
    this.#library = library;
    this.#helper = library.functions;
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    this.#requireOpen("read");
    const target = buffer as Uint8Array<ArrayBuffer>;
    this.#readsInFlight++;
    try {
      const count = await this.#helper.file_read_async(
        this.#token,
        target,
        buffer.length,
        position,
      );
      return this.#checkRead(count);
    } finally {
      this.#readsInFlight--;
      this.#letGo();
    }
  }

  readSync(buffer: Uint8Array, position: number): number {
    this.#requireOpen("read");
    const target = buffer as Uint8Array<ArrayBuffer>;
    return this.#checkRead(
      this.#helper.jstime_file_read(
        this.#token,
        target,
        buffer.length,
        position,
      ),
    );
  }

  hasChanged(): boolean {
    this.#requireOpen("fstat");
    const result = this.#helper.jstime_file_stat(this.#token, factBytes);
    if (result < 0) throw fileSystemError(-result, "fstat", this.#path);
    const { size, modified } = this.info;
    return facts[0] !== size || facts[1] !== modified;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#letGo();
  }

  /** Hands over the token: the helper closes the file when it was sent. */
  spend(): number {
    this.#requireOpen("send");
    this.#wasSpent = true;
    this.close();
    return this.#token;
  }

  #requireOpen(syscall: string): void {
    if (this.#isClosed) throw fileError("EBADF", syscall, this.#path);
  }

  #checkRead(count: number): number {
    if (count < 0) throw fileSystemError(-count, "read", this.#path);
    return count;
  }

  /** Closing waits for reads that still need the file, or the library. */
  #letGo(): void {
    if (!this.#isClosed || this.#readsInFlight > 0) return;
    if (!this.#wasSpent) this.#helper.jstime_file_close(this.#token);
    this.#library.release();
  }
}
