import {
  ask,
  type CaseApi,
  type CaseCookies,
  type CaseHandler,
  type CaseOptions,
  type ConformanceCase,
  latin1,
  lines,
  type Payload,
  table,
} from "../case.ts";

/** Ways to leave a served directory, tried on `/s/*` and at the root. */
const traversals: (string | Uint8Array<ArrayBuffer>)[] = [
  "../secret.txt",
  "../../secret.txt",
  "docs/../../secret.txt",
  "./../secret.txt",
  ".../secret.txt",
  "....//secret.txt",
  "..;/secret.txt",
  "..//secret.txt",
  "%2e%2e/secret.txt",
  "%2E%2E/secret.txt",
  ".%2e/secret.txt",
  "%2e./secret.txt",
  "..%2fsecret.txt",
  "..%2Fsecret.txt",
  "%2e%2e%2fsecret.txt",
  "%252e%252e/secret.txt",
  "%252e%252e%252fsecret.txt",
  "..%252fsecret.txt",
  "..\\secret.txt",
  "..%5csecret.txt",
  "..%5Csecret.txt",
  "%2e%2e%5csecret.txt",
  "..%255csecret.txt",
  "%c0%ae%c0%ae/secret.txt",
  "%c0%ae%c0%ae%c0%afsecret.txt",
  "..%c0%afsecret.txt",
  "%e0%80%ae%e0%80%ae/secret.txt",
  "%uff0e%uff0e/secret.txt",
  "%u002e%u002e/secret.txt",
  "．．/secret.txt",
  "..%00/secret.txt",
  "about.html%00/../../secret.txt",
  "%00../secret.txt",
  "/etc/passwd",
  "//etc/passwd",
  "%2fetc%2fpasswd",
  "../site-secret/file.txt",
  "../site/../secret.txt",
  "%2e%2e/site-secret/file.txt",
  "..%2fsite-secret%2ffile.txt",
  "docs/%2e%2e/%2e%2e/secret.txt",
  "../".repeat(50) + "etc/passwd",
  "%2e%2e%2f".repeat(50) + "etc/passwd",
  latin1("\xc0\xae\xc0\xae/secret.txt"),
  latin1("..\xc0\xafsecret.txt"),
  "file:///etc/passwd",
  "C:/secret.txt",
];

function toName(path: Payload): string {
  return typeof path === "string"
    ? path.slice(0, 40)
    : Array.from(path, (byte) =>
      byte < 128 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)
      .join("");
}

