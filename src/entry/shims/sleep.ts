/**
 * `Bun.sleep`.
 *
 * @module
 */

/**
 * Waits.
 *
 * @param until Milliseconds, or the moment to wait for.
 * @throws {TypeError} If it is neither.
 *
 * @example
 * ```ts
 * import { sleep } from "@jstime/serve/bun";
 *
 * await sleep(10);
 * ```
 */
export function sleep(until: number | Date): Promise<void> {
  const milliseconds = until instanceof Date
    ? until.getTime() - Date.now()
    : until;
  if (typeof milliseconds !== "number") {
    throw new TypeError(
      `Cannot sleep for a value of type ${typeof until}: expected milliseconds or a Date`,
    );
  }
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
