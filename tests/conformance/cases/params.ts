import { ask, type ConformanceCase, latin1, lines, table } from "../case.ts";

interface ParamRow {
  pattern: string;
  target: string;
  params: Record<string, string>;
  bun?: string;
}

/** Names and values that a plain object would mistake for its own. */
const inherited = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "valueOf",
];

const oneReplacement = "decodes a run of malformed UTF-8 to a single U+FFFD";
const badEscape =
  "turns a malformed escape into U+FFFD, swallowing its neighbours";

const decoded: ParamRow[] = [
  { pattern: "/:id", target: "/a", params: { id: "a" } },
  { pattern: "/:id", target: "/a?id=b", params: { id: "a" } },
  { pattern: "/:a/:b", target: "/1/2", params: { a: "1", b: "2" } },
  { pattern: "/x/:a/y/:b", target: "/x/1/y/2", params: { a: "1", b: "2" } },
  { pattern: "/:a/*", target: "/1/2/3", params: { a: "1" } },
  { pattern: "/:user_id", target: "/a", params: { user_id: "a" } },
  { pattern: "/:id.json", target: "/a.json", params: { "id.json": "a.json" } },
  { pattern: "/:id", target: "/a%20b", params: { id: "a b" } },
  { pattern: "/:id", target: "/a+b", params: { id: "a+b" } },
  { pattern: "/:id", target: "/%c3%A4", params: { id: "ä" } },
  { pattern: "/:id", target: "/%F0%9F%98%80", params: { id: "😀" } },
  { pattern: "/:id", target: "/a%2Fb", params: { id: "a/b" } },
  { pattern: "/:id", target: "/%2e%2e%2f", params: { id: "../" } },
  { pattern: "/:id", target: "/%2541", params: { id: "%41" } },
  { pattern: "/:id", target: "/a%00b", params: { id: "a\0b" } },
  { pattern: "/:id", target: "/a%0d%0ab", params: { id: "a\r\nb" } },
  { pattern: "/:id", target: "/%FF", params: { id: "\ufffd" } },
  { pattern: "/:id", target: "/a%FFb", params: { id: "a\ufffdb" } },
  {
    pattern: "/:id",
    target: "/%C0%AE",
    params: { id: "\ufffd\ufffd" },
    bun: oneReplacement,
  },
  { pattern: "/:id", target: "/%E4%B8x", params: { id: "\ufffdx" } },
  {
    pattern: "/:id",
    target: "/%ED%A0%80",
    params: { id: "\ufffd\ufffd\ufffd" },
    bun: oneReplacement,
  },
  { pattern: "/:id", target: "/%zz", params: { id: "%zz" }, bun: badEscape },
  { pattern: "/:id", target: "/a%", params: { id: "a%" }, bun: badEscape },
  { pattern: "/:id", target: "/a%4", params: { id: "a%4" }, bun: badEscape },
  {
    pattern: "/:id",
    target: "/%4x%41",
    params: { id: "%4xA" },
    bun: badEscape,
  },
  {
    pattern: "/:a/:b",
    target: "/%zz/%20",
    params: { a: "%zz", b: " " },
    bun: badEscape,
  },
  { pattern: "/:id", target: "/a;b=c", params: { id: "a;b=c" } },
  { pattern: "/:id", target: "/:id", params: { id: ":id" } },
  { pattern: "/:id", target: "/*", params: { id: "*" } },
];

/** Answers with the own properties of `params` as pairs. */
const server = (pattern: string) => () => ({
  routes: {
    [pattern]: (request: { params: Record<string, string> }) =>
      Response.json(Object.entries(request.params)),
  },
});

export const cases: ConformanceCase[] = [
  ...table(decoded, ({ pattern, target, params, bun }) => ({
    name: `${pattern} <- ${target}`,
    server: server(pattern),
    exchange: ask(`GET ${target}`, {
      status: 200,
      body: JSON.stringify(Object.entries(params)),
    }),
    bun,
  })),
  ...table(inherited, (name) => ({
    name: `${name} is an ordinary value`,
    server: server("/:id"),
    exchange: ask(`GET /${name}`, {
      status: 200,
      body: JSON.stringify([["id", name]]),
    }),
  })),
  ...table(inherited, (name) => ({
    name: `${name} is an ordinary name`,
    server: server(`/:${name}`),
    exchange: ask("GET /a", {
      status: 200,
      body: JSON.stringify([[name, "a"]]),
    }),
  })),
  {
    name: "raw UTF-8 in the target reaches a param",
    server: server("/:id"),
    exchange: [
      { send: lines("GET /ä HTTP/1.1", "Host: localhost", "") },
      { receive: { status: 200, body: '[["id","ä"]]' } },
    ],
  },
  {
    name: "raw bytes that are no UTF-8 are refused or replaced",
    server: server("/:id"),
    exchange: [
      { send: latin1(lines("GET /\xff HTTP/1.1", "Host: localhost", "")) },
      {
        receive: {
          status: [200, 400],
          body: /^(|\[\["id","\ufffd"\]\])$/,
        },
      },
    ],
  },
  {
    name: "a value with a line break cannot split a response",
    server: () => ({
      routes: {
        "/:id": (request) =>
          new Response("", { headers: { "x-id": request.params.id ?? "" } }),
      },
    }),
    exchange: ask("GET /a%0d%0aX-Injected:%201", {
      status: 500,
      headers: { "x-injected": null },
    }),
  },
  {
    name: "a route without params sees an empty object",
    server: () => ({
      routes: {
        "/a": (request) =>
          Response.json([typeof request.params, Object.keys(request.params)]),
      },
    }),
    exchange: ask("GET /a", { status: 200, body: '["object",[]]' }),
  },
  {
    name: "params cannot be replaced",
    server: (api) => ({
      routes: {
        "/:id": (request) => {
          try {
            Object.assign(request, { params: { id: "other" } });
          } catch (error) {
            api.log((error as Error).name);
          }
          return new Response(request.params.id);
        },
      },
    }),
    exchange: ask("GET /a", { status: 200, body: "a" }),
    log: ["TypeError"],
  },
  {
    name: "params are there in every method of a table",
    server: () => ({
      routes: {
        "/:id": {
          GET: (request) => new Response("get " + request.params.id),
          DELETE: (request) => new Response("delete " + request.params.id),
        },
      },
    }),
    exchange: [
      ask("GET /a", { status: 200, body: "get a" }),
      ask("DELETE /b", { status: 200, body: "delete b" }),
    ],
  },
  {
    name: "params survive an await",
    server: () => ({
      routes: {
        "/:id": async (request) => {
          await request.text();
          return new Response(request.params.id);
        },
      },
    }),
    exchange: [
      ask("POST /a", { status: 200, body: "a" }, { body: "body" }),
      ask("POST /b", { status: 200, body: "b" }, { body: "body" }),
    ],
  },
];
