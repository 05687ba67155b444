import {
  ask,
  type CaseOptions,
  type CaseRequest,
  type ConformanceCase,
  lines,
  request,
  type Step,
  table,
} from "../case.ts";

/** Reads every body; at most 10 bytes are allowed. */
const small = (api: { log(fact: string): void }): CaseOptions => ({
  maxRequestBodySize: 10,
  routes: { "/static": new Response("static") },
  fetch: async (request) => {
    api.log("called");
    return new Response(await request.text());
  },
});

const chunkedHead = lines(
  "POST / HTTP/1.1",
  "Host: localhost",
  "Content-Type: application/x-www-form-urlencoded",
  "Transfer-Encoding: chunked",
  "",
);

const chunks = (...texts: string[]) =>
  lines(...texts.flatMap((text) => [text.length.toString(16), text]));

const lastChunk = lines("0", "");

const chunked = (...texts: string[]) =>
  chunkedHead + chunks(...texts) + lastChunk;

const NOT_CLOSED =
  "Deno.serve keeps a connection open whatever a handler's Connection says";
const CLOSED_ALREADY = "the connection has ended";

/** 413, and nothing after it. */
const tooLarge: Step[] = [
  { receive: { status: 413, body: "" } },
  {
    halfClose: true,
    skip: { native: CLOSED_ALREADY, bun: CLOSED_ALREADY },
  },
  { closed: true },
];

const noHeadLimit = {
  status: 400,
  why: "Deno.serve answers an oversized head with 400",
};

/** Every way to read content. */
const readers: [
  name: string,
  read: (request: CaseRequest) => Promise<unknown>,
][] = [
  ["text", (request) => request.text()],
  ["json", (request) => request.json()],
  ["arrayBuffer", (request) => request.arrayBuffer()],
  ["bytes", (request) => request.bytes()],
  ["blob", (request) => request.blob()],
  ["formData", (request) => request.formData()],
  ["body", async (request) => await Array.fromAsync(request.body!)],
  ["clone", (request) => request.clone().text()],
  ["new Request", (request) => new Request(request).text()],
  ["new Response", (request) => new Response(request.body).text()],
];

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const oversizedHeads: [name: string, head: string][] = [
  [
    "one header of 80 KiB",
    lines(
      "GET / HTTP/1.1",
      "Host: localhost",
      "X-A: " + "a".repeat(81_920),
      "",
    ),
  ],
  [
    "a thousand headers",
    lines(
      "GET / HTTP/1.1",
      "Host: localhost",
      ...Array.from({ length: 1000 }, (_, index) => `X-${index}: a`),
      "",
    ),
  ],
  [
    "a header name of 80 KiB",
    lines(
      "GET / HTTP/1.1",
      "Host: localhost",
      "X".repeat(81_920) + ": a",
      "",
    ),
  ],
];

