import { assertEquals } from "@std/assert";
import {
  contentRange,
  parseRange,
  unsatisfiedRange,
} from "../../src/http/files/range.ts";

type Expected = [start: number, end: number] | "unsatisfiable" | "ignored";

const CASES: [field: string, size: number, expected: Expected][] = [
  ["bytes=0-0", 10, [0, 1]],
  ["bytes=2-4", 10, [2, 5]],
  ["bytes=9-9", 10, [9, 10]],
  ["bytes=0-9", 10, [0, 10]],
  ["bytes=5-", 10, [5, 10]],
  ["bytes=0-", 10, [0, 10]],
  ["bytes=8-100", 10, [8, 10]],
  ["bytes=0-99999999999999999999999", 10, [0, 10]],
  ["bytes=0000000001-0000000002", 10, [1, 3]],
  ["BYTES=1-2", 10, [1, 3]],
  ["Bytes=-1", 10, [9, 10]],
  ["bytes=-3", 10, [7, 10]],
  ["bytes=-10", 10, [0, 10]],
  ["bytes=-11", 10, [0, 10]],
  ["bytes=-99999999999999999999999", 10, [0, 10]],

  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=10-20", 10, "unsatisfiable"],
  ["bytes=99999999999999999999999-", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=0-0", 0, "unsatisfiable"],
  ["bytes=-0", 0, "unsatisfiable"],

  // All of an empty file: satisfiable, but not expressible.
  ["bytes=-5", 0, "ignored"],

  ["bytes=4-2", 10, "ignored"],
  ["bytes=20-12", 10, "ignored"],
  ["bytes=0-1,3-4", 10, "ignored"],
  ["bytes=0-1, 3-4", 10, "ignored"],
  ["bytes=1-2,", 10, "ignored"],
  ["bytes=,1-2", 10, "ignored"],
  ["bytes=-", 10, "ignored"],
  ["bytes=--1", 10, "ignored"],
  ["bytes=1--2", 10, "ignored"],
  ["bytes=1-2-3", 10, "ignored"],
  ["bytes=+1-2", 10, "ignored"],
  ["bytes=1.0-2", 10, "ignored"],
  ["bytes=1e0-2", 10, "ignored"],
  ["bytes=0x1-2", 10, "ignored"],
  ["bytes=a-b", 10, "ignored"],
  ["bytes=1", 10, "ignored"],
  ["bytes=", 10, "ignored"],
  ["bytes", 10, "ignored"],
  ["", 10, "ignored"],
  ["bytes = 1-2", 10, "ignored"],
  ["bytes= 1-2", 10, "ignored"],
  ["bytes=1 -2", 10, "ignored"],
  ["bytes=1- 2", 10, "ignored"],
  ["bytes=\u0661-2", 10, "ignored"],
  ["lines=1-2", 10, "ignored"],
  ["xbytes=1-2", 10, "ignored"],
  ["1-2", 10, "ignored"],
];

for (const [field, size, expected] of CASES) {
  Deno.test(`parseRange(${JSON.stringify(field)}, ${size})`, () => {
    const range = parseRange(field, size);
    const found = typeof range === "object"
      ? [range.start, range.end]
      : range ?? "ignored";
    assertEquals(found, expected);
  });
}

Deno.test("contentRange() names the first and the last byte", () => {
  assertEquals(contentRange({ start: 2, end: 5 }, 10), "bytes 2-4/10");
  assertEquals(unsatisfiedRange(10), "bytes */10");
});
