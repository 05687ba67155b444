import {
  ask,
  type CaseApi,
  type CaseOptions,
  type ConformanceCase,
  lines,
  request,
  table,
} from "../case.ts";
import { valuesOf } from "../headers.ts";

const site = (api: CaseApi): CaseOptions => ({
  routes: { "/s/*": { dir: `${api.fixtures}/site` } },
  fetch: () => new Response("fetch"),
});

const rootSite = (api: CaseApi): CaseOptions => ({
  routes: { "/*": { dir: `${api.fixtures}/site` } },
});

const found: [target: string, body: string][] = [
  ["/s/about.html", "<p>about</p>"],
  ["/s/", "<p>home</p>"],
  ["/s/?query", "<p>home</p>"],
  ["/s/index.html", "<p>home</p>"],
  ["/s/docs/", "<p>docs</p>"],
  ["/s/docs/page.txt", "docs page"],
  ["/s/with%20space.txt", "space"],
  ["/s/%C3%BCn%C3%AF.txt", "unicode"],
  ["/s/percent%2541.txt", "percent"],
  ["/s/.hidden", "hidden"],
  ["/s/inward.html", "<p>about</p>"],
  ["/s/about.html?../x", "<p>about</p>"],
];

const missing = [
  "/s/missing.txt",
  "/s/docs/missing.txt",
  "/s/about.html/",
  "/s/about.html/x",
  "/s/bare/",
  "/s/hollow/",
  "/s/percent%41.txt",
  "/s/About.html",
  "/s/loop.txt",
  "/s/outward.txt",
  "/s/outward/file.txt",
  "/s/outward",
  "/s/outward/",
  "/s//about.html",
  "/s/docs//page.txt",
  "/s/about.html%00",
  "/s/%00",
  "/s/about.html%00.txt",
  "/s/" + "a".repeat(300),
  "/s/" + "a/".repeat(2000),
  "/s/docs%2Fpage.txt",
  "/s/docs%2fpage.txt",
  "/s/%zz",
  "/s/%",
  "/s/%FF",
  "/s/con",
  "/s/__proto__",
  "/s/constructor",
];

/** Redirects to the trailing slash, and where they must lead. */
const redirects: [target: string, location: string][] = [
  ["/s/docs", "/s/docs/"],
  ["/s/docs?a=b&c", "/s/docs/?a=b&c"],
  ["/s/evil.com", "/s/evil.com/"],
  ["/s/bare", "/s/bare/"],
];

export const cases: ConformanceCase[] = [
  ...table(found, ([target, body]) => ({
    name: `${target} is found`,
    server: site,
    exchange: ask(`GET ${target}`, { status: 200, body }),
  })),
  ...table(missing, (target) => ({
    name: `${target.slice(0, 40)} is 404`,
    server: site,
    exchange: ask(`GET ${target}`, {
      status: 404,
      body: /^((?!secret|docs page|about).)*$/s,
    }),
  })),
  ...table(redirects, ([target, location]) => ({
    name: `${target} redirects to ${location}`,
    server: site,
    exchange: ask(`GET ${target}`, { status: 301, headers: { location } }),
  })),
  {
    name: "the prefix without its slash is not the directory's",
    server: site,
    exchange: ask("GET /s", { status: 200, body: "fetch" }),
  },
  {
    name: "the prefix must be whole",
    server: site,
    exchange: ask("GET /sabout.html", { status: 200, body: "fetch" }),
  },
  {
    name: "a file has type, length, date, tag and ranges",
    server: site,
    exchange: ask("GET /s/about.html", {
      status: 200,
      headers: {
        "content-type": /^text\/html;\s?charset=utf-8$/i,
        "content-length": "12",
        "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT",
        etag: /^W\/"[^"]+"$/,
        "accept-ranges": "bytes",
      },
    }),
  },
  {
    name: "HEAD has the head of GET",
    server: site,
    exchange: ask("HEAD /s/about.html", {
      status: 200,
      headers: { "content-length": "12", etag: /^W\/"/ },
    }),
  },
  {
    name: "the tag revalidates",
    server: site,
    exchange: [
      ask("GET /s/about.html", { status: 200 }),
      {
        send: (seen) =>
          request("GET /s/about.html", {
            headers: {
              "If-None-Match": valuesOf(seen[0]!.headers, "etag")[0]!,
            },
          }),
      },
      { receive: { status: 304, headers: { etag: /^W\/"/ } } },
    ],
  },
  {
    name: "the date revalidates",
    server: site,
    exchange: ask("GET /s/about.html", { status: 304 }, {
      headers: { "If-Modified-Since": "Wed, 01 Jan 2020 00:00:00 GMT" },
    }),
  },
  {
    name: "a range of a file",
    server: site,
    exchange: ask("GET /s/about.html", {
      status: 206,
      headers: { "content-range": "bytes 3-7/12" },
      body: "about",
    }, { headers: { Range: "bytes=3-7" } }),
  },
  {
    name: "an unsatisfiable range",
    server: site,
    exchange: ask("GET /s/about.html", {
      status: 416,
      headers: { "content-range": "bytes */12" },
    }, { headers: { Range: "bytes=12-" } }),
  },
  {
    name: "If-Range never matches a weak tag",
    server: site,
    exchange: [
      ask("GET /s/about.html", { status: 200 }),
      {
        send: (seen) =>
          request("GET /s/about.html", {
            headers: {
              Range: "bytes=3-7",
              "If-Range": valuesOf(seen[0]!.headers, "etag")[0]!,
            },
          }),
      },
      { receive: { status: 200, body: "<p>about</p>" } },
    ],
  },
  {
    name: "POST gets the file too",
    server: site,
    exchange: ask("POST /s/about.html", { status: 200, body: "<p>about</p>" }),
  },
  {
    name: "a more specific route wins",
    server: (api) => ({
      routes: {
        "/s/*": { dir: `${api.fixtures}/site` },
        "/s/about.html": () => new Response("route"),
      },
    }),
    exchange: [
      ask("GET /s/about.html", { status: 200, body: "route" }),
      ask("GET /s/docs/page.txt", { status: 200, body: "docs page" }),
    ],
  },
  {
    name: "at the root, the root is index.html",
    server: rootSite,
    exchange: [
      ask("GET /", { status: 200, body: "<p>home</p>" }),
      ask("GET /docs", { status: 301, headers: { location: "/docs/" } }),
    ],
  },
  ...table(
    [
      "//evil.com",
      "///evil.com",
      "/\\evil.com",
      "//evil.com?x",
      "/%2Fevil.com",
    ],
    (target): ConformanceCase => ({
      name: `${target} never redirects off the site`,
      server: rootSite,
      exchange: [
        { send: lines(`GET ${target} HTTP/1.1`, "Host: localhost", "") },
        {
          receive: {
            status: [400, 404],
            headers: { location: null },
          },
        },
      ],
    }),
  ),
  {
    name: "a prefix of two slashes redirects within the site",
    server: (api) => ({
      routes: { "//evil.com/*": { dir: `${api.fixtures}/site` } },
    }),
    exchange: ask("GET //evil.com/docs", {
      status: 301,
      // A second slash or a backslash after the first would name a host.
      headers: { location: /^\/(?![/\\]).*\/docs\/$/ },
    }),
    bun: "refuses a directory under a path with empty segments",
  },
  {
    name: "line breaks in a redirected query stay encoded",
    server: site,
    exchange: ask("GET /s/docs?%0d%0aX-Injected:%201", {
      status: 301,
      headers: {
        location: "/s/docs/?%0d%0aX-Injected:%201",
        "x-injected": null,
      },
    }),
  },
];
