/**
 * Tests that every engine must pass.
 *
 * @module
 */

import { denoEngine } from "../../src/engine/deno/engine.ts";
import type { EngineFeatures, EngineName } from "../../src/engine/engine.ts";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";

/** The features of the engines that are here. */
const engines: ReadonlyMap<EngineName, EngineFeatures | undefined> = new Map([
  ["deno", denoEngine.features],
  ["native", loadNativeEngine()?.features],
]);

/** Registers a test that only needs to run if an engine has some features. */
export function engineTest(
  name: string,
  fn: (engine: EngineName, features: EngineFeatures) => Promise<void>,
  isFor: (features: EngineFeatures) => boolean = () => true,
): void {
  for (const [engine, features] of engines) {
    if (features === undefined) {
      const reason = nativeEngineFailure()?.reason;
      Deno.test.ignore(`${name} (${engine}) [skipped: ${reason}]`, () => {});
    } else if (isFor(features)) {
      Deno.test(`${name} (${engine})`, () => fn(engine, features));
    }
  }
}
