import { assertEquals } from "@std/assert";
import {
  median,
  overlap,
  rotate,
  summarize,
} from "../../bench/method/statistics.ts";

Deno.test("median: of odd and even counts, whatever the order", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 1, 2, 3]), 2.5);
  assertEquals(median([7]), 7);
  assertEquals(median([]), NaN);
});

Deno.test("median: compares numbers, not texts", () => {
  assertEquals(median([100, 20, 3]), 20);
});

Deno.test("summarize: spread is from low to high, relative to the median", () => {
  assertEquals(summarize([8, 10, 13]), {
    median: 10,
    low: 8,
    high: 13,
    count: 3,
    spread: 0.5,
  });
  assertEquals(summarize([]), undefined);
  assertEquals(summarize([0, 0])?.spread, 0);
});

Deno.test("overlap: ranges that touch are not apart", () => {
  const one = summarize([1, 3])!;
  assertEquals(overlap(one, summarize([3, 4])!), true);
  assertEquals(overlap(one, summarize([0, 9])!), true);
  assertEquals(overlap(one, summarize([3.1, 4])!), false);
  assertEquals(overlap(summarize([3.1, 4])!, one), false);
});

Deno.test("rotate: everybody is first once", () => {
  assertEquals(rotate(["a", "b", "c"], 1), ["b", "c", "a"]);
  assertEquals(rotate(["a", "b", "c"], 5), ["c", "a", "b"]);
  assertEquals(rotate([], 3), []);
});
