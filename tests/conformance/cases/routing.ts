import {
  ask,
  type CaseOptions,
  type ConformanceCase,
  lines,
  request,
  table,
} from "../case.ts";

/** Routes that answer with the pattern they were declared under. */
function answeringOwnPattern(patterns: string[]): CaseOptions {
  return {
    routes: Object.fromEntries(
      patterns.map((pattern) => [pattern, () => new Response(pattern)]),
    ),
    fetch: () => new Response("fetch"),
  };
}

/** Each row: declared patterns, requested target, pattern that answers. */
const matches: [patterns: string[], target: string, answer: string][] = [
  [["/"], "/", "/"],
  [["/"], "/?query", "/"],
  [["/"], "/a", "fetch"],
  [["/a"], "/a", "/a"],
  [["/a"], "/a?x=1&y=/b", "/a"],
  [["/a"], "/a?", "/a"],
  [["/a"], "/a/", "fetch"],
  [["/a/"], "/a", "fetch"],
  [["/a/"], "/a/", "/a/"],
  [["/a"], "/A", "fetch"],
  [["/a"], "//a", "fetch"],
  [["/a"], "/ab", "fetch"],
  [["/a"], "/%61", "fetch"],
  [["/a"], "/x/../a", "fetch"],
  [["/a"], "/./a", "fetch"],
  [["/x/*"], "/x/../a", "/x/*"],
  [["/a/b/c/d/e/f"], "/a/b/c/d/e/f", "/a/b/c/d/e/f"],
  [["/a.json"], "/a.json", "/a.json"],
  [["/a.json"], "/axjson", "fetch"],
  [["/a+b(c)"], "/a+b(c)", "/a+b(c)"],
  [["/:id"], "/a", "/:id"],
  [["/:id"], "/", "fetch"],
  [["/:id"], "//", "fetch"],
  [["/a/:id"], "/a/", "fetch"],
  [["/a/:id"], "/a", "fetch"],
  [["/a/:id"], "/a/b/", "fetch"],
  [["/a/:id"], "/a/b/c", "fetch"],
  [["/a/:id/c"], "/a//c", "fetch"],
  [["/a/:id/c"], "/a/b/c", "/a/:id/c"],
  [["/*"], "/", "/*"],
  [["/*"], "/a/b?c", "/*"],
  [["/api/*"], "/api/", "/api/*"],
  [["/api/*"], "/api/a/b", "/api/*"],
  [["/api/*"], "/api", "fetch"],
  [["/api/*"], "/apix", "fetch"],
  [["/a*"], "/abc", "fetch"],
  [["/a/*/c"], "/a/b/c", "fetch"],
  [["/:id", "/a"], "/a", "/a"],
  [["/*", "/:id"], "/a", "/:id"],
  [["/*", "/a/*", "/a/:id", "/a/b"], "/a/b", "/a/b"],
  [["/*", "/a/*", "/a/:id", "/a/b"], "/a/c", "/a/:id"],
  [["/*", "/a/*", "/a/:id", "/a/b"], "/a/b/c", "/a/*"],
  [["/*", "/a/*", "/a/:id", "/a/b"], "/b", "/*"],
  [["/a/b", "/a/:id", "/a/*", "/*"], "/a/b", "/a/b"],
  [["/a/*", "/a/b/*"], "/a/b/c", "/a/b/*"],
  [["/a/*", "/a/b/*"], "/a/c/b", "/a/*"],
  [["/a/:x/c", "/a/b/:y"], "/a/b/c", "/a/b/:y"],
  [["/a/:x/c", "/a/b/d"], "/a/b/c", "/a/:x/c"],
  [["/a/:x/c", "/a/b/d", "/*"], "/a/b/e", "/*"],
  [["/:x/b", "/a/*"], "/a/b", "/a/*"],
  [["/:x/:y/z", "/:x/b/*"], "/a/b/z", "/:x/b/*"],
  [["/a"], "/__proto__", "fetch"],
  [["/a"], "/constructor", "fetch"],
  [["/a"], "/hasOwnProperty", "fetch"],
  [["/a"], "/a/toString", "fetch"],
  [["/__proto__"], "/__proto__", "/__proto__"],
];

/** Nested params that can each fail only at the very end. */
const deceptivePatterns = Array.from(
  { length: 24 },
  (_, index) =>
    Array.from(
      { length: 24 },
      (_, position) => position === index ? "/x" : `/:p${position}`,
    ).join("") + "/end",
);

