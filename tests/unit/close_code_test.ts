import { assertEquals, assertThrows } from "@std/assert";
import { closingOf } from "../../src/websocket/close_code.ts";

Deno.test("closingOf: 1000 and no reason by default", () => {
  const closing = { code: 1000, frameCode: 1000, reason: "" };
  assertEquals(closingOf(undefined, undefined), closing);
});

Deno.test("closingOf: codes that only report make an empty frame", () => {
  for (const code of [0, 1005, 1006]) {
    assertEquals(closingOf(code, "why"), {
      code,
      frameCode: undefined,
      reason: "why",
    });
  }
});

Deno.test("closingOf: exactly the codes that may travel", () => {
  const allowed: number[] = [];
  for (let code = 1; code < 6000; code++) {
    try {
      if (closingOf(code, "").frameCode === code) allowed.push(code);
    } catch {
      // Refused.
    }
  }
  const expected = [1000, 1001, 1002, 1003];
  for (let code = 1007; code <= 1014; code++) expected.push(code);
  for (let code = 3000; code <= 4999; code++) expected.push(code);
  assertEquals(allowed, expected);
});

Deno.test("closingOf: what is wrong is named", () => {
  assertThrows(
    () => closingOf("1000", ""),
    TypeError,
    "Cannot close: code must be a number, not 1000",
  );
  assertThrows(
    () => closingOf(1015, ""),
    RangeError,
    "Cannot close with code 1015: expected 1000 to 1003, 1007 to 1014 or 3000 to 4999",
  );
  for (const code of [NaN, Infinity, -1, 1000.5]) {
    assertThrows(() => closingOf(code, ""), RangeError);
  }
});

Deno.test("closingOf: reasons are cut to 123 bytes between characters", () => {
  const reasonOf = (reason: unknown) => closingOf(1000, reason).reason;
  assertEquals(reasonOf("x".repeat(123)), "x".repeat(123));
  assertEquals(reasonOf("x".repeat(124)), "x".repeat(123));
  assertEquals(reasonOf("é".repeat(100)), "é".repeat(61));
  assertEquals(reasonOf("漢".repeat(41)), "漢".repeat(41));
  assertEquals(reasonOf("漢".repeat(42)), "漢".repeat(41));
  assertEquals(reasonOf("😀".repeat(31)), "😀".repeat(30));
  assertEquals(reasonOf("a\ud800"), "a\ufffd");
  assertEquals(reasonOf(5), "5");
});