export const cases: ConformanceCase[] = [
  {
    name: "a body of exactly the limit is read",
    server: small,
    exchange: [
      ask("POST /", { status: 200, body: "0123456789" }, {
        body: "0123456789",
      }),
      { send: chunked("01234", "56789") },
      { receive: { status: 200, body: "0123456789" } },
    ],
    log: ["called", "called"],
  },
  {
    name: "a declared length over the limit is refused before the handler",
    server: small,
    exchange: [
      { send: request("POST /", { body: "0123456789x" }) },
      tooLarge,
    ],
    log: [],
  },
  {
    name: "a declared length is refused before its body is sent",
    server: small,
    exchange: [
      {
        send: lines(
          "POST / HTTP/1.1",
          "Host: localhost",
          "Content-Length: 999999999",
          "",
        ),
      },
      tooLarge,
    ],
    log: [],
  },
  {
    name: "a chunked body over the limit is refused",
    server: small,
    exchange: [{ send: chunked("01234", "56789", "x") }, tooLarge],
  },
  {
    name: "an endless chunked body is refused without its end",
    server: small,
    exchange: [
      { send: chunkedHead },
      { logged: "called" },
      { send: chunks("0123456789abcdef") },
      tooLarge,
    ],
    log: ["called"],
  },
  {
    name: "a handler that catches the rejection still answers 413",
    server: (api) => ({
      maxRequestBodySize: 10,
      fetch: async (request) => {
        api.log("called");
        await request.text().catch(() => api.log("rejected"));
        return new Response("caught");
      },
    }),
    exchange: [
      { send: chunkedHead },
      { logged: "called" },
      { send: chunks("0123456789x") + lastChunk },
      tooLarge,
    ],
    log: ["called", "rejected"],
  },
  {
    name: "the limit holds in routes",
    server: (api) => ({
      maxRequestBodySize: 10,
      routes: {
        "/": async (request) => {
          api.log("called");
          return new Response(await request.text());
        },
      },
    }),
    exchange: [
      ask("POST /", { status: 200, body: "0123456789" }, {
        body: "0123456789",
      }),
      { send: request("POST /", { body: "0123456789x" }) },
      tooLarge,
    ],
    log: ["called"],
  },
  {
    name: "the limit holds for a static response",
    server: small,
    exchange: [
      { send: request("POST /static", { body: "0123456789x" }) },
      tooLarge,
    ],
    bun: "reads content only for handlers",
  },
  {
    name: "content of a GET is refused or dropped, over the limit too",
    server: () => ({
      maxRequestBodySize: 10,
      fetch: async (request) => new Response(await request.text()),
    }),
    exchange: [
      { send: request("GET /", { body: "0123456789x" }) },
      { receive: { status: [200, 413], body: "" } },
    ],
  },
  ...table(readers, ([name, read]) => ({
    name: `${name} rejects over the limit, and 413 is answered`,
    server: (api) => ({
      maxRequestBodySize: 10,
      fetch: async (request) => {
        api.log("called");
        try {
          await read(request);
          api.log("read");
        } catch {
          api.log("rejected");
        }
        return new Response("answer");
      },
    }),
    exchange: [
      { send: chunkedHead },
      { logged: "called" },
      { send: chunks("0123456789", "x") + lastChunk },
      tooLarge,
    ],
    log: ["called", "rejected"],
  })),
  {
    name: "no more than the limit reaches the handler",
    server: (api) => ({
      maxRequestBodySize: 10,
      fetch: async (request) => {
        let length = 0;
        api.log("called");
        try {
          for await (const chunk of request.body!) length += chunk.length;
        } finally {
          api.log(length <= 10 ? "within the limit" : `read ${length}`);
        }
        return new Response("answer");
      },
    }),
    exchange: [
      { send: chunkedHead },
      { logged: "called" },
      { send: chunks("0123456789", "0123456789", "0123456789") },
      tooLarge,
    ],
    log: ["called", "within the limit"],
  },
  {
    name: "error() is not asked about content over the limit",
    server: (api) => ({
      maxRequestBodySize: 10,
      fetch: async (request) => {
        api.log("called");
        return new Response(await request.text());
      },
      error: () => {
        api.log("error");
        return new Response("error", { status: 500 });
      },
    }),
    exchange: [
      { send: chunkedHead },
      { logged: "called" },
      { send: chunks("0123456789x") + lastChunk },
      tooLarge,
    ],
    log: ["called"],
  },
  {
    name: "content over the limit that nobody reads harms nothing",
    server: () => ({
      maxRequestBodySize: 10,
      fetch: () => new Response("unread"),
    }),
    exchange: [
      { send: chunked("0123456789x") },
      { receive: { status: [200, 413], body: /^(unread)?$/ } },
      { connection: "next", send: request("GET /") },
      { connection: "next", receive: { status: 200, body: "unread" } },
    ],
  },
  {
    name: "a limit of 0 allows no content, but requests",
    server: () => ({
      maxRequestBodySize: 0,
      fetch: async (request) => new Response(`[${await request.text()}]`),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "[]" }),
      ask("POST /", { status: 200, body: "[]" }, { body: "" }),
      { send: request("POST /", { body: "x" }) },
      tooLarge,
    ],
  },
  {
    name: "content shorter than declared is never taken for complete",
    server: (api) => ({
      fetch: async (request) => {
        try {
          api.log(`read ${await request.text()}`);
        } catch {
          api.log("rejected");
        }
        return new Response("answer");
      },
    }),
    exchange: [
      { send: request("POST /", { headers: { "Content-Length": "9" } }) },
      { send: "short" },
      { halfClose: true },
      { logged: "rejected" },
    ],
    log: ["rejected"],
  },
  {
    name: "chunks without an end are never taken for complete",
    server: (api) => ({
      fetch: async (request) => {
        try {
          api.log(`read ${await request.text()}`);
        } catch {
          api.log("rejected");
        }
        return new Response("answer");
      },
    }),
    exchange: [
      { send: chunkedHead + chunks("short") },
      { halfClose: true },
      { logged: "rejected" },
    ],
    log: ["rejected"],
  },
  {
    name: "an over-limit body does not harm other connections",
    server: small,
    exchange: [
      {
        connection: "bad",
        send: request("POST /", { body: "x".repeat(100_000) }),
      },
      { connection: "bad", receive: { status: 413 } },
      ask("POST /", { status: 200, body: "good" }, { body: "good" }),
    ],
  },
  {
    name: "the limit is 128 MiB by default",
    server: (api) => ({
      fetch: () => {
        api.log("called");
        return new Response("taken");
      },
    }),
    exchange: [
      {
        connection: "over",
        send: lines(
          "POST / HTTP/1.1",
          "Host: localhost",
          "Content-Length: 134217729",
          "",
        ),
      },
      { connection: "over", receive: { status: 413 } },
      {
        send: lines(
          "POST / HTTP/1.1",
          "Host: localhost",
          "Content-Length: 134217728",
          "",
        ),
      },
      { receive: { status: 200, body: "taken" } },
    ],
    log: ["called"],
  },
  {
    name: "a head of 8 KiB is accepted",
    server: () => ({ fetch: () => new Response("ok") }),
    exchange: ask("GET /", { status: 200, body: "ok" }, {
      headers: { "X-A": "a".repeat(8192) },
    }),
  },
  ...table(oversizedHeads, ([name, head]) => ({
    name: `${name} is refused`,
    server: (api): CaseOptions => ({
      fetch: () => {
        api.log("called");
        return new Response("");
      },
    }),
    exchange: [
      { send: head },
      { receive: { status: 431, on: { deno: noHeadLimit } } },
      { closed: true },
    ],
    log: [],
  })),
  {
    name: "a target of 80 KiB is refused",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [
      {
        send: lines(
          `GET /${"a".repeat(81_920)} HTTP/1.1`,
          "Host: localhost",
          "",
        ),
      },
      { receive: { status: [414, 431], on: { deno: noHeadLimit } } },
      { closed: true },
    ],
  },
  {
    name: "a head without end is refused, not collected",
    server: () => ({ fetch: () => new Response("") }),
    exchange: [
      { send: lines("GET / HTTP/1.1", "X-A: ") + "a".repeat(200_000) },
      { receive: { status: 431, on: { deno: noHeadLimit } } },
      { closed: true },
    ],
  },
  {
    name: "idleTimeout ends a quiet keep-alive connection",
    server: () => ({ idleTimeout: 1, fetch: () => new Response("ok") }),
    exchange: [ask("GET /", { status: 200, body: "ok" }), { closed: true }],
    skip: { deno: "Deno.serve has no deadline between requests" },
  },
  {
    name: "idleTimeout ends a pending handler and aborts its signal",
    server: (api) => ({
      idleTimeout: 1,
      fetch: (request) =>
        new Promise(() => {
          request.signal.addEventListener("abort", () => api.log("aborted"));
        }),
    }),
    exchange: [
      { send: request("GET /") },
      {
        receive: { status: 503, headers: { connection: "close" } },
        skip: {
          native: "it can close without an answer, as Bun does",
          bun: "it closes without an answer",
        },
      },
      { closed: true, skip: { deno: NOT_CLOSED } },
    ],
    log: ["aborted"],
  },
  {
    name: "idleTimeout cuts a quiet stream",
    server: () => ({
      idleTimeout: 1,
      fetch: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode("first"));
            },
          }),
        ),
    }),
    exchange: [
      { send: request("GET /") },
      { receive: { status: 200, body: "first", truncated: true } },
    ],
  },
  {
    name: "idleTimeout ends an upload that stalls",
    server: (api) => ({
      idleTimeout: 1,
      fetch: async (request) => {
        await request.text().catch(() => api.log("rejected"));
        return new Response("answer");
      },
    }),
    exchange: [
      { send: chunkedHead + chunks("first") },
      {
        receive: { status: 503 },
        skip: {
          native: "it can close without an answer, as Bun does",
          bun: "it closes without an answer",
        },
      },
      { halfClose: true },
      { closed: true },
    ],
    log: ["rejected"],
  },
  {
    name: "idleTimeout leaves alone what is busy or was given more time",
    server: () => ({
      idleTimeout: 1,
      routes: {
        "/stream": () =>
          new Response(
            new ReadableStream({
              async start(controller) {
                for (let tick = 0; tick < 8; tick++) {
                  controller.enqueue(new TextEncoder().encode(String(tick)));
                  await sleep(300);
                }
                controller.close();
              },
            }),
          ),
        "/upload": async (request) => new Response(await request.text()),
        "/timeout": async (request, server) => {
          server.timeout(request, 0);
          await sleep(2400);
          return new Response("slow");
        },
      },
    }),
    exchange: [
      { connection: "stream", send: request("GET /stream") },
      { connection: "timeout", send: request("GET /timeout") },
      {
        connection: "upload",
        send: lines(
          "POST /upload HTTP/1.1",
          "Host: localhost",
          "Transfer-Encoding: chunked",
          "",
        ),
      },
      ...Array.from({ length: 8 }, (_, index): Step[] => [
        { connection: "upload", send: lines("1", String(index)) },
        { pause: 300 },
      ]).flat(),
      { connection: "upload", send: lines("0", "") },
      {
        connection: "upload",
        receive: { status: 200, body: "01234567" },
      },
      {
        connection: "stream",
        receive: { status: 200, body: "01234567" },
      },
      { connection: "timeout", receive: { status: 200, body: "slow" } },
    ],
  },
  {
    name: "idleTimeout 0 waits",
    server: () => ({
      idleTimeout: 0,
      fetch: async () => {
        await sleep(2200);
        return new Response("slow");
      },
    }),
    exchange: ask("GET /", { status: 200, body: "slow" }),
  },
];
