/**
 * Reads environment variables without ever asking a person for permission.
 *
 * @module
 */

/** The part of Deno that is needed here; not every platform has all of it. */
interface Platform {
  readonly env?: { get(name: string): string | undefined };
  readonly permissions?: {
    querySync?(
      descriptor: { name: "env"; variable: string },
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
