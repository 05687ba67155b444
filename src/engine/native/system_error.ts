import { getSystemErrorMap } from "node:util";

/** What is known about a failed system call besides its number. */
interface Failure {
  /** Such as `ENOENT`; `UNKNOWN` if the platform has no name for it. */
  readonly code: string;
  /** In words. */
  readonly description: string;
}

/** The name and meaning of an error number. */
export function describeErrno(errno: number): Failure {
  const [code, description] = getSystemErrorMap().get(-errno) ??
    ["UNKNOWN", `unknown error ${errno}`];
  return { code, description };
}

/** Not of the system: a host name has no address. */
const NAME_NOT_FOUND = 3008;

/** An error of the network, as the platform has it: with `code` alone. */
export function systemError(errno: number): Error {
  const { code, description } = errno === NAME_NOT_FOUND
    ? {
      code: "ENOTFOUND",
      description: "failed to lookup address information: not found",
    }
    : describeErrno(errno);
  return Object.assign(new Error(description), { code });
}

/**
 * Makes an error of the file system as `node:fs` does.
 *
 * @param errno The number of the error, above zero.
 * @param syscall What failed, for example `open`.
 */
export function fileSystemError(
  errno: number,
  syscall: string,
  path: string,
): Error {
  const { code, description } = describeErrno(errno);
  const error = new Error(`${code}: ${description}, ${syscall} '${path}'`);
  return Object.assign(error, { errno: -errno, code, syscall, path });
}
