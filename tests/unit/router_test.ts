import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeSegment,
  type RouteNode,
  Router,
} from "../../src/http/router.ts";

function node(target: string, ...methods: string[]): RouteNode<string> {
  return {
    isForAnyMethod: methods.length === 0,
    forMethod: (method) =>
      methods.length === 0 || methods.includes(method) ? target : undefined,
  };
}

function routerOf(...patterns: string[]): Router<string> {
  const router = new Router<string>();
  for (const pattern of patterns) router.add(pattern, node(pattern));
  return router;
}

function found(router: Router<string>, path: string, method = "GET") {
  const match = router.match(path, method);
  return match && [match.target, { ...match.params }, match.rest];
}

const PATTERNS = [
  "/*",
  "/",
  "/users/:id",
  "/users/me",
  "/users/*",
  "/users/:id/posts/:post",
  "/files/a/*",
  "/files/*",
  "/deep/:a/:b/end",
  "/deep/x/*",
];

const MATCHES: [path: string, expected: unknown][] = [
  ["/", ["/", {}, ""]],
  ["/users/me", ["/users/me", {}, ""]],
  ["/users/7", ["/users/:id", { id: "7" }, ""]],
  ["/users/7/posts/9", ["/users/:id/posts/:post", { id: "7", post: "9" }, ""]],
  ["/users/7/x", ["/users/*", {}, "7/x"]],
  ["/users/", ["/users/*", {}, ""]],
  ["/users", ["/*", {}, "users"]],
  ["/users//posts/9", ["/users/*", {}, "/posts/9"]],
  ["/Users/me", ["/*", {}, "Users/me"]],
  ["/files/a/b", ["/files/a/*", {}, "b"]],
  ["/files/b/b", ["/files/*", {}, "b/b"]],
  ["/files/a", ["/files/*", {}, "a"]],
  // Backtracks from the literal "x" to the parameter, and back.
  ["/deep/x/y/end", ["/deep/x/*", {}, "y/end"]],
  ["/deep/q/y/end", ["/deep/:a/:b/end", { a: "q", b: "y" }, ""]],
  ["/deep/q/y/no", ["/*", {}, "deep/q/y/no"]],
  ["//users/me", ["/*", {}, "/users/me"]],
  ["/users/%2e%2e", ["/users/:id", { id: ".." }, ""]],
  ["/users/a%2Fb", ["/users/:id", { id: "a/b" }, ""]],
];

for (const order of ["declared", "reversed"] as const) {
  Deno.test(`Router matches by precedence, ${order} order`, () => {
    const patterns = order === "declared" ? PATTERNS : PATTERNS.toReversed();
    const router = routerOf(...patterns);
    for (const [path, expected] of MATCHES) {
      assertEquals(found(router, path), expected, path);
    }
  });
}

Deno.test("Router goes on to the next match for a method that a route lacks", () => {
  const router = new Router<string>();
  router.add("/a/b", node("exact", "GET"));
  router.add("/a/:x", node("param", "PUT"));
  router.add("/a/*", node("wildcard", "DELETE"));
  router.add("/*", node("all", "PATCH"));
  for (
    const [method, target] of [
      ["GET", "exact"],
      ["PUT", "param"],
      ["DELETE", "wildcard"],
      ["PATCH", "all"],
    ]
  ) assertEquals(router.match("/a/b", method!)?.target, target);
  assertEquals(router.match("/a/b", "POST"), undefined);
});

Deno.test("Router reads a star as a wildcard only as a whole last segment", () => {
  const router = routerOf("/a*", "/b/*/c");
  assertEquals(found(router, "/a*"), ["/a*", {}, ""]);
  assertEquals(found(router, "/ab"), undefined);
  assertEquals(found(router, "/b/*/c"), ["/b/*/c", {}, ""]);
  assertEquals(found(router, "/b/x/c"), undefined);
});

Deno.test("Router keeps parameters named like object members harmless", () => {
  const router = routerOf("/:__proto__/:constructor");
  const params = router.match("/x/y", "GET")!.params;
  assertEquals(Object.keys(params), ["__proto__", "constructor"]);
  assertEquals(params["__proto__"], "x");
  assertEquals(({} as Record<string, unknown>)["x"], undefined);
});

Deno.test("Router refuses patterns that cannot match as meant", () => {
  assertThrows(() => routerOf("a"), TypeError, '"a"');
  assertThrows(() => routerOf(""), TypeError, "must begin with");
  assertThrows(() => routerOf("/:id/:id"), Error, '"id" is repeated');
  assertThrows(() => routerOf("/:1"), Error, "begins with a digit");
  assertThrows(() => routerOf("/:"), Error, "has no name");
});

Deno.test("Router visits each tree node at most once", () => {
  // With naive backtracking this would take 2^30 steps.
  const router = new Router<string>();
  for (const last of ["x", "y"]) {
    router.add("/:a".repeat(1) + "/a".repeat(29) + `/${last}`, node(last));
    router.add("/a".repeat(30) + `/${last}`, node(last));
  }
  assertEquals(router.match("/a".repeat(30) + "/z", "GET"), undefined);
});

const SEGMENTS: [segment: string, expected: string][] = [
  ["plain", "plain"],
  ["a%20b", "a b"],
  ["%F0%9F%98%80", "\u{1F600}"],
  ["%ff", "\uFFFD"],
  ["x%C3", "x\uFFFD"],
  ["%zz", "%zz"],
  ["%", "%"],
  ["%4", "%4"],
  ["%ff%41%", "\uFFFDA%"],
  ["%00", "\0"],
  ["%252e", "%2e"],
];

Deno.test("decodeSegment decodes once and never throws", () => {
  for (const [segment, expected] of SEGMENTS) {
    assertEquals(decodeSegment(segment), expected, segment);
  }
});
