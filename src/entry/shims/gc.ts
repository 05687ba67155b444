/**
 * `Bun.gc`.
 *
 * @module
 */

/**
 * Asks for garbage collection. Deno allows that only under
 * `--v8-flags=--expose-gc`; otherwise nothing happens.
 */
export function gc(_force?: boolean): void {
  (globalThis as { gc?: () => void }).gc?.();
}
