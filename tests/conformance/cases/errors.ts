import {
  ask,
  type CaseOptions,
  type ConformanceCase,
  type ExpectedResponse,
  table,
} from "../case.ts";

/** What production tells about an error: nothing. */
const bare: ExpectedResponse = {
  status: 500,
  headers: {
    "content-type": /^text\/plain(;\s?charset=utf-8)?$/i,
    "content-length": "21",
  },
  body: "Something went wrong!",
};

/** What a handler may throw, and how `error` can tell that it got just that. */
const thrown: [name: string, value: () => unknown, seen: string][] = [
  ["an Error", () => new Error("boom"), "Error: boom"],
  ["a TypeError", () => new TypeError("boom"), "TypeError: boom"],
  [
    "a DOMException",
    () => new DOMException("boom", "DataError"),
    "DataError: boom",
  ],
  [
    "an AggregateError",
    () => new AggregateError([new Error("a")], "boom"),
    "AggregateError: boom",
  ],
  ["a string", () => "boom", "boom"],
  ["an empty string", () => "", ""],
  ["a number", () => 7, "7"],
  ["undefined", () => undefined, "undefined"],
  ["null", () => null, "null"],
  ["a Response", () => new Response("boom"), "[object Response]"],
  ["an object", () => ({ toString: () => "object" }), "object"],
];

/** A value that throws at whoever looks at it. */
function hostileValue(): unknown {
  return new Proxy({}, {
    get() {
      throw new Error("trap");
    },
    getPrototypeOf() {
      throw new Error("trap");
    },
  });
}

/** Handlers that throw `value` in each way there is. */
function throwing(value: () => unknown): CaseOptions {
  return {
    routes: {
      "/sync": () => {
        throw value();
      },
      "/async": async () => {
        await null;
        throw value();
      },
      "/reject": () => Promise.reject(value()),
    },
    fetch: () => {
      throw value();
    },
  };
}

const ways = ["/sync", "/async", "/reject", "/fetch"];

/** What `error` may return that is no Response. */
const noResponses: [name: string, result: () => unknown][] = [
  ["returns nothing", () => undefined],
  ["returns null", () => null],
  ["returns a string", () => "text"],
  ["returns an object", () => ({ status: 200 })],
  ["resolves to nothing", () => Promise.resolve()],
  ["resolves to a string", () => Promise.resolve("text")],
];

/** How `error` may fail itself. */
const secondFailures: [name: string, fail: () => unknown, bun?: string][] = [
  ["throws", () => {
    throw new Error("second");
  }],
  ["throws the same error", () => {
    throw first;
  }],
  ["throws undefined", () => {
    throw undefined;
  }],
  ["rejects", () => Promise.reject(new Error("second"))],
  ["rejects after an await", async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw new Error("second");
  }],
  ["returns Response.error()", () => Response.error()],
  ["returns a used Response", async () => {
    const response = new Response("used");
    await response.text();
    return response;
  }],
  ["returns a stream that fails", () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.error(new Error("second"));
        },
      }),
    ), "hangs up without an answer when a stream fails at once"],
];

const first = new Error("first");

