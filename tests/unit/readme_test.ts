import { assertEquals } from "@std/assert";
import { denoEngine } from "../../src/engine/deno/engine.ts";
import { denoTcp } from "../../src/engine/deno/tcp.ts";

const README = new URL("../../README.md", import.meta.url);

/** Rows of the feature table: name, and whether it begins with "yes". */
async function documentedFeatures(): Promise<Record<string, boolean>> {
  const text = await Deno.readTextFile(README);
  const rows = text.matchAll(/^\| `(\w+)` +\| (yes|no)\b/gm);
  return Object.fromEntries(
    Array.from(rows, ([, name, word]) => [name!, word === "yes"]),
  );
}

Deno.test("The README's table says what the deno engine's features say", async () => {
  assertEquals(await documentedFeatures(), {
    ...denoEngine.features,
    ...denoTcp.tcpFeatures,
  });
});
