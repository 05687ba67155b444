import { ask, type ConformanceCase, request, table } from "../case.ts";
import { bigContent } from "../content.ts";

const MODIFIED = "Wed, 01 Jan 2020 00:00:00 GMT";

const types: [name: string, type: string | RegExp][] = [
  ["digits.txt", /^text\/plain;\s?charset=utf-8$/i],
  ["page.html", /^text\/html;\s?charset=utf-8$/i],
  ["style.css", /^text\/css;\s?charset=utf-8$/i],
  ["script.js", /^(text|application)\/javascript;\s?charset=utf-8$/i],
  ["module.mjs", /^(text|application)\/javascript;\s?charset=utf-8$/i],
  ["data.json", /^application\/json(;\s?charset=utf-8)?$/i],
  ["image.svg", "image/svg+xml"],
  ["image.png", "image/png"],
  ["code.wasm", "application/wasm"],
  ["noextension", "application/octet-stream"],
  ["odd.unknownext", "application/octet-stream"],
];

const sliceRange =
  "sends Content-Range without the size, and cuts slices from the end wrongly";

/** Each row: slice arguments on "0123456789", body, Content-Range. */
const slices: [
  begin: number | undefined,
  end: number | undefined,
  body: string,
  range: string,
][] = [
  [0, 4, "0123", "bytes 0-3/10"],
  [2, 5, "234", "bytes 2-4/10"],
  [5, undefined, "56789", "bytes 5-9/10"],
  [-3, undefined, "789", "bytes 7-9/10"],
  [-4, -2, "67", "bytes 6-7/10"],
  [8, 100, "89", "bytes 8-9/10"],
  [0, 1, "0", "bytes 0-0/10"],
];

