import type { OpenFile, OpenFileInfo } from "../engine.ts";

/**
 * Files up to this length are read in one go, because a stream costs several
 * times what reading them does, and are kept while they stay as they are.
 */
export const SMALL_FILE: number = 256 * 1024;

/** Most bytes kept; the files used longest ago go first. */
const CAPACITY = 16 * 1024 * 1024;

/**
 * A file changed this recently, in milliseconds, is not kept. It could change
 * again within the resolution of its time stamps (Deno gives `ctime` in whole
 * seconds), and would look the same afterwards.
 */
const SETTLING_TIME = 2_000;

/** Everything by which a change shows: nobody can set `ctime` back. */
interface Identity {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  readonly modified: number;
  readonly attributesChanged: number;
}

/** A file whose content is in memory. */
export class CachedFile implements OpenFile {
  readonly info: OpenFileInfo;
  /** All of the file. */
  readonly content: Uint8Array<ArrayBuffer>;
  readonly identity: Identity;
  /** A copy of it costs no copy of the content, as making a response does. */
  readonly #response: Response;

  constructor(
    info: OpenFileInfo,
    content: Uint8Array<ArrayBuffer>,
    identity: Identity,
  ) {
    this.info = info;
    this.content = content;
    this.identity = identity;
    this.#response = new Response(content);
  }

  /** A response with status 200, all of the content, and no headers. */
  toResponse(): Response {
    return this.#response.clone();
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return Promise.resolve(this.readSync(buffer, position));
  }

  readSync(buffer: Uint8Array, position: number): number {
    const part = this.content.subarray(position, position + buffer.length);
    buffer.set(part);
    return part.length;
  }

  hasChanged(): boolean {
    return false;
  }

  close(): void {}
}

/**
 * Opens files, and keeps small ones in memory for as long as the file system
 * says that they are unchanged: one `stat` then stands for open, two `fstat`,
 * read and close, which cost more than the rest of a response.
 */
export class FileCache {
  readonly #open: (path: string) => OpenFile;
  readonly #clock: { now(): number };
  readonly #files: Map<string, CachedFile> = new Map();
  #size = 0;

  /**
   * @param open Opens what is not kept.
   * @param clock Tells the time that files' time stamps are compared with.
   */
  constructor(
    open: (path: string) => OpenFile,
    clock: { now(): number } = Date,
  ) {
    this.#open = open;
    this.#clock = clock;
  }

  /**
   * Opens a file or directory.
   *
   * @throws {Error} What opening it throws.
   */
  open(path: string): OpenFile {
    const identity = identify(path);
    // The ordinary way reports what is wrong with it.
    if (identity === undefined) return this.#open(path);
    const cached = this.#files.get(path);
    if (cached !== undefined) {
      this.#remove(path, cached);
      if (isSame(cached.identity, identity)) {
        this.#add(path, cached);
        return cached;
      }
    }
    const file = this.#open(path);
    const settled = this.#clock.now() - SETTLING_TIME;
    if (latestChange(identity) > settled || !describes(identity, file.info)) {
      return file;
    }
    const content = readWhole(file);
    const now = identify(path);
    if (content === undefined || now === undefined || !isSame(identity, now)) {
      return file;
    }
    const fresh = new CachedFile(file.info, content, identity);
    file.close();
    this.#add(path, fresh);
    return fresh;
  }

  #add(path: string, file: CachedFile): void {
    this.#files.set(path, file);
    this.#size += file.content.length;
    for (const [oldest, unused] of this.#files) {
      if (this.#size <= CAPACITY) break;
      this.#remove(oldest, unused);
    }
  }

  #remove(path: string, file: CachedFile): void {
    this.#files.delete(path);
    this.#size -= file.content.length;
  }
}

/** Undefined if there is no small file, or the system does not tell enough. */
function identify(path: string): Identity | undefined {
  try {
    const { isFile, size, dev, ino, mtime, ctime } = Deno.statSync(path);
    if (!isFile || size > SMALL_FILE || size === 0) return undefined;
    if (ino === null || mtime === null || ctime === null) return undefined;
    return {
      device: dev,
      inode: ino,
      size,
      modified: mtime.getTime(),
      attributesChanged: ctime.getTime(),
    };
  } catch {
    return undefined;
  }
}

function isSame(one: Identity, other: Identity): boolean {
  return one.inode === other.inode && one.device === other.device &&
    one.size === other.size && one.modified === other.modified &&
    one.attributesChanged === other.attributesChanged;
}

function latestChange({ modified, attributesChanged }: Identity): number {
  return Math.max(modified, attributesChanged);
}

function describes(identity: Identity, info: OpenFileInfo): boolean {
  return info.isFile && identity.inode === info.inode &&
    identity.device === info.device && identity.size === info.size;
}

function readWhole(file: OpenFile): Uint8Array<ArrayBuffer> | undefined {
  const { size } = file.info;
  const content = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const count = file.readSync(content.subarray(filled), filled);
    if (count === 0) return undefined;
    filled += count;
  }
  return content;
}
