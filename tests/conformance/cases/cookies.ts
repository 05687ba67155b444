import {
  ask,
  type CaseCookies,
  type ConformanceCase,
  type ExpectedHeader,
  request,
  table,
} from "../case.ts";
import { valuesOf } from "../headers.ts";

const reading: [cookie: string, pairs: [string, string][]][] = [
  ["a=1", [["a", "1"]]],
  ["a=1; b=2", [["a", "1"], ["b", "2"]]],
  ["a=1;b=2", [["a", "1"], ["b", "2"]]],
  ["a=1; ; b=2;", [["a", "1"], ["b", "2"]]],
  [" a = 1 ", [["a", "1"]]],
  ["a=", [["a", ""]]],
  ["a=b=c", [["a", "b=c"]]],
  ["a=%20b%C3%A4", [["a", " bä"]]],
  ["__proto__=1; constructor=2", [["__proto__", "1"], ["constructor", "2"]]],
];

interface SetRow {
  name: string;
  change: (cookies: CaseCookies) => void;
  lines: (string | RegExp)[];
  bun?: string;
}

const EPOCH = "Expires=[A-Z][a-z]{2}, 0?1 Jan 1970 00:00:00 (GMT|-0000)";

const writing: SetRow[] = [
  {
    name: "set(name, value)",
    change: (cookies) => cookies.set("a", "1"),
    lines: ["a=1; Path=/; SameSite=Lax"],
  },
  {
    name: "set of a value to encode",
    change: (cookies) => cookies.set("a", "b c;ä"),
    lines: ["a=b%20c%3B%C3%A4; Path=/; SameSite=Lax"],
  },
  {
    name: "set(object)",
    change: (cookies) => cookies.set({ name: "a", value: "1" }),
    lines: ["a=1; Path=/; SameSite=Lax"],
  },
  {
    name: "set with every attribute",
    change: (cookies) =>
      cookies.set("a", "1", {
        domain: "example.com",
        path: "/p",
        expires: new Date("Wed, 01 Jan 2020 00:00:00 GMT"),
        maxAge: 60,
        secure: true,
        httpOnly: true,
        partitioned: true,
        sameSite: "strict",
      }),
    lines: [
      "a=1; Domain=example.com; Path=/p; " +
      "Expires=Wed, 01 Jan 2020 00:00:00 GMT; Max-Age=60; Secure; HttpOnly; " +
      "Partitioned; SameSite=Strict",
    ],
  },
  {
    name: "set with sameSite none",
    change: (cookies) =>
      cookies.set("a", "1", { sameSite: "none", secure: true }),
    lines: ["a=1; Path=/; Secure; SameSite=None"],
  },
  {
    name: "set twice: the last one counts",
    change: (cookies) => {
      cookies.set("a", "1");
      cookies.set("a", "2");
    },
    lines: ["a=2; Path=/; SameSite=Lax"],
  },
  {
    name: "set of several",
    change: (cookies) => {
      cookies.set("a", "1");
      cookies.set("b", "2");
    },
    lines: ["a=1; Path=/; SameSite=Lax", "b=2; Path=/; SameSite=Lax"],
  },
  {
    name: "set of __proto__",
    change: (cookies) => cookies.set("__proto__", "1"),
    lines: ["__proto__=1; Path=/; SameSite=Lax"],
  },
  {
    name: "set of several out of order: the last change comes last",
    change: (cookies) => {
      cookies.set("a", "1");
      cookies.set("b", "2");
      cookies.set("a", "3");
    },
    lines: ["b=2; Path=/; SameSite=Lax", "a=3; Path=/; SameSite=Lax"],
  },
  {
    name: "set after delete",
    change: (cookies) => {
      cookies.delete("sent");
      cookies.set("sent", "2");
    },
    lines: ["sent=2; Path=/; SameSite=Lax"],
  },
  {
    name: "delete after set",
    change: (cookies) => {
      cookies.set("a", "1");
      cookies.delete("a");
    },
    lines: [new RegExp(`^a=; Path=/; ${EPOCH}; SameSite=Lax$`)],
  },
  {
    name: "delete of what did not arrive",
    change: (cookies) => cookies.delete("unknown"),
    lines: [new RegExp(`^unknown=; Path=/; ${EPOCH}; SameSite=Lax$`)],
  },
  {
    name: "set of an empty value",
    change: (cookies) => cookies.set("a", ""),
    lines: ["a=; Path=/; SameSite=Lax"],
  },
  {
    name: "set with maxAge 0",
    change: (cookies) => cookies.set("a", "1", { maxAge: 0 }),
    lines: ["a=1; Path=/; Max-Age=0; SameSite=Lax"],
  },
  {
    name: "set with attributes that are undefined",
    change: (cookies) =>
      cookies.set("a", "1", {
        domain: undefined,
        path: undefined,
        expires: undefined,
        maxAge: undefined,
        secure: undefined,
        httpOnly: undefined,
        partitioned: undefined,
        sameSite: undefined,
      }),
    lines: ["a=1; Path=/; SameSite=Lax"],
  },
  {
    name: "set of a name with a prefix",
    change: (cookies) => cookies.set("__Host-a", "1", { secure: true }),
    lines: ["__Host-a=1; Path=/; Secure; SameSite=Lax"],
  },
  {
    name: "set of what arrived",
    change: (cookies) => cookies.set("sent", cookies.get("sent")!),
    lines: ["sent=1; Path=/; SameSite=Lax"],
  },
  {
    name: "reading alone changes nothing",
    change: (cookies) => void cookies.get("sent"),
    lines: [],
  },
];

