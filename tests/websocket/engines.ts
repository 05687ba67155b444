/**
 * Tests that every engine must pass.
 *
 * @module
 */

import { denoEngine } from "../../src/engine/deno/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";

/** What a test runs on. */
export type EngineTest = (engine: Engine) => Promise<void> | void;

/** Which of the tests run. */
export interface EngineTestOptions {
  /** The engines that the test says something about; all by default. */
  readonly isFor?: (engine: Engine) => boolean;
  /** Show it as skipped. Default: false. */
  readonly ignore?: boolean;
}

/**
 * Registers a test for each engine. That of an engine that is not here is shown
 * as skipped.
 */
export function testOnEngines(
  name: string,
  fn: EngineTest,
  { isFor = () => true, ignore = false }: EngineTestOptions = {},
): void {
  const native = loadNativeEngine();
  for (const engine of native ? [denoEngine, native] : [denoEngine]) {
    if (!isFor(engine)) continue;
    Deno.test({
      name: `${name} (${engine.name})`,
      ignore,
      fn: () => fn(engine),
    });
  }
  if (native !== undefined) return;
  const reason = nativeEngineFailure()?.reason;
  Deno.test.ignore(`${name} (native) [skipped: ${reason}]`, () => {});
}
