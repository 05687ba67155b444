import {
  ask,
  type CaseOptions,
  type ConformanceCase,
  type ReceivedResponse,
  request,
  type Step,
  table,
} from "../case.ts";
import { valuesOf } from "../headers.ts";

const hello = (): CaseOptions => ({
  routes: {
    "/": new Response("hello", {
      headers: { "x-kind": "static", "cache-control": "no-cache" },
    }),
  },
});

/** The entity tag of the first response. */
function tagOf([first]: readonly ReceivedResponse[]): string {
  return valuesOf(first?.headers ?? [], "etag")[0] ?? "";
}

/** Fetches `/` for its ETag, then asks again with a condition made of it. */
function revalidate(
  condition: (etag: string) => string,
  expected: Step & { receive: unknown },
  line = "GET /",
): Step[] {
  return [
    ...ask("GET /", { status: 200, headers: { etag: /^"[^"]+"$/ } }),
    {
      send: (seen) =>
        request(line, {
          headers: {
            "If-None-Match": condition(tagOf(seen)),
          },
        }),
    },
    expected,
  ];
}

const notModified = {
  receive: {
    status: 304,
    headers: {
      etag: /^"[^"]+"$/,
      "x-kind": "static",
      "cache-control": "no-cache",
    },
    body: "",
  },
};
const modified = { receive: { status: 200, body: "hello" } };

const conditions: [
  name: string,
  condition: (etag: string) => string,
  outcome: Step & { receive: unknown },
  bun?: string,
][] = [
  ["the same tag", (etag) => etag, notModified],
  ["a star", () => "*", notModified],
  ["the weak form of the tag", (etag) => `W/${etag}`, notModified],
  ["a list that has the tag", (etag) => `"a", ${etag}, "b"`, notModified],
  ["a list without spaces", (etag) => `"a",${etag}`, notModified],
  ["another tag", () => '"other"', modified],
  [
    "the tag without quotes",
    (etag) => etag.slice(1, -1),
    modified,
    "takes a tag without quotes for the tag",
  ],
  ["half the tag", (etag) => etag.slice(0, -2) + '"', modified],
  ["nothing", () => "", modified],
  ["a tag that contains the tag", (etag) => `"x${etag.slice(1)}`, modified],
];

const bodies: [name: string, response: () => Response, facts: {
  type: string | RegExp | null;
  body: string | Uint8Array;
}][] = [
  ["text", () => new Response("text"), {
    type: /^text\/plain;\s?charset=utf-8$/i,
    body: "text",
  }],
  ["JSON", () => Response.json({ a: 1 }), {
    type: /^application\/json(;charset=utf-8)?$/i,
    body: '{"a":1}',
  }],
  ["bytes", () => new Response(Uint8Array.of(0, 255, 128)), {
    type: /^(application\/octet-stream)?$/,
    body: Uint8Array.of(0, 255, 128),
  }],
  ["a Blob", () => new Response(new Blob(["blob"], { type: "text/x-blob" })), {
    type: "text/x-blob",
    body: "blob",
  }],
  ["a form", () => new Response(new URLSearchParams({ a: "b c" })), {
    type: /^application\/x-www-form-urlencoded/,
    body: "a=b+c",
  }],
];

export const cases: ConformanceCase[] = [
  ...table(bodies, ([name, response, { type, body }]) => ({
    name: `${name} is answered`,
    server: () => ({ routes: { "/": response() } }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        // Without a type a client may guess or treat it as bytes.
        ...(name === "bytes" ? {} : { "content-type": type }),
        "content-length": /^\d+$/,
      },
      body,
    }),
  })),
  ...table(conditions, ([name, condition, outcome, bun]) => ({
    name: `If-None-Match: ${name}`,
    server: hello,
    exchange: revalidate(condition, outcome),
    bun,
  })),
  {
    name: "If-None-Match on HEAD",
    server: hello,
    exchange: revalidate((etag) => etag, {
      receive: { status: 304, head: true },
    }, "HEAD /"),
  },
  {
    name: "If-None-Match on POST is not a condition",
    server: hello,
    exchange: revalidate((etag) => etag, modified, "POST /"),
  },
  {
    name: "the answer can be given any number of times",
    server: hello,
    exchange: [
      { send: request("GET /").repeat(20) },
      ...Array.from({ length: 20 }, () => modified),
    ],
  },
  {
    name: "every method gets it",
    server: hello,
    exchange: [
      ask("POST /", { status: 200, body: "hello" }, { body: "ignored" }),
      ask("DELETE /", { status: 200, body: "hello" }),
      ask("PURGE /", { status: 200, body: "hello" }),
      ask("OPTIONS /", { status: 200, body: "hello" }),
    ],
  },
  {
    name: "HEAD has the length and tag of GET",
    server: hello,
    exchange: ask("HEAD /", {
      status: 200,
      headers: { "content-length": "5", etag: /^"[^"]+"$/, "x-kind": "static" },
    }),
  },
  {
    name: "equal bodies have equal tags, different bodies different ones",
    server: () => ({
      routes: {
        "/a": new Response("same"),
        "/b": new Response("same"),
        "/c": new Response("other"),
      },
    }),
    exchange: [
      ask("GET /a", { status: 200 }),
      {
        send: (seen) =>
          ["/b", "/c"].map((path) =>
            request(`GET ${path}`, {
              headers: {
                "If-None-Match": tagOf(seen),
              },
            })
          ).join(""),
      },
      { receive: { status: 304 } },
      { receive: { status: 200, body: "other" } },
    ],
  },
  {
    name: "an ETag of the user's own is kept and compared",
    server: () => ({
      routes: { "/": new Response("a", { headers: { ETag: '"mine"' } }) },
    }),
    exchange: [
      ask("GET /", { status: 200, headers: { etag: '"mine"' } }),
      ask("GET /", { status: 304, headers: { etag: '"mine"' } }, {
        headers: { "If-None-Match": '"mine"' },
      }),
    ],
  },
  {
    name: "a weak ETag of the user's own matches",
    server: () => ({
      routes: { "/": new Response("a", { headers: { ETag: 'W/"mine"' } }) },
    }),
    exchange: ask("GET /", { status: 304 }, {
      headers: { "If-None-Match": '"mine"' },
    }),
  },
  {
    name: "other statuses are never 304",
    server: () => ({ routes: { "/": new Response("gone", { status: 410 }) } }),
    exchange: ask("GET /", { status: 410, body: "gone" }, {
      headers: { "If-None-Match": "*" },
    }),
  },
  {
    name: "an empty body has no ETag",
    server: () => ({ routes: { "/": new Response("") } }),
    exchange: ask("GET /", {
      status: 200,
      headers: { etag: null, "content-length": "0" },
      body: "",
    }),
  },
  {
    name: "204 has neither body nor length",
    server: () => ({ routes: { "/": new Response(null, { status: 204 }) } }),
    exchange: ask("GET /", { status: 204, body: "" }),
  },
  {
    name: "a redirect is kept whole",
    server: () => ({
      routes: { "/": Response.redirect("http://localhost/next", 307) },
    }),
    exchange: ask("GET /", {
      status: 307,
      headers: { location: "http://localhost/next" },
      body: "",
    }),
  },
  {
    name: "several Set-Cookie lines stay apart",
    server: () => ({
      routes: {
        "/": new Response("a", {
          headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]],
        }),
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "set-cookie": ["a=1", "b=2"] },
    }),
  },
  {
    name: "Range is ignored",
    server: hello,
    exchange: ask("GET /", {
      status: 200,
      headers: { "content-range": null },
      body: "hello",
    }, { headers: { Range: "bytes=0-1" } }),
  },
  {
    name: "a large body arrives whole",
    server: () => ({ routes: { "/": new Response("x".repeat(300_000)) } }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "content-length": "300000" },
      body: "x".repeat(300_000),
    }),
  },
  {
    name: "a params pattern can hold one",
    server: () => ({ routes: { "/a/:id": new Response("any") } }),
    exchange: [
      ask("GET /a/b", { status: 200, body: "any" }),
      ask("GET /a/", { status: 404 }),
    ],
  },
  {
    name: "the Response is read when the server starts",
    server: () => {
      const response = new Response("before", { headers: { "x-a": "before" } });
      return {
        routes: {
          "/": response,
          "/change": () => {
            response.headers.set("x-a", "after");
            return new Response("changed");
          },
        },
      };
    },
    exchange: [
      ask("GET /change", { status: 200, body: "changed" }),
      ask("GET /", {
        status: 200,
        headers: { "x-a": "before" },
        body: "before",
      }),
    ],
  },
  {
    name: "one Response may stand under two paths",
    server: () => {
      const response = new Response("shared");
      return { routes: { "/a": response, "/b": response } };
    },
    exchange: [
      ask("GET /a", { status: 200, body: "shared" }),
      ask("GET /b", { status: 200, body: "shared" }),
    ],
  },
];
