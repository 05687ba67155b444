import {
  ask,
  type CaseApi,
  type ConformanceCase,
  gate,
  request,
  table,
} from "../case.ts";

const encoder = new TextEncoder();

/** A stream of these chunks, each after a turn of the event loop. */
function streamOf(
  ...chunks: (string | Uint8Array<ArrayBuffer>)[]
): ReadableStream {
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

const bodies: [name: string, body: () => unknown, answer: string][] = [
  [
    "a stream of bytes",
    () => streamOf(encoder.encode("one"), encoder.encode("two")),
    "onetwo",
  ],
  ["a stream of strings", () => streamOf("one", "twö"), "onetwö"],
  ["a stream of both", () => streamOf("one", encoder.encode("two")), "onetwo"],
  ["an empty stream", () => streamOf(), ""],
  [
    "a stream with empty chunks",
    () => streamOf("", "one", "", "two", ""),
    "onetwo",
  ],
  ["a stream that ends at once", () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(encoder.encode("now"));
        controller.close();
      },
    }), "now"],
  ["a byte stream", () =>
    new ReadableStream({
      type: "bytes",
      start(controller) {
        controller.enqueue(encoder.encode("bytes"));
        controller.close();
      },
    }), "bytes"],
  ["an async generator", () =>
    (async function* () {
      yield encoder.encode("one");
      await new Promise((resolve) => setTimeout(resolve, 0));
      yield encoder.encode("two");
    })(), "onetwo"],
  ["an async iterable", () => ({
    async *[Symbol.asyncIterator]() {
      yield encoder.encode("one");
      yield encoder.encode("two");
    },
  }), "onetwo"],
  [
    "a piped stream",
    () => new Response("piped").body!.pipeThrough(new TransformStream()),
    "piped",
  ],
  [
    "a large stream",
    () => streamOf(...Array.from({ length: 64 }, () => "x".repeat(16_384))),
    "x".repeat(1_048_576),
  ],
];

/** What `pull` of a direct stream is given. */
interface DirectController {
  write(chunk: string | Uint8Array): number;
  flush(): void;
  end(): void;
}

const directStreams: [
  name: string,
  pull: (controller: DirectController) => unknown,
  body: string,
][] = [
  ["that ends at once", (controller) => {
    controller.write("one");
    controller.write(encoder.encode("two"));
    controller.end();
  }, "onetwo"],
  ["that waits in between", async (controller) => {
    controller.write("one");
    controller.flush();
    await new Promise((resolve) => setTimeout(resolve, 1));
    controller.write("two");
    controller.end();
  }, "onetwo"],
];

/** Streams that fail before there is a chunk to send. */
const earlyFailures: [name: string, body: () => unknown][] = [
  ["start", () =>
    new ReadableStream({
      start(controller) {
        controller.error(new Error("early"));
      },
    })],
  ["pull", () =>
    new ReadableStream({
      pull() {
        throw new Error("early");
      },
    })],
  ["an async pull", () =>
    new ReadableStream({
      async pull() {
        await null;
        throw new Error("early");
      },
    })],
  ["a generator before its first yield", () =>
    (async function* () {
      await null;
      if (earlyFailures.length > 0) throw new Error("early");
      yield encoder.encode("never");
    })()],
];

const EARLY_IN_BUN =
  "hangs up without an answer, and without asking error, when a stream fails at once";

/** Content-Length that a handler sets on a stream of six bytes. */
const declaredLengths: [length: string, body: RegExp][] = [
  ["6", /^abcdef$/],
  // Cut at the length that the head promised, or without that promise.
  ["3", /^abc(def)?$/],
  ["junk", /^abcdef$/],
];

/** A stream that fails after some chunks. */
function failingStream(...chunks: string[]): ReadableStream {
  let next = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const chunk = chunks[next++];
      if (chunk === undefined) controller.error(new Error("stream failed"));
      else controller.enqueue(encoder.encode(chunk));
    },
  });
}

/** A stream without end; says when it is cancelled. */
function endlessStream(api: CaseApi): ReadableStream {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(encoder.encode("tick\n"));
    },
    cancel() {
      api.log("cancelled");
    },
  });
}

