/**
 * The public function `file()`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { JSTimeFile, normalizeType } from "./file/jstime_file.ts";
import { mediaTypeOf } from "./file/media_type.ts";

/** Options of {@linkcode file}. */
export interface FileOptions {
  /** Media type. Default: by the extension of the name. */
  type?: string;
}

/**
 * A file as a lazy `Blob`: nothing is read until the content is asked for, and
 * the file need not exist.
 *
 * @example
 * ```ts
 * import { file } from "@jstime/serve";
 *
 * const path = Deno.makeTempFileSync({ suffix: ".json" });
 * await file(path).write('{"hello": "world"}');
 *
 * console.log(file(path).type); // application/json;charset=utf-8
 * console.log(await file(path).json()); // { hello: "world" }
 * await file(path).delete();
 * ```
 *
 * @param path A path, relative to the working directory, or a `file:` URL.
 * @throws {TypeError} if `path` is neither, or contains a NUL.
 */
export function file(path: string | URL, options?: FileOptions): JSTimeFile {
  const name = toPath(path);
  return new JSTimeFile({
    path: name,
    start: 0,
    end: undefined,
    isSlice: false,
    type: normalizeType(options?.type) || mediaTypeOf(name),
  });
}

function toPath(path: unknown): string {
  if (typeof path !== "string" && !(path instanceof URL)) {
    throw new TypeError(
      typeof path === "number"
        ? `Cannot use file descriptor ${path} as a file: expected a path or a file URL`
        : `Cannot use a value of type ${typeof path} as a file: expected a path or a file URL`,
    );
  }
  const name = typeof path === "string" ? path : fileURLToPath(path);
  if (!name.includes("\0")) return name;
  throw new TypeError(
    `Cannot use ${JSON.stringify(name)} as a file: a path contains no NUL`,
  );
}
