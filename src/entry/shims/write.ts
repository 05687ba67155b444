/**
 * `Bun.write`.
 *
 * @module
 */

import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { file } from "../../file.ts";
import { JSTimeFile } from "../../file/jstime_file.ts";
import type { FileContent } from "../../file/write_file.ts";

/** Options of {@linkcode write}. */
export interface WriteOptions {
  /** Create missing directories of the path. Default: true. */
  createPath?: boolean;
  /** Permissions of the file, set before anything is written: `0o600`. */
  mode?: number;
}

/**
 * Replaces the content of a file; creates it and its directories if need be.
 *
 * @param destination A path, a `file:` URL, or a file.
 * @param content Text, bytes, a Blob or file, a stream, a Request or Response,
 * or a list of pieces as for `new Blob()`.
 * @returns The number of bytes written.
 * @throws {TypeError} If the content is something else, or was used before.
 * @throws {Error} With `code`, such as `EACCES`.
 *
 * @example
 * ```ts
 * import { write } from "@jstime/serve/bun";
 *
 * const path = Deno.makeTempFileSync();
 * console.log(await write(path, "Hello")); // 5
 * Deno.removeSync(path);
 * ```
 */
export async function write(
  destination: string | URL | JSTimeFile,
  content: FileContent | BlobPart[],
  options: WriteOptions = {},
): Promise<number> {
  const target = destination instanceof JSTimeFile
    ? destination
    : file(destination);
  const { createPath, mode } = options;
  if (mode !== undefined) {
    if (createPath !== false) {
      await mkdir(dirname(target.name), { recursive: true });
    }
    await setMode(target.name, mode);
  }
  return await target.write(
    Array.isArray(content) ? new Blob(content) : content,
    createPath === undefined ? {} : { createPath },
  );
}

async function setMode(path: string, mode: number): Promise<void> {
  const handle = await open(path, "a", mode);
  try {
    // It may have existed, and the umask may have taken something away.
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}
