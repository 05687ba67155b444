/**
 * The subjects that Deno runs.
 *
 * @module
 */

import type { Subject } from "./subject.ts";

const programs = `${import.meta.dirname}/programs`;

/** Where our module is, unless another version of it is measured. */
export const ourModule: string = new URL("../../mod.ts", import.meta.url).href;

/**
 * Ours on one of its engines.
 *
 * @param module The module to measure.
 */
export function ourSubject(
  engine: "native" | "deno",
  module: string = ourModule,
): Subject {
  return {
    id: engine === "native" ? "native" : "deno-engine",
    version: `Deno ${Deno.version.deno}`,
    engine,
    command: (plan) => ({
      program: Deno.execPath(),
      args: [
        ...["run", "--no-check", "-A", `${programs}/ours.ts`],
        JSON.stringify({ ...plan, module }),
      ],
      env: { JSTIME_ENGINE: engine },
    }),
    applies: () => true,
    lacks: () => undefined,
  };
}

/** `Deno.serve` and `Deno.listen`, by hand. */
export function denoSubject(): Subject {
  return {
    id: "deno",
    version: `Deno ${Deno.version.deno}`,
    command: (plan) => ({
      program: Deno.execPath(),
      args: [
        ...["run", "--no-check", "-A", `${programs}/by_hand/main.ts`],
        JSON.stringify(plan),
      ],
      env: {},
    }),
    applies: () => true,
    lacks: () => undefined,
  };
}
