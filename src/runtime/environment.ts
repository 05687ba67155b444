/**
 * What this program may do and is told, without ever asking a person for
 * permission.
 *
 * @module
 */

/** The part of Deno that is needed here; not every platform has all of it. */
interface Platform {
  readonly env?: { get(name: string): string | undefined };
  readonly permissions?: {
    querySync?(
      descriptor:
        | { name: "env"; variable: string }
        | { name: "read"; path: string },
    ): { state: string };
  };
}

/**
 * Reads an environment variable.
 *
 * @returns Its value; undefined if it is not set or must not be read.
 */
export function readEnvironment(name: string): string | undefined {
  try {
    const { Deno: deno } = globalThis as { Deno?: Platform };
    // Where permissions cannot be queried, nobody can be prompted either.
    const permission = deno?.permissions?.querySync?.({
      name: "env",
      variable: name,
    });
    if (permission !== undefined && permission.state !== "granted") {
      return undefined;
    }
    return deno?.env?.get(name);
  } catch {
    return undefined;
  }
}

/** Whether a file may be read without asking. */
export function mayRead(path: string): boolean {
  try {
    const { Deno: deno } = globalThis as { Deno?: Platform };
    const permission = deno?.permissions?.querySync?.({ name: "read", path });
    return permission === undefined || permission.state === "granted";
  } catch {
    return false;
  }
}
