/**
 * Errors of the file system in the shape Node gives them.
 *
 * @module
 */

/** An error of the file system: `code` says what went wrong. */
export interface FileError extends Error {
  /** Symbolic name of the error, for example `ENOENT`. */
  readonly code: string;
  /** The system call that failed, for example `open`. */
  readonly syscall: string;
  /** The path as it was given. */
  readonly path: string;
}

/** The codes that this package raises itself. */
export type FileErrorCode =
  | "EBADF"
  | "EINVAL"
  | "EISDIR"
  | "ENOENT"
  | "ENOTDIR";

const DESCRIPTIONS: Record<FileErrorCode, string> = {
  EBADF: "file is closed",
  EINVAL: "neither a regular file nor a directory",
  EISDIR: "illegal operation on a directory",
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
};

/**
 * Makes an error that looks like the ones `node:fs` throws, for conditions
 * that no system call reports.
 */
export function fileError(
  code: FileErrorCode,
  syscall: string,
  path: string,
): FileError {
  const message = `${code}: ${DESCRIPTIONS[code]}, ${syscall} '${path}'`;
  return Object.assign(new Error(message), { code, syscall, path });
}

/** The codes that say "there is nothing here that could be served". */
const UNSERVABLE: ReadonlySet<unknown> = new Set([
  "EACCES",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
]);

/**
 * Whether opening failed because of the path, which a client answers for, and
 * not because of the server, which for example ran out of descriptors.
 */
export function isUnservable(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    UNSERVABLE.has(error.code);
}
