import {
  ask,
  type ConformanceCase,
  type ExpectedHeader,
  request,
  table,
} from "../case.ts";

interface BodyRow {
  name: string;
  response: () => Response;
  type: ExpectedHeader;
  body: string | Uint8Array | RegExp;
  /** The type comes from the body; Bun leaves such a type out of HEAD. */
  implied?: boolean;
  bun?: string;
}

const bodies: BodyRow[] = [
  {
    name: "a string",
    response: () => new Response("text ä"),
    implied: true,
    type: /^text\/plain;\s?charset=utf-8$/i,
    body: "text ä",
  },
  {
    name: "an empty string",
    response: () => new Response(""),
    implied: true,
    type: /^text\/plain;\s?charset=utf-8$/i,
    body: "",
    bun: "sends no Content-Type with an empty string",
  },
  {
    name: "nothing",
    response: () => new Response(),
    type: null,
    body: "",
  },
  {
    name: "null",
    response: () => new Response(null),
    type: null,
    body: "",
  },
  {
    name: "JSON",
    response: () => Response.json({ a: [1, "ä"] }),
    type: /^application\/json(;charset=utf-8)?$/i,
    body: '{"a":[1,"ä"]}',
  },
  {
    name: "bytes",
    response: () => new Response(Uint8Array.of(0, 128, 255)),
    type: /.*/,
    body: Uint8Array.of(0, 128, 255),
  },
  {
    name: "an ArrayBuffer",
    response: () => new Response(Uint8Array.of(0, 128, 255).buffer),
    type: /.*/,
    body: Uint8Array.of(0, 128, 255),
  },
  {
    name: "a part of an ArrayBuffer",
    response: () => new Response(Uint8Array.of(0, 1, 2, 3).subarray(1, 3)),
    type: /.*/,
    body: Uint8Array.of(1, 2),
  },
  {
    name: "a DataView",
    response: () =>
      new Response(new DataView(Uint8Array.of(0, 1, 2, 3).buffer, 2)),
    type: /.*/,
    body: Uint8Array.of(2, 3),
  },
  {
    name: "a Blob with a type",
    response: () => new Response(new Blob(["blob"], { type: "text/x-blob" })),
    implied: true,
    type: "text/x-blob",
    body: "blob",
  },
  {
    name: "a form",
    response: () => new Response(new URLSearchParams({ a: "b c" })),
    implied: true,
    type: /^application\/x-www-form-urlencoded;\s?charset=utf-8$/i,
    body: "a=b+c",
  },
  {
    name: "a multipart form",
    response: () => {
      const form = new FormData();
      form.set("name", "value");
      return new Response(form);
    },
    implied: true,
    type: /^multipart\/form-data; ?boundary=/,
    body: /name="name"\r\n\r\nvalue\r\n--/,
  },
  {
    name: "a mebibyte",
    response: () => new Response("x".repeat(1_048_576)),
    implied: true,
    type: /^text\/plain/,
    body: "x".repeat(1_048_576),
  },
  {
    name: "a type of the user's own",
    response: () =>
      new Response("<p>", { headers: { "Content-Type": "text/x-own" } }),
    type: "text/x-own",
    body: "<p>",
  },
  {
    name: "a clone",
    response: () => new Response("cloned").clone(),
    implied: true,
    type: /^text\/plain/,
    body: "cloned",
  },
  {
    name: "a Response made of another's body",
    response: () => new Response(new Response("inner").body, { status: 200 }),
    type: null,
    body: "inner",
    bun: "types a body taken from another Response application/octet-stream",
  },
  {
    name: "JSON with a status and a type of the user's own",
    response: () =>
      Response.json(null, {
        headers: { "Content-Type": "application/problem+json" },
      }),
    type: "application/problem+json",
    body: "null",
  },
  {
    name: "a Blob without a type",
    response: () => new Response(new Blob(["blob"])),
    type: null,
    body: "blob",
    bun: "calls a Blob without a type text/plain",
  },
];

const statuses = [200, 201, 202, 203, 206, 226, 300, 301, 302, 307, 400, 401]
  .concat([404, 405, 409, 418, 422, 429, 451, 500, 501, 503, 599]);

/** What a handler may return that is no Response. */
const noResponses: [name: string, value: unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["a string", "text"],
  ["a number", 1],
  ["an object", { status: 200 }],
  ["a promise of undefined", Promise.resolve(undefined)],
];

/** An empty body, a stream and a form with a random boundary may say nothing. */
function hasKnownLength(body: BodyRow["body"]): body is string | Uint8Array {
  return !(body instanceof RegExp) && body !== "inner" && body.length > 0;
}

function lengthOf(body: string | Uint8Array): string {
  const bytes = typeof body === "string"
    ? new TextEncoder().encode(body)
    : body;
  return String(bytes.length);
}

