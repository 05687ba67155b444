import { ask, type ConformanceCase, table } from "../case.ts";

const MODIFIED = "Wed, 01 Jan 2020 00:00:00 GMT";

const hugeNumber = "ignores a range with a number beyond 64 bits";

/** Ranges of "0123456789" and the part they select; null: the whole file. */
const satisfiable: [
  range: string,
  part: [number, number] | null,
  bun?: string,
][] = [
  ["bytes=0-0", [0, 0]],
  ["bytes=0-9", [0, 9]],
  ["bytes=2-4", [2, 4]],
  ["bytes=5-", [5, 9]],
  ["bytes=9-", [9, 9]],
  ["bytes=0-", [0, 9]],
  ["bytes=-1", [9, 9]],
  ["bytes=-3", [7, 9]],
  ["bytes=-10", [0, 9]],
  ["bytes=-100", [0, 9]],
  ["bytes=5-100", [5, 9]],
  ["bytes=0-99999999999999999999", [0, 9], hugeNumber],
  ["bytes=-99999999999999999999", [0, 9], hugeNumber],
  ["bytes=5-2", null],
  ["bytes=a-b", null],
  ["bytes=", null],
  ["bytes=-", null],
  ["bytes", null],
  ["bytes=1", null],
  ["bytes=0-1-2", null],
  ["bytes=+1-2", null],
  ["bytes=1-2x", null],
  ["bytes=0x1-2", null],
  ["bytes=1.0-2", null],
  ["bytes=--1", null],
  ["items=0-1", null],
  ["=0-1", null],
  ["bytes=0-1,3-4", null],
  ["bytes=0-0," + "1-1,".repeat(500) + "2-2", null],
];

const unsatisfiable: [range: string, bun?: string][] = [
  ["bytes=10-"],
  ["bytes=10-20"],
  ["bytes=99999999999999999999-", hugeNumber],
  ["bytes=-0"],
];

/** If-Range values and whether the range still applies. */
const conditions: [value: string, applies: boolean][] = [
  [MODIFIED, true],
  ["Thu, 02 Jan 2020 00:00:00 GMT", false],
  ["Tue, 31 Dec 2019 00:00:00 GMT", false],
  ['"tag"', false],
  ['W/"tag"', false],
  ["nonsense", false],
];

export const cases: ConformanceCase[] = [
  ...table(satisfiable, ([range, part, bun]) => ({
    name: `${range.slice(0, 40)} of a file route`,
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask(
      "GET /",
      part === null
        ? {
          status: 200,
          headers: { "content-range": null, "content-length": "10" },
          body: "0123456789",
        }
        : {
          status: 206,
          headers: {
            "content-range": `bytes ${part[0]}-${part[1]}/10`,
            "content-length": String(part[1] - part[0] + 1),
            "last-modified": MODIFIED,
          },
          body: "0123456789".slice(part[0], part[1] + 1),
        },
      { headers: { Range: range } },
    ),
    bun,
  })),
  ...table(unsatisfiable, ([range, bun]) => ({
    name: `${range} of a file route is unsatisfiable`,
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: [
      ask("GET /", {
        status: 416,
        headers: { "content-range": "bytes */10" },
        body: /^((?!0123).)*$/s,
      }, { headers: { Range: range } }),
      ask("GET /", { status: 200, body: "0123456789" }),
    ],
    bun,
  })),
  ...table(conditions, ([value, applies]) => ({
    name: `If-Range: ${value}`,
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask(
      "GET /",
      applies
        ? { status: 206, body: "01" }
        : { status: 200, body: "0123456789" },
      { headers: { Range: "bytes=0-1", "If-Range": value } },
    ),
  })),
  {
    name: "the unit's case does not matter",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("GET /", { status: 206, body: "01" }, {
      headers: { Range: "Bytes=0-1" },
    }),
  },
  {
    name: "HEAD with a range has the head of the part",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: [
      ask("HEAD /", {
        status: [200, 206],
        headers: { "content-length": /^(10|2)$/ },
      }, { headers: { Range: "bytes=0-1" } }),
      ask("GET /", { status: 200, body: "0123456789" }),
    ],
  },
  {
    name: "Range on POST is ignored",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("POST /", { status: 200, body: "0123456789" }, {
      headers: { Range: "bytes=0-1" },
    }),
  },
  {
    name: "an empty file has no range to satisfy",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/empty.txt`) },
    }),
    exchange: ask("GET /", {
      status: [200, 204, 416],
      body: "",
    }, { headers: { Range: "bytes=0-" } }),
  },
  {
    name: "If-None-Match decides before Range",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("GET /", { status: 304 }, {
      headers: { Range: "bytes=0-1", "If-None-Match": "*" },
    }),
  },
  {
    name: "If-Modified-Since decides before Range",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("GET /", { status: 304 }, {
      headers: { Range: "bytes=0-1", "If-Modified-Since": MODIFIED },
    }),
  },
  {
    name: "a range of a handler's file",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/digits.txt`)),
    }),
    exchange: [
      ask("GET /", {
        status: 206,
        headers: { "content-range": "bytes 2-4/10", "content-length": "3" },
        body: "234",
      }, { headers: { Range: "bytes=2-4" } }),
      ask("GET /", {
        status: 416,
        headers: { "content-range": "bytes */10" },
      }, { headers: { Range: "bytes=20-" } }),
      ask("POST /", { status: 200, body: "0123456789" }, {
        headers: { Range: "bytes=2-4" },
      }),
    ],
  },
  {
    name: "Range is ignored when a handler's file has another status",
    server: (api) => ({
      fetch: () =>
        new Response(api.file(`${api.fixtures}/digits.txt`), { status: 404 }),
    }),
    exchange: ask("GET /", {
      status: 404,
      headers: { "content-range": null },
      body: "0123456789",
    }, { headers: { Range: "bytes=2-4" } }),
  },
  {
    name: "Range is ignored when a handler sets Content-Range",
    server: (api) => ({
      fetch: () =>
        new Response(api.file(`${api.fixtures}/digits.txt`).slice(2, 5), {
          status: 206,
          headers: { "Content-Range": "bytes 2-4/10" },
        }),
    }),
    exchange: ask("GET /", {
      status: 206,
      headers: { "content-range": "bytes 2-4/10" },
      body: "234",
    }, { headers: { Range: "bytes=0-1" } }),
  },
  {
    name: "ranges far into a big file",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/big.bin`),
        "/handler": () => new Response(api.file(`${api.fixtures}/big.bin`)),
      },
    }),
    exchange: ["/route", "/handler"].map((path) =>
      ask(`GET ${path}`, {
        status: 206,
        headers: { "content-range": "bytes 1000000-1048575/1048576" },
        body: Uint8Array.from({ length: 48_576 }, (_, offset) => {
          const index = offset + 1_000_000;
          return (index * 7 + (index >> 8)) & 0xff;
        }),
      }, { headers: { Range: "bytes=1000000-" } })
    ),
  },
];
