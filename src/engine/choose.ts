/**
 * Which engine serves.
 *
 * @module
 */

import { denoEngine } from "./deno/engine.ts";
import { denoTcp } from "./deno/tcp.ts";
import type {
  Engine,
  EngineName,
  HttpListenPlan,
  TcpEngine,
  TcpListenPlan,
} from "./engine.ts";
import { unavailable } from "./unavailable.ts";
import { loadNativeEngine, nativeEngineFailure } from "./native/engine.ts";
import type { NativeTcp } from "./native/tcp.ts";

let hasWarned = false;

/**
 * The engine for `serve`. `auto` takes the native engine where it is there and
 * can serve by the plan, else the deno engine, if that can.
 *
 * @throws {Error} If the engine asked for cannot be used; `code` is
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export function chooseEngine(
  wanted: EngineName | "auto",
  plan: HttpListenPlan,
): Engine {
  const missing = denoEngine.unable(plan);
  if (wanted === "deno") {
    if (missing !== undefined) throw cannotUse("deno", missing);
    return denoEngine;
  }
  const native = loadNativeEngine();
  const reason = native === undefined
    ? whyUnavailable(wanted)
    : native.unable(plan);
  if (native !== undefined && reason === undefined) return native;
  if (wanted === "native") throw cannotUse("native", reason);
  if (missing !== undefined) {
    const { message } = cannotUse("native", reason);
    throw unavailable(`${message}, nor "deno": ${missing}`);
  }
  return denoEngine;
}

/**
 * The engine for `listen`. `auto` takes the native engine where it is there and
 * needs nobody's help with the plan.
 *
 * @throws {Error} If the engine asked for cannot be used; `code` is
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export function chooseListenEngine(
  wanted: EngineName | "auto",
  plan: TcpListenPlan,
): TcpEngine {
  const engine = chooseTcpEngine(wanted);
  const isBest = wanted !== "auto" || !("suits" in engine) ||
    engine.suits(plan);
  return isBest ? engine : denoTcp;
}

/**
 * The engine for `connect`. `auto` takes the deno engine: threads of its own do
 * not pay for a single connection.
 *
 * @throws {Error} If the engine asked for cannot be used; `code` is
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export function chooseConnectEngine(wanted: EngineName | "auto"): TcpEngine {
  return wanted === "auto" ? denoTcp : chooseTcpEngine(wanted);
}

function chooseTcpEngine(
  wanted: EngineName | "auto",
): TcpEngine | NativeTcp {
  if (wanted === "deno") return denoTcp;
  const native = loadNativeEngine();
  if (native !== undefined) return native.tcp;
  const reason = whyUnavailable(wanted);
  if (wanted === "native") throw cannotUse("native", reason);
  return denoTcp;
}

/** The reason; of a fault that `auto` hides, everybody is told once. */
function whyUnavailable(wanted: EngineName | "auto"): string | undefined {
  const failure = nativeEngineFailure();
  if (wanted === "auto" && failure?.isFault && !hasWarned) {
    hasWarned = true;
    console.warn(
      `Cannot use engine "native": ${failure.reason}. Serving with the deno engine`,
    );
  }
  return failure?.reason;
}

function cannotUse(
  engine: EngineName,
  reason: string = "it is not here",
): Error {
  return unavailable(`Cannot use engine "${engine}": ${reason}`);
}
