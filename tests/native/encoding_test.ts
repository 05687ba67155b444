import { assertEquals } from "@std/assert";
import type { HttpListenPlan, StaticEntry } from "../../src/engine/engine.ts";
import {
  ALL_METHODS,
  METRIC_COUNT,
  METRIC_STALLS,
  METRIC_STATUS,
  PLAN_WORDS,
} from "../../src/engine/native/abi.ts";
import { encodeListenPlan } from "../../src/engine/native/listen_plan.ts";
import { decodeMetrics } from "../../src/engine/native/metrics.ts";
import { encodeStaticTable } from "../../src/engine/native/static_table.ts";

const plan: HttpListenPlan = {
  address: {
    transport: "tcp",
    hostname: "::1",
    port: 8080,
    reusePort: true,
    ipv6Only: true,
  },
  tls: undefined,
  maxRequestBodySize: 2 ** 32 + 7,
  idleTimeout: 10,
  maxPendingRequests: 11,
  limits: {
    headBytes: 12,
    headerCount: 13,
    targetBytes: 14,
    connections: Infinity,
    headTimeout: 0.0001,
    contentRate: 15,
  },
  health: { path: "/health", stall: 1.5 },
  metricsRoute: "/metrics",
};

function wordsOf(bytes: Uint8Array<ArrayBuffer>): number[] {
  return [...new Uint32Array(bytes.buffer, 0, PLAN_WORDS)];
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(PLAN_WORDS * 4));
}

Deno.test("a TCP plan as the helper takes it", () => {
  const bytes = encodeListenPlan(plan);
  assertEquals(wordsOf(bytes), [
    ...[1, 3, 8080, 3, 7, 1, 10_000, 1, 2 ** 32 - 1, 11, 12, 13, 14],
    ...[1500, 7, 8, 15, 0, 0, 0],
  ]);
  assertEquals(textOf(bytes), "::1/health/metrics");
});

Deno.test("a Unix plan as the helper takes it", () => {
  const bytes = encodeListenPlan({
    ...plan,
    address: { transport: "unix", path: "\0abstract" },
    maxRequestBodySize: Infinity,
    idleTimeout: 0,
    health: undefined,
    metricsRoute: undefined,
  });
  const words = wordsOf(bytes);
  assertEquals(words.slice(0, 7), [
    ...[2, 0, 0, 9, 2 ** 32 - 1, 2 ** 21 - 1, 0],
  ]);
  assertEquals(words.slice(13, 16), [0, 0, 0]);
  assertEquals(textOf(bytes), "\0abstract");
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Takes a table apart as the helper does. */
function entriesIn(table: Uint8Array<ArrayBuffer>): unknown[] {
  const words = new Uint32Array(table.buffer);
  const entries: unknown[] = [];
  let at = 4;
  for (let count = 0; count < words[0]!; count++) {
    const lengths = [0, 4, 5, 6, 7].map((index) => words[at / 4 + index]!);
    const [methods, kind, status] = words.subarray(at / 4 + 1, at / 4 + 4);
    at += 32;
    const texts = lengths.map((length) => {
      const text = new TextDecoder().decode(table.subarray(at, at + length));
      at += length;
      return text;
    });
    at = (at + 3) & -4;
    entries.push([methods, kind, status, ...texts]);
  }
  assertEquals(at, table.length);
  return entries;
}

Deno.test("static answers as the helper takes them", () => {
  const entries: StaticEntry[] = [
    {
      path: "/ä",
      methods: undefined,
      status: 200,
      headers: new Headers({ etag: '"x"', "X-A": "b" }),
      content: {
        kind: "content",
        bytes: bytesOf("hello"),
        notModified: new Headers({ etag: '"x"' }),
      },
    },
    {
      path: "/f",
      methods: ["GET", "HEAD", "BREW"],
      status: 203,
      headers: new Headers([["set-cookie", "a"], ["set-cookie", "b"]]),
      content: { kind: "file", path: "/tmp/ü" },
    },
    {
      path: "/never",
      methods: ["BREW"],
      status: 200,
      headers: new Headers(),
      content: { kind: "content", bytes: bytesOf(""), notModified: undefined },
    },
    {
      path: "/plain",
      methods: ["OPTIONS"],
      status: 200,
      headers: new Headers({ etag: '"y"' }),
      content: { kind: "content", bytes: bytesOf(""), notModified: undefined },
    },
  ];
  assertEquals(entriesIn(encodeStaticTable(entries)), [
    [
      ...[ALL_METHODS, 1, 200, "/ä", 'etag: "x"\r\nx-a: b\r\n', '"x"'],
      ...['etag: "x"\r\n', "hello"],
    ],
    [
      ...[0b110, 2, 203, "/f", "set-cookie: a\r\nset-cookie: b\r\n", ""],
      ...["", "/tmp/ü"],
    ],
    [0b10000000, 1, 200, "/plain", 'etag: "y"\r\n', "", "", ""],
  ]);
  assertEquals(entriesIn(encodeStaticTable([])), []);
});

Deno.test("metrics from the helper's values", () => {
  const values = Float64Array.from(
    { length: METRIC_COUNT },
    (_, index) => index < METRIC_STATUS ? index + 1 : 0,
  );
  values[METRIC_STATUS + 104] = 7;
  values[METRIC_STATUS + 499] = 8;
  const metrics = decodeMetrics(values);
  assertEquals({ ...metrics, stalls: undefined }, {
    connections: 1,
    connectionsTotal: 2,
    connectionsRefused: 3,
    requests: 4,
    requestsNative: 5,
    requestsShed: 6,
    pendingRequests: 7,
    queuedRequests: 8,
    bytesRead: 9,
    bytesWritten: 10,
    timeouts: 11,
    stalls: undefined,
    statuses: { 204: 7, 599: 8 },
  });
  const { now, sum, bounds, counts } = metrics.stalls!;
  assertEquals([now, sum], [12, 13]);
  assertEquals(bounds.length, counts.length);
  assertEquals(bounds.at(-1), Infinity);
  assertEquals(counts[0], METRIC_STALLS + 1);
  assertEquals(counts.at(-1), METRIC_STATUS);
});