function getRaw(prefix: string, path: Payload): Uint8Array<ArrayBuffer> {
  const text = typeof path === "string" ? new TextEncoder().encode(path) : path;
  const before = latin1(`GET ${prefix}`);
  const after = latin1(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const bytes = new Uint8Array(before.length + text.length + after.length);
  bytes.set(before);
  bytes.set(text, before.length);
  bytes.set(after, before.length + text.length);
  return bytes;
}

/** Nothing of a file outside the directory, and no way to it. */
const nothingOutside = {
  receive: {
    status: [301, 400, 404],
    headers: { location: null },
    body: /^((?!secret|root:).)*$/s,
  },
};

/** What a handler may put where a line break would split the response. */
const injections: [name: string, handler: CaseHandler][] = [
  [
    "a header value with CRLF",
    () => new Response("", { headers: { "X-A": "b\r\nX-Injected: 1" } }),
  ],
  [
    "a header value with LF",
    () => new Response("", { headers: { "X-A": "b\nX-Injected: 1" } }),
  ],
  [
    "a header value with CR",
    () => new Response("", { headers: { "X-A": "b\rX-Injected: 1" } }),
  ],
  [
    "a header value with NUL",
    () => new Response("", { headers: { "X-A": "b\0c" } }),
  ],
  [
    "a header name with CRLF",
    () => new Response("", { headers: { "X-A: b\r\nX-Injected": "1" } }),
  ],
  [
    "a header name with a colon",
    () => new Response("", { headers: { "X-A:": "1" } }),
  ],
  [
    "a status text with CRLF",
    () => new Response("", { statusText: "OK\r\nX-Injected: 1" }),
  ],
  ["a location with CRLF", () =>
    new Response("", {
      status: 302,
      headers: { Location: "/\r\nX-Injected: 1" },
    })],
  [
    "a cookie with CRLF",
    () =>
      new Response("", { headers: { "Set-Cookie": "a=b\r\nX-Injected: 1" } }),
  ],
  ["headers appended with CRLF", () => {
    const response = new Response("");
    response.headers.append("X-A", "b\r\nX-Injected: 1");
    return response;
  }],
  ["a query with CRLF in a header", (request) =>
    new Response("", {
      headers: { "X-A": new URL(request.url).searchParams.get("a")! },
    })],
  [
    "a query with CRLF in a redirect",
    (request) =>
      Response.redirect(
        "http://localhost/" + new URL(request.url).searchParams.get("a"),
      ),
  ],
  ["a header set on a received response", () => {
    const response = new Response("", { headers: { "X-A": "b" } });
    response.headers.set("X-A", "b\r\n\r\nX-Injected: 1");
    return response;
  }],
  [
    "a content type with CRLF",
    () =>
      new Response("", {
        headers: { "Content-Type": "text/plain\r\nX-Injected: 1" },
      }),
  ],
  [
    "bytes of UTF-16 whose low byte is a line break",
    () =>
      new Response("", { headers: { "X-A": "b\u010d\u010aX-Injected: 1" } }),
  ],
];

const ENCODED = "encodes the value";

/** Cookies that no field line may be made of. */
const refusedCookies: [
  name: string,
  set: (cookies: CaseCookies) => void,
  bun?: string,
][] = [
  ["a value with CRLF", (cookies) => cookies.set("a", "b\r\nc"), ENCODED],
  ["a value with LF", (cookies) => cookies.set("a", "b\nc"), ENCODED],
  ["a value with NUL", (cookies) => cookies.set("a", "b\0c"), ENCODED],
  ["a name with CRLF", (cookies) => cookies.set("a\r\nX-Injected: 1", "b")],
  ["a name with NUL", (cookies) => cookies.set("a\0", "b")],
  ["a name with a semicolon", (cookies) => cookies.set("a; Domain", "b")],
  ["a name with an equals sign", (cookies) => cookies.set("a=b; Domain", "c")],
  [
    "a path with CRLF",
    (cookies) => cookies.set("a", "b", { path: "/\r\nX-Injected: 1" }),
  ],
  [
    "a path with a semicolon",
    (cookies) => cookies.set("a", "b", { path: "/; Domain=evil.com" }),
  ],
  [
    "a domain with CRLF",
    (cookies) => cookies.set("a", "b", { domain: "a\r\nX-Injected: 1" }),
  ],
  [
    "a domain with a semicolon",
    (cookies) => cookies.set("a", "b", { domain: "a; Secure" }),
  ],
  [
    "a SameSite with CRLF",
    (cookies) => cookies.set("a", "b", { sameSite: "lax\r\nX-Injected: 1" }),
  ],
  [
    "an option object with CRLF",
    (cookies) => cookies.set({ name: "a\r\nX-Injected: 1", value: "b" }),
  ],
  ["a deletion with CRLF", (cookies) => cookies.delete("a\r\nX-Injected: 1")],
  [
    "a deletion with a path with CRLF",
    (cookies) => cookies.delete("a", { path: "/\r\nX-Injected: 1" }),
  ],
];

/** Cookie values that must be encoded, and what becomes of them. */
const encodedCookies: [value: string, encoded: string][] = [
  ["b; Domain=evil.com", "b%3B%20Domain%3Devil.com"],
  ["b, c=d", "b%2C%20c%3Dd"],
  ['"', "%22"],
  ["\u010d\u010a", "%C4%8D%C4%8A"],
];

const inherited = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "__defineGetter__",
];

/** Asked of a directory at the root, these must not lead to another host. */
const redirects: [line: string, host: string, location: string | null][] = [
  ["GET /evil.com", "localhost", "/evil.com/"],
  ["GET /docs", "evil.com", "/docs/"],
  ["GET http://evil.com/docs", "localhost", "/docs/"],
  ["GET http://evil.com//docs", "localhost", null],
  ["GET http://evil.com", "localhost", null],
  ["GET /docs?//evil.com", "localhost", "/docs/?//evil.com"],
  ["GET //evil.com", "localhost", null],
  ["GET //evil.com/", "localhost", null],
  ["GET //evil.com/..", "localhost", null],
  ["GET //evil.com/%2e%2e", "localhost", null],
  ["GET ///evil.com", "localhost", null],
  ["GET /./evil.com", "localhost", null],
  ["GET /.//evil.com", "localhost", null],
  ["GET /docs/..//evil.com", "localhost", null],
  ["GET /%2fevil.com", "localhost", null],
  ["GET /%5cevil.com", "localhost", null],
  ["GET /\\evil.com", "localhost", null],
  ["GET /\\/evil.com", "localhost", null],
  ["GET /%09/evil.com", "localhost", null],
  ["GET /evil.com%0d%0aX-Injected:1", "localhost", null],
  ["GET //docs", "evil.com", null],
];

