import { ask, type CaseOptions, type ConformanceCase, table } from "../case.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** A table with all methods; each answers with its own name. */
function methodTable(): CaseOptions {
  return {
    routes: {
      "/": Object.fromEntries(
        methods.map((method) => [
          method,
          (request: Request) => new Response(`${method} ${request.method}`),
        ]),
      ),
    },
  };
}

const allMethods = [...methods, "PURGE", "TRACE", "QUERY", "PROPFIND"];

export const cases: ConformanceCase[] = [
  ...table(methods, (method) => ({
    name: `${method} of a table`,
    server: methodTable,
    exchange: ask(`${method} /`, { status: 200, body: `${method} ${method}` }),
  })),
  ...table(allMethods, (method) => ({
    name: `${method} reaches a route that is a function`,
    server: () => ({
      routes: { "/": (request) => new Response(request.method) },
    }),
    exchange: ask(`${method} /`, { status: 200, body: method }),
  })),
  ...table(allMethods, (method) => ({
    name: `${method} reaches fetch`,
    server: () => ({ fetch: (request) => new Response(request.method) }),
    exchange: ask(`${method} /`, { status: 200, body: method }),
  })),
  {
    name: "a missing method falls through to fetch",
    server: () => ({
      routes: { "/": { GET: () => new Response("get") } },
      fetch: (request) => new Response("fetch " + request.method),
    }),
    exchange: ask("POST /", { status: 200, body: "fetch POST" }, { body: "x" }),
  },
  {
    name: "a missing method without fetch is 404, never 405",
    server: () => ({ routes: { "/": { GET: () => new Response("get") } } }),
    exchange: ask("POST /", {
      status: 404,
      headers: { allow: null },
      body: "",
    }),
  },
  {
    name: "a missing method falls through to a less specific route",
    server: () => ({
      routes: {
        "/a/b": { GET: () => new Response("exact") },
        "/a/:id": { PUT: () => new Response("param") },
        "/a/*": () => new Response("wildcard"),
      },
    }),
    exchange: [
      ask("GET /a/b", { status: 200, body: "exact" }),
      ask("PUT /a/b", { status: 200, body: "param" }),
      ask("POST /a/b", { status: 200, body: "wildcard" }),
    ],
  },
  {
    name: "false in a table falls through to fetch",
    server: () => ({
      routes: { "/": { GET: () => new Response("get"), POST: false } },
      fetch: () => new Response("fetch"),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "get" }),
      ask("POST /", { status: 200, body: "fetch" }),
    ],
  },
  {
    name: "HEAD is answered by GET, without its body",
    server: methodTable,
    exchange: [
      ask("HEAD /", { status: 200, headers: { "content-length": /^(7|8)$/ } }),
      ask("GET /", { status: 200, body: "GET GET" }),
    ],
  },
  {
    name: "HEAD of its own comes before GET",
    server: () => ({
      routes: {
        "/": {
          GET: () => new Response("get"),
          HEAD: () => new Response(null, { headers: { "x-from": "head" } }),
        },
      },
    }),
    exchange: [
      ask("HEAD /", { status: 200, headers: { "x-from": "head" } }),
      ask("GET /", { status: 200, headers: { "x-from": null }, body: "get" }),
    ],
  },
  {
    name: "HEAD without GET in the table falls through",
    server: () => ({
      routes: { "/": { POST: () => new Response("post") } },
      fetch: () => new Response("", { headers: { "x-from": "fetch" } }),
    }),
    exchange: ask("HEAD /", { status: 200, headers: { "x-from": "fetch" } }),
  },
  {
    name: "HEAD through fetch has the length of the body it leaves out",
    server: () => ({ fetch: () => new Response("hello") }),
    exchange: [
      ask("HEAD /", { status: 200, headers: { "content-length": "5" } }),
      ask("GET /", { status: 200, body: "hello" }),
    ],
  },
  {
    name: "OPTIONS is not answered by itself",
    server: () => ({ routes: { "/": { GET: () => new Response("get") } } }),
    exchange: ask("OPTIONS /", { status: 404 }),
  },
  {
    name: "a Response in a table answers its method only",
    server: () => ({
      routes: { "/": { GET: new Response("static") } },
      fetch: () => new Response("fetch"),
    }),
    exchange: [
      ask("GET /", { status: 200, body: "static" }),
      ask("HEAD /", { status: 200, headers: { "content-length": "6" } }),
      ask("POST /", { status: 200, body: "fetch" }),
    ],
  },
  {
    name: "method names are case-sensitive",
    server: () => ({
      routes: { "/": { GET: () => new Response("GET") } },
    }),
    exchange: ask("get /", { status: [400, 404] }),
    bun: "hangs up without an answer on a method it does not know",
  },
];
