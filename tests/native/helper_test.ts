import { assert } from "@std/assert";

const helper = new URL("../../src/engine/native/helper/", import.meta.url);

/** Runs cargo on the helper; undefined if it cannot be run here. */
function cargo(...args: string[]): Deno.CommandOutput | undefined {
  try {
    return new Deno.Command("cargo", { args, cwd: helper }).outputSync();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

// Without Rust, or without its packages, the library that comes built is
// tested by everything else.
const isReady = cargo("fetch", "--locked")?.success ?? false;

Deno.test({
  name: "the helper passes its own tests" +
    (isReady ? "" : " [skipped: cargo or its packages are missing]"),
  ignore: !isReady,
  fn() {
    const { success, stdout, stderr } = cargo(
      "test",
      "--locked",
      "--all-features",
      "--quiet",
    )!;
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  },
});