export const cases: ConformanceCase[] = [
  ...table(traversals, (path) => ({
    name: `traversal: ${toName(path)}`,
    server: (api: CaseApi): CaseOptions => ({
      routes: { "/s/*": { dir: `${api.fixtures}/site` } },
    }),
    exchange: [
      { send: getRaw("/s/", path) },
      nothingOutside,
    ],
  })),
  ...table(traversals, (path) => ({
    name: `traversal at the root: ${toName(path)}`,
    server: (api: CaseApi): CaseOptions => ({
      routes: { "/*": { dir: `${api.fixtures}/site` } },
    }),
    exchange: [{ send: getRaw("/", path) }, nothingOutside],
  })),
  ...table(injections, ([name, handler]) => ({
    name: `${name} does not split the response`,
    server: () => ({
      routes: { "/route": handler },
      fetch: handler,
      error: () => new Response("refused", { status: 500 }),
    }),
    exchange: ["/route", "/fetch"].map((path) =>
      ask(`GET ${path}?a=b%0d%0aX-Injected:%201`, {
        status: [200, 302, 500],
        headers: { "x-injected": null },
      })
    ),
  })),
  ...table(refusedCookies, ([name, set, bun]) => ({
    name: `a cookie: ${name} is refused`,
    server: (api: CaseApi): CaseOptions => ({
      routes: {
        "/": (request) => {
          try {
            set(request.cookies);
          } catch {
            api.log("refused");
          }
          return new Response("answered");
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "x-injected": null, "set-cookie": null },
      body: "answered",
    }),
    log: ["refused"],
    bun,
  })),
  ...table(encodedCookies, ([value, encoded]) => ({
    name: `a cookie: the value ${JSON.stringify(value)} is encoded`,
    server: () => ({
      routes: {
        "/": (request) => {
          request.cookies.set("a", value);
          return new Response("answered");
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "x-injected": null,
        "set-cookie": `a=${encoded}; Path=/; SameSite=Lax`,
      },
      body: "answered",
    }),
  })),
  ...table(redirects, ([line, host, location]) => ({
    name: `${line} of ${host} stays on the site`,
    server: (api: CaseApi): CaseOptions => ({
      routes: { "/*": { dir: `${api.fixtures}/site` } },
    }),
    exchange: [
      { send: lines(`${line} HTTP/1.1`, `Host: ${host}`, "") },
      {
        receive: {
          status: location === null ? [200, 400, 404] : 301,
          headers: { location, "x-injected": null },
          body: location === null ? /^((?!evil).)*$/s : "",
        },
      },
    ],
  })),
  ...table(inherited, (name) => ({
    name: `${name} is an ordinary cookie, query name and header`,
    server: () => ({
      routes: {
        "/": (request) => {
          const query = new URL(request.url).searchParams;
          return Response.json([
            request.cookies.get(name),
            request.cookies.has(name),
            request.cookies.get("other"),
            query.get(name),
            query.get("other"),
            request.headers.get(name),
            "polluted" in {},
          ]);
        },
      },
    }),
    exchange: [
      ask(`GET /?${name}=query`, {
        status: 200,
        body: '["cookie",true,null,"query",null,"header",false]',
      }, {
        headers: Object.fromEntries([
          [name, "header"],
          ["Cookie", `${name}=cookie`],
        ]),
      }),
      ask("GET /", {
        status: 200,
        body: "[null,false,null,null,null,null,false]",
      }),
    ],
  })),
  ...table(
    [
      ["/%00", "\0"],
      ["/a%00.txt", "a\0.txt"],
      ["/..%2f..%2fsecret.txt", "../../secret.txt"],
      ["/..%5c..%5csecret.txt", "..\\..\\secret.txt"],
      [
        "/%c0%ae%c0%ae",
        "\ufffd\ufffd\ufffd\ufffd",
        "has malformed escapes swallow their neighbours",
      ],
    ],
    ([path, param, bun]) => ({
      name: `${path} is one param`,
      bun,
      server: (): CaseOptions => ({
        routes: {
          "/:name": (request) => Response.json([request.params.name]),
          "/header/:name": (request) =>
            new Response("", { headers: { "X-A": request.params.name! } }),
        },
        error: () => new Response("refused", { status: 500 }),
      }),
      exchange: [
        ask(`GET ${path}`, { status: 200, body: JSON.stringify([param]) }),
        // Whether it fits into a header or not, it fits into one.
        ask(`GET /header${path}`, { status: [200, 500] }),
        ask("GET /a", { status: 200, body: '["a"]' }),
      ],
    }),
  ),
  {
    name: "a file type with CRLF does not split the response",
    server: (api) => ({
      routes: {
        "/route": api.file(`${api.fixtures}/digits.txt`, {
          type: "text/plain\r\nX-Injected: 1",
        }),
        "/handler": () =>
          new Response(
            api.file(`${api.fixtures}/digits.txt`, {
              type: "text/plain\r\nX-Injected: 1",
            }),
          ),
      },
    }),
    exchange: ["/route", "/handler"].map((path) =>
      ask(`GET ${path}`, {
        status: [200, 500],
        headers: { "x-injected": null },
      })
    ),
  },
  {
    name: "a Blob type with CRLF does not split the response",
    server: () => ({
      fetch: () =>
        new Response(
          new Blob(["x"], { type: "text/plain\r\nX-Injected: 1" }),
        ),
    }),
    exchange: ask("GET /", {
      status: [200, 500],
      headers: { "x-injected": null },
    }),
  },
  {
    name: "nothing that a client names ends up on Object.prototype",
    server: () => ({
      routes: {
        "/:__proto__/:constructor": async (request) => {
          request.cookies.set("__proto__", "polluted");
          const form = await request.formData();
          const seen: Record<string, unknown> = {};
          return Response.json([
            "polluted" in seen,
            Object.keys(Object.prototype).length,
            Object.getPrototypeOf(seen) === Object.prototype,
            form.get("__proto__[polluted]"),
          ]);
        },
      },
    }),
    exchange: ask("POST /polluted/polluted?__proto__[polluted]=1", {
      status: 200,
      body: '[false,0,true,"1"]',
    }, {
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        Cookie: "__proto__=polluted; constructor=polluted",
        "__proto__": "polluted",
        "constructor": "polluted",
      },
      body: "__proto__[polluted]=1",
    }),
  },
  {
    name: "a method named like an inherited property is no method of a table",
    server: () => ({
      routes: { "/": { GET: () => new Response("get") } },
      fetch: (request) => new Response("fetch " + request.method),
    }),
    exchange: [
      { send: lines("constructor / HTTP/1.1", "Host: localhost", "") },
      { receive: { status: [200, 400], body: /^(fetch constructor)?$/ } },
    ],
    bun: "closes without an answer on a method in lower case",
  },
  {
    name: "__proto__ as a method is no method of a table",
    server: () => ({
      routes: { "/": { GET: () => new Response("get") } },
      fetch: (request) => new Response("fetch " + request.method),
    }),
    exchange: [
      { send: lines("__proto__ / HTTP/1.1", "Host: localhost", "") },
      { receive: { status: [200, 400], body: /^(fetch __proto__)?$/ } },
    ],
  },
  {
    name: "ten thousand percent signs in a param cost no more than others",
    server: () => ({
      routes: {
        "/:id": (request) => new Response(String(request.params.id!.length)),
      },
    }),
    exchange: ask("GET /" + "%".repeat(10_000), { status: 200, body: "10000" }),
    bun: "has malformed escapes swallow their neighbours",
  },
  {
    name: "a thousand cookies are read",
    server: () => ({
      routes: {
        "/": (request) => new Response(String(request.cookies.size)),
      },
    }),
    exchange: ask("GET /", { status: 200, body: "1000" }, {
      headers: {
        Cookie: Array.from({ length: 1000 }, (_, index) => `c${index}=1`)
          .join("; "),
      },
    }),
  },
  {
    name: "a byte range set made to multiply work is answered whole",
    server: (api) => ({
      routes: { "/": api.file(`${api.fixtures}/digits.txt`) },
    }),
    exchange: ask("GET /", { status: [200, 416] }, {
      headers: { Range: "bytes=" + "0-,".repeat(2000) + "0-" },
    }),
  },
  {
    name: "a list of ten thousand ETags is answered",
    server: () => ({ routes: { "/": new Response("hello") } }),
    exchange: ask("GET /", { status: 200, body: "hello" }, {
      headers: { "If-None-Match": '"a",'.repeat(3000) + '"b"' },
    }),
  },
];
