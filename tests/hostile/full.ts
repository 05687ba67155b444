/**
 * How much the hostile tests do: a little everywhere, everything where
 * `HOSTILE_FULL` is set, as `deno task test:hostile` does.
 *
 * @module
 */

/** Whether everything is to be done, however long it takes. */
export const isFull: boolean = Boolean(Deno.env.get("HOSTILE_FULL"));

/** The first number usually, the second in a full run. */
export function scaled(usual: number, full: number): number {
  return isFull ? full : usual;
}