/** Framing fields that a handler gets wrong, on responses without content. */
const misframed: [status: number, name: string, value: string][] = [
  [204, "Content-Length", "5"],
  [204, "Transfer-Encoding", "chunked"],
  [304, "Transfer-Encoding", "chunked"],
  [200, "Content-Length", "5"],
  [404, "Transfer-Encoding", "chunked"],
];

/** Framing fields that a handler gets wrong, on responses with content. */
const misframedContent: [name: string, value: string][] = [
  ["Content-Length", "2"],
  ["Content-Length", "50"],
  ["Content-Length", "-1"],
  ["Content-Length", "junk"],
  ["Content-Length", "5, 5"],
  ["Transfer-Encoding", "chunked"],
  ["Transfer-Encoding", "gzip"],
  ["Transfer-Encoding", "gzip, chunked"],
  ["Transfer-Encoding", "identity"],
];

export const cases: ConformanceCase[] = [
  ...table(bodies, ({ name, response, type, body, bun }) => ({
    name: `the body is ${name}`,
    server: () => ({ routes: { "/route": response }, fetch: response }),
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`GET ${path}`, {
        status: 200,
        headers: String(type) === "/.*/" ? {} : { "content-type": type },
        body,
      })
    ),
    bun,
  })),
  ...table(bodies, ({ name, response, type, body, implied }) => ({
    name: `HEAD when the body is ${name}`,
    server: () => ({ fetch: response }),
    exchange: [
      ask("HEAD /", {
        status: 200,
        headers: {
          ...(String(type) === "/.*/" ? {} : { "content-type": type }),
          ...(hasKnownLength(body) ? { "content-length": lengthOf(body) } : {}),
        },
      }),
      // What follows shows that no byte of a body was sent.
      ask("GET /", { status: 200, body }),
    ],
    bun: implied
      ? "leaves a Content-Type that the body implies out of HEAD"
      : undefined,
  })),
  {
    name: "every status goes out as given",
    server: () => ({
      routes: {
        "/:status": (request) =>
          new Response("body", { status: Number(request.params.status) }),
      },
    }),
    exchange: statuses.map((status) =>
      ask(`GET /${status}`, { status, body: "body" })
    ),
  },
  {
    name: "204 and 304 have no body and keep the connection in step",
    server: () => ({
      routes: {
        "/:status": (request) =>
          new Response(null, { status: Number(request.params.status) }),
      },
    }),
    exchange: [
      { send: request("GET /204") + request("GET /304") + request("GET /404") },
      { receive: { status: 204, headers: { "content-length": null } } },
      { receive: { status: 304, body: "" } },
      { receive: { status: 404, body: "" } },
    ],
  },
  {
    name: "205 ends at once and keeps the connection in step",
    server: () => ({
      routes: { "/reset": () => new Response(null, { status: 205 }) },
      fetch: () => new Response("next"),
    }),
    exchange: [
      { send: request("GET /reset") + request("GET /") },
      { receive: { status: 205, body: "" } },
      { receive: { status: 200, body: "next" } },
    ],
    skip: {
      deno: "Deno.serve sends 205 without a length, whatever a handler sets",
    },
  },
  {
    name: "a statusText cannot break the status line",
    server: () => ({
      routes: {
        "/own": () => new Response("a", { status: 299, statusText: "Mine" }),
        "/bytes": () => new Response("b", { statusText: "caf\xe9" }),
        "/break": () => new Response("c", { statusText: "OK\r\nX-A: b" }),
      },
    }),
    exchange: [
      ask("GET /own", { status: 299, body: "a" }),
      ask("GET /bytes", { status: 200, body: "b" }),
      ask("GET /break", {
        status: [200, 500],
        headers: { "x-a": null },
      }),
    ],
  },
  ...table(noResponses, ([name, value]) => ({
    name: `a handler that returns ${name} is answered with 204`,
    server: () => ({
      routes: { "/route": () => value },
      fetch: () => value,
    }),
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`GET ${path}`, { status: 204, body: "" })
    ),
  })),
  {
    name: "a handler that returns nothing is 204 in development too",
    server: () => ({ development: true, fetch: () => undefined }),
    exchange: ask("GET /", { status: 204 }),
    bun: "sends a welcome page, with two Content-Length lines",
  },
  {
    name: "a handler may return a thenable",
    server: () => {
      const thenable = (text: string) => ({
        then(resolve: (response: Response) => void) {
          resolve(new Response(text));
        },
      });
      return {
        routes: { "/route": () => thenable("route") },
        fetch: () => thenable("fetch"),
      };
    },
    exchange: [
      ask("GET /route", { status: 200, body: "route" }),
      ask("GET /", { status: 200, body: "fetch" }),
    ],
    bun: "waits for real promises only",
  },
  {
    name: "handlers may be async",
    server: () => ({
      routes: {
        "/route": async () => await Promise.resolve(new Response("a")),
      },
      fetch: () =>
        new Promise((resolve) =>
          setTimeout(() => resolve(new Response("b")), 1)
        ),
    }),
    exchange: [
      ask("GET /route", { status: 200, body: "a" }),
      ask("GET /", { status: 200, body: "b" }),
    ],
  },
  {
    name: "headers go out as given, repeated Set-Cookie on its own lines",
    server: () => ({
      fetch: () =>
        new Response("", {
          headers: [
            ["X-A", "b"],
            ["X-List", "c"],
            ["X-List", "d"],
            ["Set-Cookie", "e=1"],
            ["Set-Cookie", "f=2; Path=/"],
          ],
        }),
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "x-a": "b",
        "x-list": /^c, d$/,
        "set-cookie": ["e=1", "f=2; Path=/"],
      },
    }),
  },
  {
    name: "a hundred headers and a long one go out",
    server: () => ({
      fetch: () => {
        const headers = new Headers({ "X-Long": "x".repeat(32_000) });
        for (let index = 0; index < 100; index++) {
          headers.set(`X-Header-${index}`, String(index));
        }
        return new Response("", { headers });
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "x-long": "x".repeat(32_000),
        ...Object.fromEntries(
          Array.from({ length: 100 }, (_, index) => [
            `x-header-${index}`,
            String(index),
          ]),
        ),
      },
    }),
  },
  {
    name: "headers set after the Response was made go out",
    server: () => ({
      fetch: async () => {
        const response = Response.json([]);
        response.headers.set("X-A", "b");
        response.headers.append("X-C", "d");
        response.headers.delete("Content-Type");
        return await Promise.resolve(response);
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "x-a": "b", "x-c": "d" },
      body: "[]",
    }),
  },
  {
    name: "an empty header value goes out",
    server: () => ({
      fetch: () => new Response("", { headers: { "X-Empty": "" } }),
    }),
    exchange: ask("GET /", { status: 200, headers: { "x-empty": "" } }),
  },
  {
    name: "a header value above 127 is one byte per character",
    server: () => ({
      fetch: () => new Response("", { headers: { "X-A": "caf\xe9" } }),
    }),
    exchange: ask("GET /", { status: 200, headers: { "x-a": "caf\xe9" } }),
  },
  {
    name: "Date is there, Server is not",
    server: () => ({ fetch: () => new Response("") }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        date:
          /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
        server: null,
        connection: null,
      },
    }),
  },
  {
    name: "a Date of the user's own is the only one",
    server: () => ({
      fetch: () =>
        new Response("", {
          headers: { Date: "Wed, 01 Jan 2020 00:00:00 GMT" },
        }),
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { date: "Wed, 01 Jan 2020 00:00:00 GMT" },
    }),
  },
  ...table(misframedContent, ([name, value]) => ({
    name: `${name}: ${value} of the user's cannot break the framing`,
    server: () => ({
      fetch: () => new Response("hello", { headers: { [name]: value } }),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "hello" }),
      ask("GET /", { status: 200, body: "hello" }),
    ],
  })),
  ...table(misframed, ([status, name, value]) => ({
    name: `${name}: ${value} of the user's cannot give ${status} a body`,
    server: () => ({
      routes: {
        "/bare": () =>
          new Response(null, { status, headers: { [name]: value } }),
      },
      fetch: () => new Response("next"),
    }),
    exchange: [
      ask("GET /bare", { status, body: "" }),
      ask("GET /", { status: 200, body: "next" }),
    ],
  })),
  {
    name: "a handler of HEAD may declare the length that GET would have",
    server: () => ({
      fetch: (request) =>
        new Response(request.method === "HEAD" ? null : "hello", {
          headers: { "Content-Length": "5" },
        }),
    }),
    exchange: [
      ask("HEAD /", { status: 200, headers: { "content-length": "5" } }),
      ask("GET /", { status: 200, body: "hello" }),
    ],
  },
  {
    name: "nothing is compressed unasked",
    server: () => ({
      fetch: () => new Response("hello ".repeat(1000)),
      routes: { "/static": new Response("hello ".repeat(1000)) },
    }),
    exchange: ["/", "/static"].map((path) =>
      ask(`GET ${path}`, {
        status: 200,
        headers: { "content-encoding": null, vary: null },
        body: "hello ".repeat(1000),
      }, { headers: { "Accept-Encoding": "gzip, br" } })
    ),
  },
  {
    name: "Content-Encoding of the user's is left alone",
    server: () => ({
      fetch: () =>
        new Response("not really", { headers: { "Content-Encoding": "gzip" } }),
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "content-encoding": "gzip" },
      body: "not really",
    }),
  },
  {
    name: "a client's Connection: close is honoured",
    server: () => ({ fetch: () => new Response("bye") }),
    exchange: [
      ask("GET /", { status: 200, body: "bye" }, {
        headers: { Connection: "close" },
      }),
      { closed: true },
    ],
  },
  {
    name: "a handler's Connection: close is honoured",
    server: () => ({
      fetch: () => new Response("bye", { headers: { Connection: "close" } }),
    }),
    exchange: [
      ask("GET /", {
        status: 200,
        headers: { connection: "close" },
        body: "bye",
      }),
      {
        closed: true,
        skip: { deno: "Deno.serve sends the field and closes nothing" },
      },
    ],
  },
  {
    name: "a client that half-closes still gets its answer",
    server: () => ({ fetch: () => new Response("answer") }),
    exchange: [
      { send: request("GET /") },
      { halfClose: true },
      { receive: { status: 200, body: "answer" } },
    ],
  },
  {
    name: "HTTP/1.0 is answered and closed",
    server: () => ({ fetch: () => new Response("old") }),
    exchange: [
      ask("GET /", {
        status: 200,
        headers: { "transfer-encoding": null },
        body: "old",
      }, { version: "HTTP/1.0" }),
      { closed: true },
    ],
  },
  {
    name: "HTTP/1.0 without Host is answered",
    server: () => ({ fetch: () => new Response("old") }),
    exchange: [
      { send: "GET / HTTP/1.0\r\n\r\n" },
      { receive: { status: 200, body: "old" } },
      { closed: true },
    ],
  },
  {
    name: "Response.redirect",
    server: () => ({
      routes: { "/route": () => Response.redirect("http://localhost/a") },
      fetch: () => Response.redirect("http://localhost/next?a=b", 303),
    }),
    exchange: [
      ask("GET /", {
        status: 303,
        headers: { location: "http://localhost/next?a=b" },
        body: "",
      }),
      ask("GET /route", {
        status: 302,
        headers: { location: "http://localhost/a" },
        body: "",
      }),
      ask("HEAD /route", {
        status: 302,
        headers: { location: "http://localhost/a" },
      }),
    ],
  },
  {
    name: "a used body goes to error",
    server: () => ({
      fetch: async () => {
        const response = new Response("used");
        await response.text();
        return response;
      },
      error: (error) => new Response(error.name, { status: 555 }),
    }),
    exchange: ask("GET /", { status: 555, body: "TypeError" }),
  },
  {
    name: "a used body without error is 500",
    server: () => ({
      fetch: async () => {
        const response = new Response("used");
        await response.text();
        return response;
      },
    }),
    exchange: ask("GET /", { status: 500 }),
  },
  {
    name: "a Response is sent once, then goes to error as used",
    server: () => {
      const once = new Response("once");
      return {
        fetch: () => once,
        error: (error) => new Response(error.name, { status: 555 }),
      };
    },
    exchange: [
      ask("GET /", { status: 200, body: "once" }),
      ask("GET /", { status: 555, body: "TypeError" }),
    ],
  },
  {
    name: "a Response without a body may be sent again",
    server: () => {
      const empty = new Response(null, {
        status: 202,
        headers: { "X-A": "b" },
      });
      return { fetch: () => empty };
    },
    exchange: [
      ask("GET /", { status: 202, headers: { "x-a": "b" }, body: "" }),
      ask("GET /", { status: 202, headers: { "x-a": "b" }, body: "" }),
    ],
    bun: "loses the headers of a Response that it sends again",
  },
  {
    name: "Response.error() goes to error",
    server: () => ({
      fetch: () => Response.error(),
      error: () => new Response("handled", { status: 555 }),
    }),
    exchange: ask("GET /", { status: 555, body: "handled" }),
  },
  {
    name: "Response.error() without error is 500",
    server: () => ({ fetch: () => Response.error() }),
    exchange: ask("GET /", { status: 500 }),
  },
  {
    name: "a Response of a subclass is a Response",
    server: () => {
      class Page extends Response {}
      return { fetch: () => new Page("page", { headers: { "X-A": "b" } }) };
    },
    exchange: ask("GET /", {
      status: 200,
      headers: { "x-a": "b" },
      body: "page",
    }),
  },
  {
    name: "a hundred pipelined requests get a hundred answers in order",
    server: () => ({
      routes: { "/:id": (request) => new Response(request.params.id) },
    }),
    exchange: [
      {
        send: Array.from(
          { length: 100 },
          (_, index) => request(`GET /${index}`),
        ).join(""),
      },
      ...Array.from({ length: 100 }, (_, index) => ({
        receive: { status: 200, body: String(index) },
      })),
    ],
  },
];
