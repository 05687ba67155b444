import { assertEquals } from "@std/assert";
import { denoEngine } from "../../src/engine/deno/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { warnOfIgnoredLimits } from "../../src/http/features.ts";
import { limitsOption } from "../../src/options/limit_options.ts";

/** What is warned about when an engine gets limits. */
function warningsOf(limits: unknown, engine: Engine): unknown[] {
  const { warn } = console;
  const warnings: unknown[] = [];
  console.warn = (message) => void warnings.push(message);
  try {
    warnOfIgnoredLimits(limitsOption(limits), engine);
  } finally {
    console.warn = warn;
  }
  return warnings;
}

Deno.test("limits that an engine does not take are warned about", () => {
  const limited: Engine = {
    ...denoEngine,
    features: { ...denoEngine.features, limits: true },
  };
  assertEquals(warningsOf(undefined, denoEngine), []);
  assertEquals(warningsOf({ headerCount: 128 }, denoEngine), []);
  assertEquals(warningsOf({ headerCount: 5, headTimeout: 0 }, limited), []);
  assertEquals(warningsOf({ headerCount: 5 }, denoEngine), [
    "The deno engine has its own limits: headerCount in limits has no effect",
  ]);
  assertEquals(warningsOf({ headerCount: 5, headTimeout: 0 }, denoEngine), [
    "The deno engine has its own limits: headerCount, headTimeout in limits have no effect",
  ]);
});
