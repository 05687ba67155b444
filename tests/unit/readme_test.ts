import { assertEquals } from "@std/assert";
import { denoEngine } from "../../src/engine/deno/engine.ts";
import { denoTcp } from "../../src/engine/deno/tcp.ts";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";

const README = new URL("../../README.md", import.meta.url);

/** Rows of the feature tables whose cell for an engine says "yes" or "no". */
async function documentedFeatures(
  engine: "deno" | "native",
): Promise<Record<string, boolean>> {
  const text = await Deno.readTextFile(README);
  const rows = text.matchAll(
    /^\| `(\w+)` +\| (yes|no)\b[^|]*\|(?: (yes|no)\b[^|]*\|)?$/gm,
  );
  return Object.fromEntries(
    Array.from(rows, ([, name, deno, native]) => ({ name, deno, native }))
      .filter((row) => row[engine] !== undefined)
      .map((row) => [row.name!, row[engine] === "yes"]),
  );
}

Deno.test("The README's tables say what the deno engine's features say", async () => {
  assertEquals(await documentedFeatures("deno"), {
    ...denoEngine.features,
    ...denoTcp.tcpFeatures,
  });
});

const native = loadNativeEngine();

Deno.test({
  name: "The README's table says what the native engine's features say" +
    (native ? "" : ` [skipped: ${nativeEngineFailure()?.reason}]`),
  ignore: native === undefined,
  async fn() {
    assertEquals(await documentedFeatures("native"), {
      ...native?.features,
      ...native?.tcp.tcpFeatures,
    });
  },
});
