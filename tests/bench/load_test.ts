import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { HttpTarget } from "../../bench/load/load.ts";
import { argumentsFor, parseOhaReport } from "../../bench/load/oha.ts";
import { parseWrkReport, wrkScript } from "../../bench/load/wrk.ts";

const target: HttpTarget = {
  origin: "http://127.0.0.1:3000",
  request: { method: "GET", path: "/file", headers: {}, content: "" },
  contentFile: undefined,
  status: 200,
  answerBytes: 5,
  connections: 64,
  pipelined: 1,
  closes: false,
  rate: undefined,
};

function report(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    summary: { total: 2.5, requestsPerSec: 400 },
    latencyPercentiles: { "p50": 0.001, "p99": 0.002, "p99.9": 0.25 },
    statusCodeDistribution: { "200": 1000 },
    errorDistribution: {},
    ...changes,
  });
}

Deno.test("oha: answers, seconds, and latencies in milliseconds", () => {
  assertEquals(parseOhaReport(report(), 200), {
    operations: 1000,
    seconds: 2.5,
    p50: 1,
    p99: 2,
    p999: 250,
  });
});

Deno.test("oha: a run with other answers or errors is none", () => {
  const wrong = { statusCodeDistribution: { "200": 999, "503": 1 } };
  assertThrows(() => parseOhaReport(report(wrong), 200), Error, `"503":1`);
  const reset = { errorDistribution: { "connection reset": 3 } };
  assertThrows(() => parseOhaReport(report(reset), 200), Error, "reset");
  assertThrows(() => parseOhaReport(report(), 206), Error, "wrong answers");
});

Deno.test("oha: percentiles of too few answers are unknown", () => {
  const few = { latencyPercentiles: { "p50": 0.001, "p99.9": null } };
  const { p50, p99, p999 } = parseOhaReport(report(few), 200);
  assertEquals([p50, p99, p999], [1, undefined, undefined]);
});

Deno.test("oha: arguments for content, headers, rate and closing", () => {
  const text = argumentsFor({
    ...target,
    request: {
      method: "POST",
      path: "/orders",
      headers: { "content-type": "application/json", "range": "bytes=0-1" },
      content: "{}",
    },
    contentFile: "/tmp/content",
    closes: true,
    rate: 500,
  }, 0.25).join(" ");
  for (
    const part of [
      "-m POST",
      "-T application/json",
      "-H range: bytes=0-1",
      "-D /tmp/content",
      "--disable-keepalive",
      "-q 500 --latency-correction",
      "-z 250ms",
      "http://127.0.0.1:3000/orders",
    ]
  ) assertStringIncludes(text, part);
});

Deno.test("wrk: its line among its own output", () => {
  const text =
    "Running 10m test\n  1 threads\nRESULT 1000 2500000 0 100 2000 " +
    "250000\n";
  assertEquals(parseWrkReport(text, 1), {
    operations: 1000,
    seconds: 2.5,
    p50: 0.1,
    p99: 2,
    p999: 250,
  });
});

Deno.test("wrk: does not know latencies of pipelined requests", () => {
  const { operations, p50, p99, p999 } = parseWrkReport(
    "RESULT 1600 1000000 0 100 200 300",
    16,
  );
  assertEquals([operations, p50, p99, p999], [1600, ...Array(3)]);
});

Deno.test("wrk: errors and no line are no result", () => {
  const texts = [
    "RESULT 1000 2500000 3 1 1 1\n  Socket errors: connect 0, read 3",
    "unable to connect to 127.0.0.1:1 Connection refused",
  ];
  for (const text of texts) {
    assertThrows(() => parseWrkReport(text, 1), Error, "wrong answers");
  }
  assertThrows(() => parseWrkReport(texts[0]!, 1), Error, "read 3");
  assertThrows(() => parseWrkReport(texts[1]!, 1), Error, "refused");
});

Deno.test("wrk: no answer in time is a result without latencies", () => {
  const { operations, seconds, p50 } = parseWrkReport(
    "RESULT 0 200000 0 0 0 0",
    1,
  );
  assertEquals([operations, seconds, p50], [0, 0.2, undefined]);
});

Deno.test("wrk: the script sends content, headers and pipelines", () => {
  const plain = wrkScript(target);
  assertEquals(/function request|io\.open|headers\[/.test(plain), false);
  const script = wrkScript({
    ...target,
    request: { ...target.request, headers: { range: "bytes=0-1" } },
    contentFile: "/tmp/content",
    pipelined: 16,
  });
  assertStringIncludes(script, `wrk.headers["range"] = "bytes=0-1"`);
  assertStringIncludes(script, `io.open("/tmp/content", "rb")`);
  assertStringIncludes(script, "string.rep(wrk.format(), 16)");
});
