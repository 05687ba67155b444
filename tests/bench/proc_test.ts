import { assertEquals, assertThrows } from "@std/assert";
import { cpuBetween } from "../../bench/method/cpu_time.ts";
import {
  idleShare,
  parseMachineTimes,
  parseSchedstat,
  parseStatTicks,
  parseStatusBytes,
} from "../../bench/method/proc.ts";

Deno.test("parseStatTicks: the name of a thread may look like fields", () => {
  const rest = "S 1 2 2 0 -1 4194560 971 0 0 0 150 25 0 0 20 0 7 0 1 2 3";
  assertEquals(parseStatTicks(`42 (deno) ${rest}\n`), 175);
  assertEquals(parseStatTicks(`42 (a) b (1 2 3) ${rest}\n`), 175);
  assertThrows(() => parseStatTicks("42 (deno) S 1"), Error, "Cannot read");
});

Deno.test("parseSchedstat: seconds, unless the kernel does not count", () => {
  assertEquals(parseSchedstat("1500000000 31 77\n"), 1.5);
  assertEquals(parseSchedstat("0 0 0\n"), undefined);
  assertEquals(parseSchedstat(""), undefined);
});

Deno.test("parseStatusBytes: the field asked for, in bytes", () => {
  const text = "Name:\tx\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
  assertEquals(parseStatusBytes(text, "VmHWM"), 20 * 1024 * 1024);
  assertEquals(parseStatusBytes(text, "VmRSS"), 10 * 1024 * 1024);
  assertEquals(parseStatusBytes(text, "VmSwap"), NaN);
});

Deno.test("parseMachineTimes: guests are not counted twice", () => {
  const text = "cpu  10 1 5 100 20 1 2 3 7 1\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
  assertEquals(parseMachineTimes(text), { total: 142, idle: 120 });
  assertThrows(() => parseMachineTimes("intr 5\n"), Error, "Cannot read");
});

Deno.test("idleShare: between two readings", () => {
  const before = { total: 100, idle: 50 };
  assertEquals(idleShare(before, { total: 200, idle: 75 }), 0.25);
  assertEquals(idleShare(before, before), 0);
});

Deno.test("cpuBetween: new threads count, ended ones do not", () => {
  const before = new Map([[7, 1], [8, 2], [9, 5]]);
  const after = new Map([[7, 1.5], [8, 4], [10, 1]]);
  assertEquals(cpuBetween(before, after, 7), {
    total: 3.5,
    script: 0.5,
    busiest: 2,
  });
});