export const cases: ConformanceCase[] = [
  ...table(thrown, ([name, value, seen]) => ({
    name: `error gets ${name}, however it was thrown`,
    server: () => ({
      ...throwing(value),
      error: (error) =>
        new Response(
          error instanceof Error
            ? `${error.name}: ${error.message}`
            : String(error),
          { status: 555 },
        ),
    }),
    exchange: ways.map((path) =>
      ask(`GET ${path}`, { status: 555, body: seen })
    ),
  })),
  ...table(thrown, ([name, value]) => ({
    name: `${name} without error is a bare 500`,
    server: () => throwing(value),
    exchange: ways.map((path) => ask(`GET ${path}`, bare)),
  })),
  {
    name: "a value that cannot be looked at is a bare 500",
    server: () => throwing(hostileValue),
    exchange: ways.map((path) => ask(`GET ${path}`, bare)),
  },
  {
    name: "a Response that was thrown is not the answer",
    server: () => ({
      fetch: () => {
        throw new Response("secret", { status: 200, headers: { "X-A": "b" } });
      },
    }),
    exchange: ask("GET /", { ...bare, headers: { "x-a": null } }),
  },
  {
    name: "production tells nothing, whatever the client accepts",
    server: () => ({
      fetch: () => {
        throw new Error("secret");
      },
    }),
    exchange: ["text/html", "*/*", "application/json"].map((accept) =>
      ask("GET /", bare, { headers: { Accept: accept } })
    ),
  },
  {
    name: "HEAD of a failure has no body",
    server: () => throwing(() => new Error("boom")),
    exchange: [
      ask("HEAD /sync", { status: 500 }),
      ask("HEAD /async", { status: 500 }),
      ask("GET /sync", bare),
    ],
  },
  {
    name: "a failure leaves the connection in step",
    server: () => ({
      routes: { "/fine": () => new Response("fine") },
      fetch: () => {
        throw new Error("boom");
      },
    }),
    exchange: [
      ask("GET /a", { status: 500 }),
      ask("GET /fine", { status: 200, body: "fine" }),
      ask("POST /a", { status: 500 }, { body: "body that nobody read" }),
      ask("GET /fine", { status: 200, body: "fine" }),
    ],
  },
  {
    name: "error may be async",
    server: () => ({
      ...throwing(() => new Error("boom")),
      error: async (error) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return new Response(error.message, { status: 555 });
      },
    }),
    exchange: ways.map((path) =>
      ask(`GET ${path}`, { status: 555, body: "boom" })
    ),
  },
  {
    name: "error may return a thenable",
    server: () => ({
      ...throwing(() => new Error("boom")),
      error: () => ({
        then(resolve: (response: Response) => void) {
          resolve(new Response("thenable", { status: 555 }));
        },
      }),
    }),
    exchange: ask("GET /sync", { status: 555, body: "thenable" }),
    bun: "waits for real promises only",
  },
  ...table(noResponses, ([name, result]) => ({
    name: `500 when error ${name}`,
    server: () => ({
      ...throwing(() => new Error("boom")),
      error: result,
    }),
    exchange: ["/sync", "/async"].map((path) => ask(`GET ${path}`, bare)),
  })),
  ...table(secondFailures, ([name, fail, bun]) => ({
    name: `500 when error ${name}`,
    server: () => ({
      routes: { "/fine": () => new Response("fine") },
      fetch: () => {
        throw first;
      },
      error: fail,
    }),
    exchange: [
      ask("GET /", bare),
      ask("GET /fine", { status: 200, body: "fine" }),
    ],
    bun,
  })),
  {
    name: "error is called once for one failure",
    server: (api) => ({
      fetch: () => {
        throw new Error("boom");
      },
      error: (error) => {
        api.log(error.message);
        throw new Error("second");
      },
    }),
    exchange: ask("GET /", { status: 500 }),
    log: ["boom"],
  },
  {
    name: "error is not called when nothing failed",
    server: (api) => ({
      routes: {
        "/not-found": () => new Response("404", { status: 404 }),
        "/failure": () => new Response("500", { status: 500 }),
        "/nothing": () => undefined,
      },
      error: () => {
        api.log("error");
        return new Response("error");
      },
    }),
    exchange: [
      ask("GET /not-found", { status: 404, body: "404" }),
      ask("GET /failure", { status: 500, body: "500" }),
      ask("GET /nothing", { status: 204 }),
      ask("GET /unmatched", { status: 404, body: "" }),
    ],
    log: [],
  },
  {
    name: "the answer of error goes out whole",
    server: () => ({
      fetch: () => {
        throw new Error("boom");
      },
      error: () =>
        new Response("teapot", {
          status: 418,
          headers: [["X-A", "b"], ["Set-Cookie", "c=1"], ["Set-Cookie", "d=2"]],
        }),
    }),
    exchange: ask("GET /", {
      status: 418,
      headers: { "x-a": "b", "set-cookie": ["c=1", "d=2"] },
      body: "teapot",
    }),
  },
  {
    name: "error may answer with a stream",
    server: () => ({
      fetch: () => {
        throw new Error("boom");
      },
      error: () => {
        let next = 0;
        return new Response(
          new ReadableStream({
            async pull(controller) {
              await new Promise((resolve) => setTimeout(resolve, 1));
              if (next++ === 3) return controller.close();
              controller.enqueue(new TextEncoder().encode("part"));
            },
          }),
          { status: 555 },
        );
      },
    }),
    exchange: ask("GET /", { status: 555, body: "partpartpart" }),
  },
  {
    name: "error may answer with a file",
    server: (api) => ({
      fetch: () => {
        throw new Error("boom");
      },
      error: () =>
        new Response(api.file(`${api.fixtures}/digits.txt`), { status: 555 }),
    }),
    exchange: ask("GET /", { status: 555, body: "0123456789" }),
  },
  {
    name: "a missing file goes to error",
    server: (api) => ({
      routes: {
        "/route": () => new Response(api.file(`${api.fixtures}/missing`)),
        "/async": async () =>
          await Promise.resolve(
            new Response(api.file(`${api.fixtures}/missing`)),
          ),
        "/directory": () => new Response(api.file(`${api.fixtures}/site`)),
      },
      error: (error) =>
        new Response((error as Error & { code: string }).code, { status: 555 }),
    }),
    exchange: [
      ask("GET /route", { status: 555, body: "ENOENT" }),
      ask("GET /async", { status: 555, body: "ENOENT" }),
      ask("GET /directory", { status: 555, body: "EISDIR" }),
    ],
  },
  {
    name: "HEAD of a missing file goes to error",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/missing`)),
      error: () => new Response("handled", { status: 555 }),
    }),
    exchange: ask("HEAD /", { status: 555 }),
    bun: "answers HEAD of a missing file with 200",
  },
  {
    name: "a missing file without error is a bare 500",
    server: (api) => ({
      fetch: () => new Response(api.file(`${api.fixtures}/missing`)),
    }),
    exchange: ask("GET /", bare),
  },
  {
    name: "a missing file in the answer of error is a bare 500",
    server: (api) => ({
      fetch: () => {
        throw new Error("boom");
      },
      error: () => new Response(api.file(`${api.fixtures}/missing`)),
    }),
    exchange: ask("GET /", bare),
  },
  {
    name: "this is the server everywhere",
    server: (api) => ({
      routes: {
        "/route": function (_request, server) {
          return new Response(`route ${this === server} ${this.port > 0}`);
        },
        "/table": {
          GET: function (_request, server) {
            return new Response(`table ${this === server} ${this.port > 0}`);
          },
        },
        "/fail": function (_request, server) {
          api.log(`fail ${this === server}`);
          throw new Error("boom");
        },
      },
      fetch: function (_request, server) {
        return new Response(`fetch ${this === server} ${this.port > 0}`);
      },
      error: function () {
        return new Response(`error ${this.port > 0}`);
      },
    }),
    exchange: [
      ask("GET /route", { status: 200, body: "route true true" }),
      ask("GET /table", { status: 200, body: "table true true" }),
      ask("GET /", { status: 200, body: "fetch true true" }),
      ask("GET /fail", { status: 200, body: "error true" }),
    ],
    log: ["fail true"],
  },
  {
    name: "a rejection that comes after a body was read goes to error",
    server: () => ({
      fetch: async (request) => {
        const text = await request.text();
        throw new Error(`got ${text}`);
      },
      error: (error) => new Response(error.message, { status: 555 }),
    }),
    exchange: ask("POST /", { status: 555, body: "got body" }, {
      body: "body",
    }),
  },
  {
    name: "a body that is not JSON goes to error",
    server: () => ({
      fetch: async (request) => Response.json(await request.json()),
      error: (error) => new Response(error.name, { status: 400 }),
    }),
    exchange: [
      ask("POST /", { status: 400, body: "SyntaxError" }, { body: "{" }),
      ask("POST /", { status: 400, body: "SyntaxError" }, { body: "" }),
      ask("POST /", { status: 200, body: "[1]" }, { body: "[1]" }),
    ],
  },
  {
    name: "error in development comes before the error page",
    server: () => ({
      development: true,
      fetch: () => {
        throw new Error("boom");
      },
      error: (error) => new Response(error.message, { status: 555 }),
    }),
    exchange: ask("GET /", { status: 555, body: "boom" }, {
      headers: { Accept: "text/html" },
    }),
  },
];