export const cases: ConformanceCase[] = [
  ...table(matches, ([patterns, target, answer]) => ({
    name: `${patterns.join(" + ")} <- ${target} is answered by ${answer}`,
    server: () => answeringOwnPattern(patterns),
    exchange: ask(`GET ${target}`, { status: 200, body: answer }),
  })),
  {
    name: "without fetch an unmatched path is a bare 404",
    server: () => ({ routes: { "/a": () => new Response("a") } }),
    exchange: ask("GET /b", {
      status: 404,
      headers: { "content-length": "0", "content-type": null },
      body: "",
    }),
  },
  {
    name: "false falls through to fetch",
    server: () => ({
      routes: { "/a": false },
      fetch: () => new Response("fetch"),
    }),
    exchange: ask("GET /a", { status: 200, body: "fetch" }),
  },
  {
    name: "false without fetch is 404",
    server: () => ({ routes: { "/a": false, "/b": () => new Response("b") } }),
    exchange: ask("GET /a", { status: 404, body: "" }),
  },
  {
    name: "false hides a path from a wildcard",
    server: () => ({
      routes: { "/*": () => new Response("wildcard"), "/a": false },
      fetch: () => new Response("fetch"),
    }),
    exchange: ask("GET /a", { status: 200, body: "fetch" }),
  },
  {
    name: "routes undefined is as good as none",
    server: () => ({
      routes: undefined,
      fetch: () => new Response("fetch"),
    }),
    exchange: ask("GET /a", { status: 200, body: "fetch" }),
  },
  {
    name: "the older name static means routes",
    server: () => ({
      static: { "/a": new Response("static") },
      fetch: () => new Response("fetch"),
    }),
    exchange: ask("GET /a", { status: 200, body: "static" }),
  },
  {
    name: "an absolute-form target is routed by its path",
    server: () => answeringOwnPattern(["/a"]),
    exchange: ask("GET http://localhost/a?b", { status: 200, body: "/a" }),
  },
  {
    name: "a target in absolute form without a path means /",
    server: () => answeringOwnPattern(["/"]),
    exchange: ask("GET http://localhost", { status: 200, body: "/" }),
  },
  {
    name: "an encoded slash does not split a segment",
    server: () => answeringOwnPattern(["/a/:id", "/a/b/c"]),
    exchange: ask("GET /a/b%2Fc", { status: 200, body: "/a/:id" }),
  },
  {
    name: "a segment of 8000 characters is matched",
    server: () => answeringOwnPattern(["/a/:id"]),
    exchange: ask("GET /a/" + "x".repeat(8000), {
      status: 200,
      body: "/a/:id",
    }),
  },
  {
    name: "4000 segments are matched by a wildcard",
    server: () => answeringOwnPattern(["/a/*", "/a/:b/c"]),
    exchange: ask("GET /a" + "/b".repeat(4000), { status: 200, body: "/a/*" }),
  },
  {
    name: "patterns made for backtracking do not stall the server",
    server: () => answeringOwnPattern(deceptivePatterns),
    exchange: ask("GET " + "/x".repeat(24) + "/fin", {
      status: 200,
      body: "fetch",
    }),
  },
  {
    name: "a thousand routes all answer",
    server: () =>
      answeringOwnPattern(
        Array.from({ length: 1000 }, (_, index) => `/r${index}/:id`),
      ),
    exchange: [
      ask("GET /r0/a", { status: 200, body: "/r0/:id" }),
      ask("GET /r999/a", { status: 200, body: "/r999/:id" }),
      ask("GET /r1000/a", { status: 200, body: "fetch" }),
    ],
  },
  {
    name: "requests on one connection are routed one by one",
    server: () => answeringOwnPattern(["/a", "/b/:id"]),
    exchange: [
      { send: request("GET /a") + request("GET /b/c") + request("GET /d") },
      { receive: { status: 200, body: "/a" } },
      { receive: { status: 200, body: "/b/:id" } },
      { receive: { status: 200, body: "fetch" } },
    ],
  },
  {
    name: "OPTIONS * has no path for a wildcard to match",
    server: () => ({ routes: { "/*": () => new Response("wildcard") } }),
    exchange: [
      { send: lines("OPTIONS * HTTP/1.1", "Host: localhost", "") },
      { receive: { status: [200, 204, 400, 404], body: "" } },
    ],
    skip: { deno: "Deno.serve gives the target * as the path /*" },
  },
];