function expectedLines(lines: SetRow["lines"]): ExpectedHeader {
  if (lines.length === 0) return null;
  const [only] = lines;
  // One header is either exact lines or one pattern.
  return only instanceof RegExp ? only : lines as string[];
}

const ENCODES =
  "percent-encodes line breaks in a value, which leaves them to whoever decodes it";
const QUIETLY = "drops an attribute value that makes no sense";

/** What must be refused instead of breaking a header line, or being lost. */
const refused: [
  name: string,
  change: (cookies: CaseCookies) => void,
  bun?: string,
][] = [
  ["CRLF in a value", (cookies) => cookies.set("a", "b\r\nc"), ENCODES],
  ["NUL in a value", (cookies) => cookies.set("a", "b\0c"), ENCODES],
  ["a control character in a name", (cookies) => cookies.set("a\x01", "b")],
  ["a name beyond ASCII", (cookies) => cookies.set("ä", "b")],
  [
    "a maxAge that is no number",
    (cookies) => cookies.set("a", "b", { maxAge: "soon" }),
    QUIETLY,
  ],
  [
    "an expires that is no date",
    (cookies) => cookies.set("a", "b", { expires: "soon; Secure" }),
  ],
  ["an object without a name", (cookies) => cookies.set({ value: "b" })],
  ["deletion of a bad name", (cookies) => cookies.delete("a;b")],
  ["CRLF in a name", (cookies) => cookies.set("a\r\nX-Injected: 1", "b")],
  ["an equals sign in a name", (cookies) => cookies.set("a=b", "c")],
  ["a semicolon in a name", (cookies) => cookies.set("a;b", "c")],
  ["a space in a name", (cookies) => cookies.set("a b", "c")],
  ["an empty name", (cookies) => cookies.set("", "c")],
  [
    "CRLF in a path",
    (cookies) => cookies.set("a", "b", { path: "/\r\nX-Injected: 1" }),
  ],
  [
    "a semicolon in a path",
    (cookies) => cookies.set("a", "b", { path: "/; Secure" }),
  ],
  ["NUL in a path", (cookies) => cookies.set("a", "b", { path: "/\0" })],
  [
    "CRLF in a domain",
    (cookies) => cookies.set("a", "b", { domain: "a\r\nX-Injected: 1" }),
  ],
  [
    "a semicolon in a domain",
    (cookies) => cookies.set("a", "b", { domain: "a; Secure" }),
  ],
  [
    "an unknown sameSite",
    (cookies) => cookies.set("a", "b", { sameSite: "lax\r\nX-Injected: 1" }),
  ],
];

