import { denoTcp } from "./deno/tcp.ts";
import type { EngineName, TcpEngine } from "./engine.ts";

/**
 * The engine for `listen` and `connect`. `auto` takes the fastest that works
 * here.
 *
 * @throws {Error} If the engine asked for is not available.
 */
export function chooseTcpEngine(wanted: EngineName | "auto"): TcpEngine {
  if (wanted === "native") {
    throw new Error(
      'Cannot use engine "native": this version has only the deno engine',
    );
  }
  return denoTcp;
}
