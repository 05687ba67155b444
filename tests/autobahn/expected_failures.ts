/**
 * What is known to fail, and why.
 *
 * @module
 */
import type { EngineName } from "../hostile/program.ts";

/** Reasons by pattern of cases, for each engine. */
const reasons: Readonly<Record<EngineName, readonly [RegExp, string][]>> = {
  native: [],
  deno: [
    [
      /^7\.3\.6$/,
      "Deno.serve takes a close frame that is too long, and leaves it to the " +
      "client to hang up",
    ],
    [/^1[23]\./, "Deno.upgradeWebSocket cannot compress"],
  ],
};

/** Why a case fails on an engine, if that is known. */
export function reasonFor(
  engine: EngineName,
  name: string,
): string | undefined {
  return reasons[engine].find(([pattern]) => pattern.test(name))?.[1];
}