export const cases: ConformanceCase[] = [
  ...table(bodies, ([name, body, answer]) => ({
    name: `the body is ${name}`,
    server: () => {
      const handler = () => new Response(body() as BodyInit);
      return { routes: { "/route": handler }, fetch: handler };
    },
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`GET ${path}`, {
        status: 200,
        headers: { "content-type": null },
        body: answer,
      })
    ),
  })),
  {
    name: "the body is an async generator of strings",
    server: () => ({
      fetch: () =>
        new Response(
          (async function* () {
            yield "one";
            await new Promise((resolve) => setTimeout(resolve, 0));
            yield encoder.encode("two");
          })() as unknown as BodyInit,
        ),
    }),
    exchange: ask("GET /", { status: 200, body: "onetwo" }),
    skip: {
      deno: "Deno's Response takes async iterables of bytes only",
      native: "Deno's Response takes async iterables of bytes only",
    },
  },
  ...table(directStreams, ([name, pull, body]) => ({
    name: `the body is a direct stream ${name}`,
    server: () => ({
      fetch: () =>
        new Response(
          new ReadableStream(
            { type: "direct", pull } as unknown as UnderlyingDefaultSource,
          ),
        ),
    }),
    exchange: ask("GET /", { status: 200, body }),
    skip: {
      deno: "Deno's ReadableStream knows no direct streams",
      native: "Deno's ReadableStream knows no direct streams",
    },
  })),
  {
    name: "a stream is chunked",
    server: () => ({ fetch: () => new Response(streamOf("a", "b")) }),
    exchange: ask("GET /", {
      status: 200,
      framing: "chunked",
      headers: { "content-length": null },
    }),
  },
  {
    name: "a stream to HTTP/1.0 ends with the connection",
    server: () => ({ fetch: () => new Response(streamOf("a", "b")) }),
    exchange: ask("GET /", {
      status: 200,
      framing: "close",
      headers: { "transfer-encoding": null },
      body: "ab",
    }, { version: "HTTP/1.0" }),
  },
  {
    name: "a chunk arrives before the next is made",
    server: (api) => {
      const sent = gate();
      return {
        routes: {
          "/read": () => {
            sent.open();
            return new Response(null, { status: 204 });
          },
        },
        fetch: () => {
          let pulls = 0;
          return new Response(
            new ReadableStream({
              async pull(controller) {
                pulls += 1;
                if (pulls === 1) {
                  return controller.enqueue(encoder.encode("data: 1\n\n"));
                }
                await sent.wait;
                api.log("second is made");
                controller.enqueue(encoder.encode("data: 2\n\n"));
                controller.close();
              },
            }),
            { headers: { "Content-Type": "text/event-stream" } },
          );
        },
      };
    },
    // Raw exchanges see whole responses only; this has to see a part of one.
    exchange: [{
      async run(server, api) {
        const response = await fetch(server.url);
        api.log(`head: ${response.headers.get("content-type")}`);
        const reader = response.body!.pipeThrough(new TextDecoderStream())
          .getReader();
        const first = await reader.read();
        api.log(`first: ${JSON.stringify(first.value)}`);
        await fetch(new URL("/read", server.url));
        let rest = "";
        for (
          let chunk = await reader.read();
          !chunk.done;
          chunk = await reader.read()
        ) rest += chunk.value;
        api.log(`rest: ${JSON.stringify(rest)}`);
      },
    }],
    log: [
      "head: text/event-stream",
      'first: "data: 1\\n\\n"',
      "second is made",
      'rest: "data: 2\\n\\n"',
    ],
  },
  {
    name: "the head of a stream that has nothing yet arrives",
    server: (api) => {
      const quiet = gate();
      return {
        routes: {
          "/end": () => {
            quiet.open();
            return new Response(null, { status: 204 });
          },
        },
        fetch: () =>
          new Response(
            new ReadableStream({
              async pull(controller) {
                await quiet.wait;
                api.log("ends");
                controller.close();
              },
            }),
            { headers: { "Content-Type": "text/event-stream" } },
          ),
      };
    },
    exchange: [{
      async run(server, api) {
        const response = await fetch(server.url);
        api.log(`head: ${response.headers.get("content-type")}`);
        await fetch(new URL("/end", server.url));
        api.log(`body: ${JSON.stringify(await response.text())}`);
      },
    }],
    log: ["head: text/event-stream", "ends", 'body: ""'],
    bun: "sends no head before the first chunk",
  },
  {
    name: "the next request waits for the end of a stream",
    server: () => ({
      routes: {
        "/stream": () => new Response(streamOf("a", "b", "c")),
        "/next": () => new Response("next"),
      },
    }),
    exchange: [
      { send: request("GET /stream") + request("GET /next") },
      { receive: { status: 200, body: "abc" } },
      { receive: { status: 200, body: "next" } },
    ],
    bun: "hangs up on a request that is pipelined behind a pending answer",
  },
  ...table(declaredLengths, ([length, body]) => ({
    name: `a stream of 6 bytes with Content-Length: ${length}`,
    server: () => ({
      routes: { "/next": () => new Response("next") },
      fetch: () =>
        new Response(streamOf("abc", "def"), {
          headers: { "Content-Length": length },
        }),
    }),
    exchange: [
      ask("GET /", { status: 200, body }),
      ask("GET /next", { status: 200, body: "next" }),
    ],
  })),
  {
    name: "a stream shorter than its Content-Length is never taken for whole",
    server: () => ({
      fetch: () =>
        new Response(streamOf("abc", "def"), {
          headers: { "Content-Length": "9" },
        }),
    }),
    exchange: ask("GET /", { status: 200, body: "abcdef", truncated: true }),
    bun: "ignores a Content-Length on a stream",
  },
  ...table(earlyFailures, ([name, body]) => ({
    name: `an error in ${name} goes to error`,
    server: () => ({
      fetch: () => new Response(body() as BodyInit),
      error: (error) => new Response(error.message, { status: 555 }),
    }),
    exchange: [
      ask("GET /", { status: 555, body: "early" }),
      ask("GET /", { status: 555, body: "early" }),
    ],
    bun: EARLY_IN_BUN,
  })),
  ...table(earlyFailures, ([name, body]) => ({
    name: `an error in ${name} without error is 500`,
    server: () => ({ fetch: () => new Response(body() as BodyInit) }),
    exchange: ask("GET /", { status: 500, body: "Something went wrong!" }),
    bun: EARLY_IN_BUN,
  })),
  {
    name: "an error after the first chunk cuts the connection",
    server: (api) => ({
      fetch: () => new Response(failingStream("first")),
      error: () => {
        api.log("error");
        return new Response("error");
      },
    }),
    exchange: [
      { send: request("GET /") },
      { receive: { status: 200, body: "first", truncated: true } },
    ],
    log: [],
  },
  {
    name: "an error in one stream leaves other connections alone",
    server: () => ({
      routes: {
        "/fail": () => new Response(failingStream("first")),
        "/fine": () => new Response(streamOf("a", "b")),
      },
    }),
    exchange: [
      { connection: "bad", send: request("GET /fail") },
      { connection: "bad", receive: { status: 200, truncated: true } },
      ask("GET /fine", { status: 200, body: "ab" }),
    ],
  },
  {
    name: "a generator that throws after a chunk cuts the connection",
    server: () => ({
      fetch: () =>
        new Response(
          (async function* () {
            yield encoder.encode("first");
            await new Promise((resolve) => setTimeout(resolve, 20));
            throw new Error("generator failed");
          })() as unknown as BodyInit,
        ),
    }),
    exchange: [
      { send: request("GET /") },
      { receive: { status: 200, body: "first", truncated: true } },
    ],
  },
  {
    name: "a stream is cancelled when the client leaves",
    server: (api) => ({ fetch: () => new Response(endlessStream(api)) }),
    exchange: [
      { send: request("GET /") },
      { pause: 30 },
      { close: true },
      { logged: "cancelled" },
    ],
    log: ["cancelled"],
  },
  {
    name: "the signal aborts when the client leaves a stream",
    server: (api) => ({
      routes: {
        "/route": (request) => {
          request.signal.addEventListener("abort", () => api.log("aborted"));
          return new Response(endlessStream(api));
        },
      },
    }),
    exchange: [
      { send: request("GET /route") },
      { pause: 30 },
      { close: true },
      { logged: "aborted" },
      { logged: "cancelled" },
    ],
  },
  {
    name: "the signal does not abort after a stream that was sent whole",
    server: (api) => ({
      fetch: (request) => {
        request.signal.addEventListener("abort", () => api.log("aborted"));
        return new Response(streamOf("a", "b"));
      },
    }),
    exchange: [
      ask("GET /", { status: 200, body: "ab" }),
      { close: true },
      { pause: 50 },
    ],
    log: [],
  },
  {
    name: "a quiet stream is cancelled when the client leaves",
    server: (api) => ({
      fetch: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(encoder.encode("hello"));
            },
            cancel() {
              api.log("cancelled");
            },
          }),
        ),
    }),
    exchange: [
      { send: request("GET /") },
      { pause: 30 },
      { close: true },
      { logged: "cancelled" },
    ],
    log: ["cancelled"],
  },
  {
    name: "what cancel throws concerns nobody",
    server: (api) => ({
      routes: { "/next": () => new Response("next") },
      fetch: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(encoder.encode("hello"));
            },
            cancel() {
              api.log("cancelled");
              throw new Error("cancel failed");
            },
          }),
        ),
      error: () => {
        api.log("error");
      },
    }),
    exchange: [
      { connection: "leaver", send: request("GET /") },
      { pause: 30 },
      { connection: "leaver", close: true },
      { logged: "cancelled" },
      ask("GET /next", { status: 200, body: "next" }),
    ],
    log: ["cancelled"],
  },
  {
    name: "a generator is returned when the client leaves",
    server: (api) => ({
      fetch: () =>
        new Response(
          (async function* () {
            try {
              while (true) {
                yield encoder.encode("tick\n");
                await new Promise((resolve) => setTimeout(resolve, 1));
              }
            } finally {
              api.log("finally");
            }
          })() as unknown as BodyInit,
        ),
    }),
    exchange: [
      { send: request("GET /") },
      { pause: 30 },
      { close: true },
      { logged: "finally" },
    ],
    log: ["finally"],
  },
  {
    name: "a client that does not read stops the stream from being made",
    server: (api) => {
      let made = 0;
      return {
        idleTimeout: 0,
        routes: {
          // 64 MiB were asked for, far above what sockets and buffers take.
          "/made": () => new Response(made < 1024 ? "paused" : String(made)),
        },
        fetch: () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                made += 1;
                if (made === 1025) return controller.close();
                controller.enqueue(new Uint8Array(65_536));
              },
              cancel() {
                api.log("cancelled");
              },
            }),
          ),
      };
    },
    exchange: [
      { connection: "slow", send: request("GET /") },
      { pause: 500 },
      ask("GET /made", { status: 200, body: "paused" }),
      { connection: "slow", close: true },
      { logged: "cancelled" },
    ],
    log: ["cancelled"],
  },
  {
    name: "a client that reads late gets everything in order",
    server: () => {
      let next = 0;
      return {
        fetch: () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                if (next === 256) return controller.close();
                controller.enqueue(new Uint8Array(65_536).fill(next++));
              },
            }),
          ),
      };
    },
    exchange: [
      { send: request("GET /") },
      { pause: 200 },
      {
        receive: {
          status: 200,
          body: Uint8Array.from(
            { length: 256 * 65_536 },
            (_, index) => index >> 16,
          ),
        },
      },
    ],
  },
  {
    name: "HEAD of a stream tells its producer to stop",
    server: (api) => ({ fetch: () => new Response(endlessStream(api)) }),
    exchange: [
      ask("HEAD /", { status: 200 }),
      { logged: "cancelled" },
    ],
    log: ["cancelled"],
  },
  {
    name: "HEAD of a stream has no body and does not hang",
    server: () => ({ fetch: () => new Response(streamOf("a", "b")) }),
    exchange: [
      ask("HEAD /", { status: 200 }),
      ask("GET /", { status: 200, body: "ab" }),
    ],
  },
  {
    name: "a stream with a status and headers of its own",
    server: () => ({
      fetch: () =>
        new Response(streamOf("a"), {
          status: 418,
          headers: { "Content-Type": "text/x-own", "X-A": "b" },
        }),
    }),
    exchange: ask("GET /", {
      status: 418,
      headers: { "content-type": "text/x-own", "x-a": "b" },
      body: "a",
    }),
  },
  {
    name: "a locked stream goes to error",
    server: () => ({
      fetch: () => {
        const response = new Response(streamOf("a"));
        response.body!.getReader();
        return response;
      },
      error: () => new Response("handled", { status: 555 }),
    }),
    exchange: ask("GET /", { status: 555, body: "handled" }),
  },
  {
    name: "server-sent events arrive as they are",
    server: () => ({
      fetch: () =>
        new Response(
          (async function* () {
            for (let id = 0; id < 3; id++) {
              yield encoder.encode(`id: ${id}\ndata: tick\n\n`);
              await new Promise((resolve) => setTimeout(resolve, 1));
            }
          })() as unknown as BodyInit,
          {
            headers: {
              "Content-Type": "text/event-stream",
              "Cache-Control": "no-cache",
            },
          },
        ),
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
      },
      body: "id: 0\ndata: tick\n\nid: 1\ndata: tick\n\nid: 2\ndata: tick\n\n",
    }),
  },
];
