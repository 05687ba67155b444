import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Usage } from "./program.ts";
import { testOn } from "./program.ts";
import { soakMixed } from "./soak/mixed.ts";
import { complaints, growth } from "./soak/samples.ts";

const allowed = { memory: 100, descriptors: 1, threads: 0 };

function samples(memory: readonly number[]): Usage[] {
  return memory.map((bytes) => ({
    memory: bytes,
    descriptors: 10,
    threads: 5,
  }));
}

Deno.test("what grows in the first fifth only is flat", () => {
  const flat = samples([0, 500, 900, 1000, 1010, 990, 1000, 1005, 1010, 1000]);
  assertEquals(growth(flat).memory, 55);
  assertEquals(complaints(flat, allowed), []);
});

Deno.test("what grows until the end is a leak", () => {
  const leak = samples([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  assertEquals(growth(leak).memory, 600);
  assertEquals(complaints(leak, allowed), [
    "memory grew by 600, more than 100",
  ]);
  const threads = leak.map((usage, index) => ({
    ...usage,
    memory: 0,
    threads: index,
  }));
  assertEquals(complaints(threads, allowed), [
    "threads grew by 6, more than 0",
  ]);
});

Deno.test("a few samples say nothing", () => {
  assertThrows(() => growth(samples([1, 2, 3])), RangeError);
});

testOn(
  ["native", "deno"],
  "everything at once, for a moment",
  async (engine) => {
    const report: string[] = [];
    const isFlat = await soakMixed(engine, 2, {
      clients: 1,
      rest: 0,
      interval: 50,
      // So early nothing has come to rest; answers are what this looks at.
      allowed: { memory: Infinity, descriptors: Infinity, threads: Infinity },
      report: (line) => void report.push(line),
    });
    assert(isFlat, report.join("\n"));
  },
);
