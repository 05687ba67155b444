import { denoEngine } from "./deno/engine.ts";
import type { Engine, EngineName } from "./engine.ts";

/**
 * The engine to serve with. `auto` takes the fastest that works here.
 *
 * @throws {Error} If the engine asked for is not available.
 */
export function chooseEngine(wanted: EngineName | "auto"): Engine {
  if (wanted === "native") {
    throw new Error(
      'Cannot use engine "native": this version has only the deno engine',
    );
  }
  return denoEngine;
}