export const cases: ConformanceCase[] = [
  ...table(reading, ([cookie, pairs]) => ({
    name: `Cookie: ${cookie}`,
    server: () => ({
      routes: { "/": (request) => Response.json([...request.cookies]) },
    }),
    exchange: ask("GET /", { status: 200, body: JSON.stringify(pairs) }, {
      headers: { Cookie: cookie },
    }),
  })),
  {
    name: "what is missing is null, has is honest, size counts",
    server: () => ({
      routes: {
        "/": ({ cookies }) =>
          Response.json([
            cookies.get("a"),
            cookies.get("missing"),
            cookies.get("__proto__"),
            cookies.get("constructor"),
            cookies.has("a"),
            cookies.has("toString"),
            cookies.size,
            cookies.toJSON(),
          ]),
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      body: '["1",null,null,null,true,false,2,{"a":"1","b":"2"}]',
    }, { headers: { Cookie: "a=1; b=2" } }),
  },
  {
    name: "a malformed Cookie header harms nobody",
    server: () => ({
      routes: {
        "/": (request) => new Response(String(request.cookies.size >= 0)),
      },
    }),
    exchange: [
      ask("GET /", { status: 200, body: "true" }, {
        headers: { Cookie: "=; ;;=;a;%;%zz=%zz;=a" },
      }),
      ask("GET /", { status: 200, body: "true" }, {
        headers: { Cookie: "a=%ff%zz" },
      }),
    ],
  },
  {
    name: "a request without cookies has an empty map",
    server: () => ({
      routes: { "/": (request) => Response.json([...request.cookies]) },
    }),
    exchange: ask("GET /", { status: 200, body: "[]" }),
  },
  ...table(writing, ({ name, change, lines, bun }) => ({
    name,
    server: () => ({
      routes: {
        "/": (request) => {
          change(request.cookies);
          return new Response("done");
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "set-cookie": expectedLines(lines) },
      body: "done",
    }, { headers: { Cookie: "sent=1" } }),
    bun,
  })),
  {
    name: "delete expires the cookie in the past",
    server: () => ({
      routes: {
        "/": (request) => {
          request.cookies.delete("sent");
          return Response.json([
            request.cookies.get("sent"),
            request.cookies.has("sent"),
          ]);
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "set-cookie":
          /^sent=; Path=\/; Expires=[A-Z][a-z]{2}, 0?1 Jan 1970 00:00:00 (GMT|-0000); SameSite=Lax$/,
      },
      body: "[null,false]",
    }, { headers: { Cookie: "sent=1" } }),
  },
  {
    name: "delete with domain and path",
    server: () => ({
      routes: {
        "/": (request) => {
          request.cookies.delete("sent", { domain: "example.com", path: "/p" });
          return new Response("done");
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: {
        "set-cookie": /^sent=; Domain=example\.com; Path=\/p; Expires=/,
      },
    }),
  },
  {
    name: "what was set is read back",
    server: () => ({
      routes: {
        "/": ({ cookies }) => {
          cookies.set("a", "b c");
          return Response.json([cookies.get("a"), cookies.has("a")]);
        },
      },
    }),
    exchange: ask("GET /", { status: 200, body: '["b c",true]' }),
  },
  ...table(refused, ([name, change, bun]) => ({
    name: `${name} is refused`,
    server: () => ({
      routes: {
        "/": (request) => {
          change(request.cookies);
          return new Response("done");
        },
      },
      error: (error) =>
        new Response(error instanceof TypeError ? "refused" : String(error), {
          status: 555,
        }),
    }),
    exchange: ask("GET /", {
      status: 555,
      headers: { "set-cookie": null, "x-injected": null },
      body: "refused",
    }),
    bun,
  })),
  {
    name: "changes are added to a Set-Cookie of the handler's",
    server: () => ({
      routes: {
        "/": (request) => {
          request.cookies.set("b", "2");
          return new Response("done", { headers: { "Set-Cookie": "a=1" } });
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      headers: { "set-cookie": ["a=1", "b=2; Path=/; SameSite=Lax"] },
    }),
  },
  {
    name: "changes reach every kind of response",
    server: (api) => {
      const changed = (make: () => unknown) =>
      (request: {
        cookies: CaseCookies;
      }) => {
        request.cookies.set("a", "1");
        return make();
      };
      const reused = new Response(null, { headers: { "X-A": "b" } });
      return {
        routes: {
          "/redirect": changed(() => Response.redirect("http://localhost/b")),
          "/stream": changed(() => new Response(new Blob(["s"]).stream())),
          "/file": changed(() =>
            new Response(api.file(`${api.fixtures}/digits.txt`))
          ),
          "/reused": changed(() => reused),
          "/json": changed(() => Response.json({})),
          "/later": changed(async () => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            return new Response("later");
          }),
          "/fetched": changed(() => fetch("data:text/plain,fetched")),
          "/not-modified": changed(() => new Response(null, { status: 304 })),
          "/error": changed(() => {
            throw new Error("boom");
          }),
        },
        error: () => new Response("handled", { status: 555 }),
      };
    },
    exchange: ([
      ["/redirect", 302],
      ["/stream", 200],
      ["/file", 200],
      ["/reused", 200],
      ["/json", 200],
      ["/later", 200],
      ["/fetched", 200],
      ["/not-modified", 304],
      ["/error", 555],
    ] as const).map(([path, status]) =>
      ask(`GET ${path}`, {
        status,
        headers: { "set-cookie": "a=1; Path=/; SameSite=Lax" },
      })
    ),
  },
  {
    name: "changes reach an answer without a Response",
    server: () => ({
      routes: { "/": (request) => request.cookies.set("a", "1") },
    }),
    exchange: ask("GET /", {
      status: 204,
      headers: { "set-cookie": "a=1; Path=/; SameSite=Lax" },
    }),
    bun: "drops changes when a handler returns nothing",
  },
  {
    name: "changes reach a failure that nobody handles",
    server: (api) => ({
      routes: {
        "/throw": (request) => {
          request.cookies.set("a", "1");
          throw new Error("boom");
        },
        "/missing": (request) => {
          request.cookies.set("a", "1");
          return new Response(api.file(`${api.fixtures}/missing`));
        },
      },
    }),
    exchange: ["/throw", "/missing"].map((path) =>
      ask(`GET ${path}`, {
        status: 500,
        headers: { "set-cookie": "a=1; Path=/; SameSite=Lax" },
        body: "Something went wrong!",
      })
    ),
    bun: "drops changes when a handler fails and there is no error handler",
  },
  {
    name: "changes reach HEAD",
    server: () => ({
      routes: {
        "/": (request) => {
          request.cookies.set("a", "1");
          return new Response("body");
        },
      },
    }),
    exchange: ask("HEAD /", {
      status: 200,
      headers: {
        "set-cookie": "a=1; Path=/; SameSite=Lax",
        "content-length": "4",
      },
    }),
  },
  {
    name: "changes after an await are sent",
    server: () => ({
      routes: {
        "/": async (request) => {
          const { cookies } = request;
          const name = await request.text();
          cookies.set(name, "1");
          return new Response("done");
        },
      },
    }),
    exchange: ask("POST /", {
      status: 200,
      headers: { "set-cookie": "late=1; Path=/; SameSite=Lax" },
    }, { body: "late" }),
  },
  {
    name: "a Response that is answered again does not gather cookies",
    server: () => {
      const empty = new Response(null, { status: 202 });
      return {
        routes: {
          "/:name": (request) => {
            request.cookies.set(request.params.name!, "1");
            return empty;
          },
        },
      };
    },
    exchange: ["a", "b"].map((name) =>
      ask(`GET /${name}`, {
        status: 202,
        headers: { "set-cookie": `${name}=1; Path=/; SameSite=Lax` },
      })
    ),
  },
  {
    name: "fetch has no cookies",
    server: () => ({
      fetch: (request) => new Response(typeof request.cookies),
    }),
    exchange: ask("GET /", { status: 200, body: "undefined" }),
  },
  {
    name: "iteration, keys and values agree, changes included",
    server: () => ({
      routes: {
        "/": ({ cookies }) => {
          cookies.set("b", "3");
          cookies.delete("c");
          const pairs: [string, string][] = [];
          for (const pair of cookies) pairs.push(pair);
          return Response.json([pairs, cookies.size, cookies.toJSON()]);
        },
      },
    }),
    exchange: ask("GET /", {
      status: 200,
      body: '[[["b","3"],["a","1"]],2,{"b":"3","a":"1"}]',
    }, { headers: { Cookie: "a=1; b=2; c=3" } }),
  },
  {
    name: "of two cookies with one name, the first is the more specific",
    server: () => ({
      routes: { "/": ({ cookies }) => new Response(cookies.get("a")) },
    }),
    exchange: ask("GET /", { status: 200, body: "1" }, {
      headers: { Cookie: "a=1; b=2; a=3" },
    }),
  },
  {
    name: "several Cookie lines make one map",
    server: () => ({
      routes: { "/": (request) => Response.json([...request.cookies]) },
    }),
    exchange: ask("GET /", { status: 200, body: '[["a","1"],["b","2"]]' }, {
      headers: { Cookie: ["a=1", "b=2"] },
    }),
  },
  {
    name: "what a browser sends back is what was set",
    server: () => ({
      routes: {
        "/set": (request) => {
          request.cookies.set("a", 'ä;, "\\%41');
          return new Response("set");
        },
        "/get": (request) => new Response(request.cookies.get("a")),
      },
    }),
    exchange: [
      ask("GET /set", { status: 200 }),
      {
        send: (seen) =>
          request("GET /get", {
            headers: {
              Cookie: valuesOf(seen[0]!.headers, "set-cookie")[0]!
                .replace(/;.*/, ""),
            },
          }),
      },
      { receive: { status: 200, body: 'ä;, "\\%41' } },
    ],
  },
  {
    name: "cookies of one request do not leak into the next",
    server: () => ({
      routes: {
        "/set": (request) => {
          request.cookies.set("a", "1");
          return new Response("set");
        },
        "/plain": (request) => new Response(String(request.cookies.get("a"))),
      },
    }),
    exchange: [
      ask("GET /set", { status: 200 }),
      ask("GET /plain", {
        status: 200,
        headers: { "set-cookie": null },
        body: "null",
      }),
    ],
  },
];
