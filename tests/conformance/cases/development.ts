import {
  ask,
  type CaseHandler,
  type CaseOptions,
  type ConformanceCase,
  type ResponseFacts,
  table,
} from "../case.ts";

// The page shows source around each frame. So that a text found on it was not
// found in an excerpt, these functions are far from the texts to look for.

function boom(): Error {
  return new Error("bo" + "om");
}

/** Throws what `make` makes, from a line that can be looked for. */
function thrower(make: () => unknown): CaseHandler {
  return function failingHandler() {
    throw make(); // the line that failed
  };
}

/** Looks at what must stay secret before it fails. */
async function readingThrower(request: Request): Promise<never> {
  request.headers.get("authorization");
  await request.text();
  throw boom();
}

/** A development server whose every request fails. */
function failing(make: () => unknown): () => CaseOptions {
  return () => ({ development: true, fetch: thrower(make) });
}

const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

const html = /^text\/html;\s?charset=utf-8$/i;
const plain = /^text\/plain;\s?charset=utf-8$/i;

/** A body that has all of these texts. */
function having(...texts: string[]): RegExp {
  return new RegExp(texts.map((text) => `(?=[^]*${escaped(text)})`).join(""));
}

/** A body that has none of these texts. */
function lacking(...texts: string[]): RegExp {
  return new RegExp(`^(?![^]*(?:${texts.map(escaped).join("|")}))`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

const OWN_PAGE = "sends a page of its own making";
const TO_ALL = "sends its HTML page to everybody";

const accepts: [accept: string | undefined, type: RegExp][] = [
  ["text/html", html],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", html],
  ["application/json, TEXT/HTML;q=0.1", html],
  [undefined, plain],
  ["*/*", plain],
  ["application/json", plain],
  ["text/plain", plain],
  ["text/event-stream", plain],
  ["text/html;q=0", plain],
  ["text/htmlx", plain],
  [",;,", plain],
];

/** Texts that must not come out of the page as they went in. */
const hostile = [
  "<script>alert(1)</script>",
  "</pre><img src=x onerror=alert(1)>",
  "</title></style><svg onload=alert(1)>",
  '"><body onload=alert(1)>',
  "<!--<iframe src=//evil.com>",
];

const unescaped = lacking(
  "<script",
  "<img",
  "<svg",
  "<body onload",
  "<iframe",
  "<!--",
);

/** Ways to smuggle a text into an error. */
const carriers: [name: string, make: (text: string) => unknown][] = [
  ["message", (text) => new Error(text)],
  ["name", (text) => Object.assign(new Error("boom"), { name: text })],
  ["code", (text) => Object.assign(new Error("boom"), { code: text })],
  ["stack", (text) =>
    Object.assign(new Error("boom"), {
      stack: `Error: boom\n    at ${text} (file:///${text}.ts:1:1)\n${text}`,
    })],
  ["cause", (text) => new Error("boom", { cause: new Error(text) })],
  ["thrown string", (text) => text],
  ["thrown object", (text) => ({ [text]: text })],
];

/** What is no error, or makes trouble when it is looked at. */
const oddValues: [name: string, make: () => unknown][] = [
  ["undefined", () => undefined],
  ["null", () => null],
  ["a symbol", () => Symbol("odd")],
  ["a Response", () => new Response("not the answer", { status: 200 })],
  ["an error whose getters throw", () => {
    const trap = {
      get(): never {
        throw new Error("trap");
      },
    };
    return Object.defineProperties(new Error("boom"), {
      message: trap,
      name: trap,
      stack: trap,
      cause: trap,
    });
  }],
  ["a Proxy whose traps throw", () =>
    new Proxy({}, {
      get() {
        throw new Error("trap");
      },
      getPrototypeOf() {
        throw new Error("trap");
      },
      ownKeys() {
        throw new Error("trap");
      },
    })],
  ["an error that is its own cause", () => {
    const error = new Error("circular");
    error.cause = error;
    return error;
  }],
];

/** What `error` may do that leaves the answer to the page. */
const declines: [name: string, result: () => unknown][] = [
  ["returns nothing", () => undefined],
  ["resolves to nothing", () => Promise.resolve()],
];

/** A page in pieces, however it is laid out. */
function page(...texts: string[]): ResponseFacts & { status: number } {
  return {
    status: 500,
    headers: { "content-type": html },
    body: having(...texts),
  };
}

export const cases: ConformanceCase[] = [
  ...table(accepts, ([accept, type]) => ({
    name: `Accept: ${accept} gets ${type === html ? "a page" : "plain text"}`,
    server: failing(boom),
    exchange: ask("GET /", {
      status: 500,
      headers: { "content-type": type },
      body: having("boom"),
    }, { headers: accept === undefined ? {} : { Accept: accept } }),
    bun: type === plain ? TO_ALL : undefined,
  })),
  {
    name: "the page is a document that loads nothing and is not kept",
    server: failing(() => new RangeError("out of bounds")),
    exchange: ask("GET /", {
      status: 500,
      headers: {
        "content-type": html,
        "cache-control": "no-store",
        "content-security-policy": /default-src 'none'/,
        "x-content-type-options": "nosniff",
      },
      body:
        /^<!DOCTYPE html>\n<html lang="en">(?=[^]*<title>RangeError: out of bounds<\/title>)(?=[^]*<h1>RangeError<\/h1>)(?![^]*(<script|<link|<img|@import|url\())[^]*<\/html>\n$/,
    }, { headers: browser }),
    bun: OWN_PAGE,
  },
  {
    name: "the page shows the request line without its query",
    server: failing(boom),
    exchange: [
      ask(
        "GET /orders/7?token=opensesame",
        page("<b>GET</b>", ">/orders/7</span>", ">500 Internal Server Error<"),
        { headers: browser },
      ),
      ask("DELETE /orders/7?token=opensesame", {
        status: 500,
        body: lacking("opensesame"),
      }, { headers: browser }),
      ask("GET /orders/7?token=opensesame", {
        status: 500,
        body: lacking("opensesame"),
      }),
    ],
    bun: OWN_PAGE,
  },
  {
    name: "the page shows the stack with source around the frame",
    server: failing(() => new TypeError("boom")),
    exchange: ask(
      "GET /",
      page(
        "failingHandler",
        "development.ts",
        '<pre class="source">',
        "the line that failed",
        "<mark>",
      ),
      { headers: browser },
    ),
    bun: OWN_PAGE,
  },
  {
    name: "the page shows code, causes and members",
    server: failing(() =>
      new AggregateError(
        [new Error("first member"), new Error("second member")],
        "several",
        { cause: Object.assign(new Error("root"), { code: "EROOT" }) },
      )
    ),
    exchange: ask(
      "GET /",
      page(
        "<h1>AggregateError</h1>",
        ">several</p>",
        ">Caused by<",
        ">root</p>",
        ">EROOT</code>",
        ">first member</p>",
        ">second member</p>",
      ),
      { headers: browser },
    ),
    bun: OWN_PAGE,
  },
  {
    name: "plain text has message and stack, and no markup",
    server: failing(() => new RangeError("a < b & c")),
    exchange: ask("GET /", {
      status: 500,
      headers: { "content-type": plain, "x-content-type-options": "nosniff" },
      body: /^RangeError: a < b & c\n {4}at [^]*failingHandler/,
    }),
    bun: TO_ALL,
  },
  ...table(carriers, ([name, make]) => ({
    name: `markup in the ${name} is escaped`,
    server: () => ({
      development: true,
      routes: Object.fromEntries(
        hostile.map((text, index) => [
          `/${index}`,
          thrower(() => make(text)),
        ]),
      ),
    }),
    exchange: hostile.map((_, index) =>
      ask(`GET /${index}`, {
        status: 500,
        headers: { "content-type": html },
        body: unescaped,
      }, { headers: browser })
    ),
    bun: OWN_PAGE,
  })),
  {
    name: "markup in the request line is escaped",
    server: failing(boom),
    exchange: [
      ask("GET /'&lt;x", {
        status: 500,
        headers: { "content-type": html },
        body: lacking("'&lt;x"),
      }, { headers: browser }),
      ask("GET /<script>", {
        status: 500,
        headers: { "content-type": html },
        body: lacking("<script"),
      }, { headers: browser }),
    ],
    bun: OWN_PAGE,
  },
  {
    name: "no header value, cookie, content or environment is shown",
    server: () => ({
      development: true,
      fetch: readingThrower,
    }),
    exchange: [browser, {}].map((headers) =>
      ask("POST /", {
        status: 500,
        body: lacking("hunter2", "swordfish", "opensesame", "PATH=", "HOME="),
      }, {
        headers: {
          ...headers,
          Authorization: "Bearer hunter2",
          Cookie: "session=swordfish",
        },
        body: "opensesame",
      })
    ),
  },
  {
    name: "a stack in an error's text cannot make it show a file",
    server: (api) => ({
      development: true,
      fetch: thrower(() => {
        const error = new Error("boom");
        error.stack = [
          "Error: boom",
          `    at data (file://${api.fixtures}/data.json:1:1)`,
          `    at data (${api.fixtures}/data.json:1:1)`,
          "    at passwd (file:///etc/passwd:1:1)",
        ].join("\n");
        return error;
      }),
    }),
    exchange: ask("GET /", {
      status: 500,
      headers: { "content-type": html },
      body: lacking("&quot;a&quot;", '{"a"', "root:"),
    }, { headers: browser }),
  },
  ...table(oddValues, ([name, make]) => ({
    name: `${name} has a page and a text too`,
    server: failing(make),
    exchange: [
      ask("GET /", { status: 500, headers: { "content-type": html } }, {
        headers: browser,
      }),
      ask("GET /", { status: 500, headers: { "content-type": plain } }),
    ],
    bun: TO_ALL,
  })),
  {
    name: "a message of a mebibyte makes no page of a mebibyte",
    server: failing(() => new Error("x".repeat(1_048_576))),
    exchange: [browser, {}].map((headers) =>
      ask("GET /", { status: 500, body: /^[^]{100,200000}$/ }, { headers })
    ),
    bun: "shows all of a message, however long",
  },
  {
    name: "HEAD has the head of the page",
    server: failing(boom),
    exchange: [
      ask("HEAD /", { status: 500, headers: { "content-type": html } }, {
        headers: browser,
      }),
      ask("GET /", { status: 500 }, { headers: browser }),
    ],
  },
  {
    name: "a rejection has a page",
    server: () => ({
      development: true,
      routes: {
        "/reject": () => Promise.reject(new Error("rejected")),
        "/throw": async () => {
          await null;
          throw new Error("thrown late");
        },
      },
    }),
    exchange: [
      ask("GET /reject", page(">rejected</p>"), { headers: browser }),
      ask("GET /throw", page(">thrown late</p>"), { headers: browser }),
    ],
    bun: OWN_PAGE,
  },
  {
    name: "a missing file has a page",
    server: (api) => ({
      development: true,
      fetch: () => new Response(api.file(`${api.fixtures}/missing`)),
    }),
    exchange: ask("GET /", page(">ENOENT</code>"), { headers: browser }),
    bun: OWN_PAGE,
  },
  {
    name: "a stream that fails at once has a page",
    server: () => ({
      development: true,
      fetch: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.error(new Error("stream failed"));
            },
          }),
        ),
    }),
    exchange: ask("GET /", page(">stream failed</p>"), { headers: browser }),
    bun: "hangs up without an answer when a stream fails at once",
  },
  ...table(declines, ([name, result]) => ({
    name: `the page is sent when error ${name}`,
    server: () => ({
      development: true,
      fetch: thrower(boom),
      error: result,
    }),
    exchange: ask("GET /", page("boom"), { headers: browser }),
  })),
  {
    name: "an error inside error is a bare 500 in development too",
    server: () => ({
      development: true,
      fetch: thrower(() => new Error("first")),
      error: () => {
        throw new Error("second");
      },
    }),
    exchange: ask("GET /", {
      status: 500,
      headers: { "content-type": /^text\/plain/ },
      body: "Something went wrong!",
    }, { headers: browser }),
    bun: "shows its page for the first error",
  },
  {
    name: "what is not found has no page",
    server: () => ({
      development: true,
      routes: { "/a": () => new Response("a") },
    }),
    exchange: ask("GET /b", { status: 404, body: "" }, { headers: browser }),
  },
  {
    name: "development may be an object",
    server: () =>
      ({
        development: { hmr: true, console: true },
        fetch: thrower(boom),
      }) as unknown as CaseOptions,
    exchange: [
      ask("GET /", page("boom"), { headers: browser }),
      { run: (server, api) => api.log(String(server.development)) },
    ],
    log: ["true"],
  },
  ...table([true, false], (development) => ({
    name: development
      ? "a handler that returns no Response is warned about"
      : "production does not warn about a handler that returns no Response",
    server: (api) => {
      const { warn } = console;
      return {
        development,
        routes: {
          "/orders": () => {
            console.warn = (text) => api.log(`warned: ${text}`);
            return "text";
          },
          "/restore": () => {
            console.warn = warn;
            return new Response("restored");
          },
        },
      };
    },
    exchange: [
      ask("POST /orders", { status: 204 }),
      ask("GET /restore", { status: 200 }),
    ],
    log: development
      ? [/^warned: .*POST .*\/orders.* string .*Response.*204/]
      : [],
    bun: development ? "sends a welcome page instead of 204" : undefined,
  })),
];
