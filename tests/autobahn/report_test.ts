import { assertEquals } from "@std/assert";
import { reasonFor } from "./expected_failures.ts";
import { hasPassed, ranges, summarize } from "./report.ts";

const ok = { behavior: "OK", behaviorClose: "OK" };

Deno.test("a case passes by its behaviour and its close", () => {
  assertEquals(hasPassed(ok), true);
  assertEquals(hasPassed({ ...ok, behavior: "NON-STRICT" }), true);
  assertEquals(hasPassed({ ...ok, behavior: "UNIMPLEMENTED" }), false);
  assertEquals(hasPassed({ ...ok, behaviorClose: "FAILED" }), false);
  assertEquals(hasPassed({ ...ok, behaviorClose: "UNCLEAN" }), false);
});

Deno.test("cases are summed up by group, in order", () => {
  const failed = { ...ok, behavior: "FAILED" };
  assertEquals(
    summarize({
      "10.1.1": ok,
      "2.10": failed,
      "2.9": failed,
      "2.1": ok,
    }),
    [
      { group: "2", cases: 3, failed: ["2.9", "2.10"] },
      { group: "10", cases: 1, failed: [] },
    ],
  );
});

Deno.test("neighbours among cases are joined", () => {
  assertEquals(
    ranges(["7.3.6", "12.1.1", "12.1.2", "12.1.3", "12.2.1"]),
    "7.3.6, 12.1.1-12.1.3, 12.2.1",
  );
});

Deno.test("only the deno engine has reasons to fail", () => {
  assertEquals(reasonFor("native", "7.3.6"), undefined);
  assertEquals(typeof reasonFor("deno", "13.1.1"), "string");
  assertEquals(reasonFor("deno", "1.1.1"), undefined);
});