export const cases: ConformanceCase[] = [
  ...table(types, ([name, type]) => ({
    name: `the type of ${name} from a handler`,
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/${name}`)),
    }),
    exchange: ask("GET /", { status: 200, headers: { "content-type": type } }),
  })),
  {
    name: "the type of a file route",
    server: (api) => ({
      routes: {
        "/page": api.file(`${api.fixtures}/page.html`),
        "/data": api.file(`${api.fixtures}/data.json`),
        "/odd": api.file(`${api.fixtures}/odd.unknownext`),
      },
    }),
    exchange: [
      ask("GET /page", {
        status: 200,
        headers: { "content-type": /^text\/html;\s?charset=utf-8$/i },
      }),
      ask("GET /data", {
        status: 200,
        headers: { "content-type": /^application\/json/ },
      }),
      ask("GET /odd", {
        status: 200,
        headers: { "content-type": "application/octet-stream" },
      }),
    ],
  },
  {
    name: "a type given by the user wins",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/digits.txt`, { type: "text/x-a" }),
        "/handler": () =>
          new Response(
            api.file(`${api.fixtures}/digits.txt`, { type: "text/x-b" }),
          ),
        "/header": () =>
          new Response(api.file(`${api.fixtures}/digits.txt`), {
            headers: { "Content-Type": "text/x-c" },
          }),
      },
    }),
    exchange: [
      ask("GET /route", {
        status: 200,
        headers: { "content-type": "text/x-a" },
      }),
      ask("GET /handler", {
        status: 200,
        headers: { "content-type": "text/x-b" },
      }),
      ask("GET /header", {
        status: 200,
        headers: { "content-type": "text/x-c" },
      }),
    ],
  },
  {
    name: "a file route has length, date and ranges, but no ETag",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "content-length": "10",
        "last-modified": MODIFIED,
        etag: null,
        "content-range": null,
      },
      body: "0123456789",
    }),
  },
  {
    name: "a Response of a file as a route is a file route",
    server: (api) => ({
      routes: {
        "/": new Response(api.file(`${api.fixtures}/digits.txt`), {
          headers: { "x-a": "b" },
        }),
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "last-modified": MODIFIED, "x-a": "b" },
      body: "0123456789",
    }),
  },
  {
    name: "a handler's file has length, but no date",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/digits.txt`)),
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "content-length": "10", "last-modified": null, etag: null },
      body: "0123456789",
    }),
  },
  {
    name: "a handler's file keeps status and headers",
    server: (api) => ({
      fetch: () =>
        new Response(api.file(`${api.fixtures}/digits.txt`), {
          status: 404,
          headers: { "x-a": "b" },
        }),
    }),
    exchange: ask("GET /", {
      status: 404,
      headers: { "x-a": "b", "content-length": "10" },
      body: "0123456789",
    }),
  },
  {
    name: "conditions are ignored on a handler's file",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/digits.txt`)),
    }),
    exchange: ask("GET /", { status: 200, body: "0123456789" }, {
      headers: {
        "If-Modified-Since": MODIFIED,
        "If-None-Match": "*",
      },
    }),
  },
  {
    name: "HEAD of a file",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/digits.txt`),
        "/handler": () => new Response(api.file(`${api.fixtures}/digits.txt`)),
      },
    }),
    exchange: [
      ask("HEAD /route", {
        status: 200,
        headers: { "content-length": "10", "last-modified": MODIFIED },
      }),
      ask("HEAD /handler", {
        status: 200,
        headers: { "content-length": "10" },
      }),
      ask("GET /route", { status: 200, body: "0123456789" }),
    ],
  },
  {
    name: "POST to a file route gets the file",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("POST /", { status: 200, body: "0123456789" }, {
      body: "ignored",
    }),
  },
  {
    name: "an empty file",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/empty.txt`),
        "/handler": () => new Response(api.file(`${api.fixtures}/empty.txt`)),
      },
    }),
    exchange: [
      ask("GET /route", {
        status: [200, 204],
        body: "",
      }),
      ask("GET /handler", {
        status: 200,
        headers: { "content-length": "0" },
        body: "",
      }),
    ],
  },
  {
    name: "a mebibyte arrives byte for byte",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/big.bin`),
        "/handler": () => new Response(api.file(`${api.fixtures}/big.bin`)),
      },
    }),
    exchange: [
      ask("GET /route", {
        status: 200,
        headers: { "content-length": "1048576" },
        body: bigContent(),
      }),
      ask("GET /handler", {
        status: 200,
        headers: { "content-length": "1048576" },
        body: bigContent(),
      }),
    ],
  },
  {
    name: "pipelined files arrive in order",
    server: (api) => ({
      routes: {
        "/a": api.file(`${api.fixtures}/digits.txt`),
        "/b": api.file(`${api.fixtures}/data.json`),
        "/c": () => new Response(api.file(`${api.fixtures}/page.html`)),
      },
    }),
    exchange: [
      { send: request("GET /a") + request("GET /b") + request("GET /c") },
      { receive: { status: 200, body: "0123456789" } },
      { receive: { status: 200, body: '{"a":1}' } },
      { receive: { status: 200, body: "<!doctype html><p>page</p>" } },
    ],
  },
  ...table(slices, ([begin, end, body, range]) => ({
    name: `slice(${begin}, ${end}) is answered as 206`,
    server: (api) => ({
      fetch: () =>
        new Response(api.file(`${api.fixtures}/digits.txt`).slice(begin, end)),
    }),
    exchange: ask("GET /", {
      status: 206,
      headers: {
        "content-range": range,
        "content-length": String(body.length),
      },
      body,
    }),
    bun: sliceRange,
  })),
  {
    name: "a slice of a slice",
    server: (api) => ({
      fetch: () =>
        new Response(
          api.file(`${api.fixtures}/digits.txt`).slice(2, 8).slice(1, 3),
        ),
    }),
    exchange: ask("GET /", {
      status: 206,
      headers: { "content-range": "bytes 3-4/10" },
      body: "34",
    }),
    bun: sliceRange,
  },
  {
    name: "a slice in a Response with a status of its own",
    server: (api) => ({
      fetch: () =>
        new Response(api.file(`${api.fixtures}/digits.txt`).slice(2, 5), {
          status: 201,
        }),
    }),
    exchange: ask("GET /", {
      status: 201,
      headers: { "content-range": null },
      body: "234",
    }),
    bun: "replaces the status with 206",
  },
  {
    name: "a slice has the type that it was given",
    server: (api) => ({
      fetch: () =>
        new Response(
          api.file(`${api.fixtures}/digits.txt`).slice(2, 5, "text/x-slice"),
        ),
    }),
    exchange: ask("GET /", {
      status: 206,
      headers: { "content-type": "text/x-slice" },
      body: "234",
    }),
  },
  {
    name: "a missing file of a handler goes to error",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/missing.txt`)),
      error: (error) =>
        new Response(`error ${(error as { code?: string }).code}`, {
          status: 555,
        }),
    }),
    exchange: ask("GET /", { status: 555, body: "error ENOENT" }),
  },
  {
    name: "a missing file of a handler without error is 500",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/missing.txt`)),
    }),
    exchange: [
      ask("GET /", { status: 500, body: /^((?!missing\.txt).)*$/s }),
      ask("GET /", { status: 500 }),
    ],
  },
  {
    name: "a directory as a handler's file goes to error",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/site`)),
      error: (error) =>
        new Response(`error ${(error as { code?: string }).code}`, {
          status: 555,
        }),
    }),
    exchange: ask("GET /", { status: 555, body: "error EISDIR" }),
  },
  {
    name: "a directory as a handler's file without error is 500",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/site`)),
    }),
    exchange: ask("GET /", { status: 500 }),
  },
  {
    name: "a missing file route falls through to fetch",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/missing.txt`) },
      fetch: () => new Response("fetch"),
    }),
    exchange: ask("GET /", { status: 200, body: "fetch" }),
  },
  {
    name: "a missing file route without fetch is 404",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/missing.txt`) },
    }),
    exchange: ask("GET /", { status: 404, body: "" }),
  },
  {
    name: "a file route follows its file as it comes, changes and goes",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/scratch/route.txt`) },
    }),
    exchange: [
      ask("GET /", { status: 404 }),
      {
        run: async (_server, api) =>
          void await api.file(`${api.fixtures}/scratch/route.txt`)
            .write("first"),
      },
      ask("GET /", { status: 200, body: "first" }),
      {
        run: async (_server, api) =>
          void await api.file(`${api.fixtures}/scratch/route.txt`)
            .write("second version"),
      },
      ask("GET /", {
        status: 200,
        headers: { "content-length": "14" },
        body: "second version",
      }),
      {
        run: (_server, api) =>
          api.file(`${api.fixtures}/scratch/route.txt`).unlink(),
      },
      ask("GET /", { status: 404 }),
    ],
  },
  {
    name: "a handler's file object sees its file change",
    server: (api) => {
      const file = api.file(`${api.fixtures}/scratch/handler.txt`);
      return { fetch: () => new Response(file) };
    },
    exchange: [
      {
        run: async (_server, api) =>
          void await api.file(`${api.fixtures}/scratch/handler.txt`)
            .write("one"),
      },
      ask("GET /", { status: 200, body: "one" }),
      {
        run: async (_server, api) =>
          void await api.file(`${api.fixtures}/scratch/handler.txt`)
            .write("longer"),
      },
      ask("GET /", { status: 200, body: "longer" }),
      {
        run: (_server, api) =>
          api.file(`${api.fixtures}/scratch/handler.txt`).unlink(),
      },
      ask("GET /", { status: 500 }),
    ],
  },
  {
    name: "a client that leaves in the middle harms nobody",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/big.bin`),
        "/handler": () => new Response(api.file(`${api.fixtures}/big.bin`)),
      },
    }),
    exchange: [
      ...["a", "b", "c", "d"].flatMap((connection) => [
        {
          connection,
          send: request(connection < "c" ? "GET /route" : "GET /handler"),
        },
        { connection, close: true as const },
      ]),
      ask("GET /route", { status: 200, body: bigContent() }),
    ],
  },
  {
    name: "a file given as a file URL",
    server: (api) => ({
      fetch: () =>
        new Response(api.file(new URL(`file://${api.fixtures}/digits.txt`))),
    }),
    exchange: ask("GET /", { status: 200, body: "0123456789" }),
  },
  {
    name: "what is read from a file object can be answered",
    server: (api) => {
      const file = api.file(`${api.fixtures}/digits.txt`);
      return {
        routes: {
          "/text": async () => new Response(await file.text()),
          "/bytes": async () => new Response(await file.arrayBuffer()),
          "/stream": () => new Response(file.stream()),
          "/json": async () =>
            Response.json(
              await new Response(api.file(`${api.fixtures}/data.json`)).json(),
            ),
          "/facts": async () =>
            Response.json([
              file.size,
              file.name === `${api.fixtures}/digits.txt`,
              file.lastModified,
              await file.exists(),
              await api.file(`${api.fixtures}/missing.txt`).exists(),
              file instanceof Blob,
              file.slice(2, 4).size,
            ]),
        },
      };
    },
    exchange: [
      ask("GET /text", { status: 200, body: "0123456789" }),
      ask("GET /bytes", { status: 200, body: "0123456789" }),
      ask("GET /stream", { status: 200, body: "0123456789" }),
      ask("GET /json", { status: 200, body: '{"a":1}' }),
      ask("GET /facts", {
        status: 200,
        body: "[10,true,1577836800000,true,false,true,2]",
      }),
    ],
  },
];
