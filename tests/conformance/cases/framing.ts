import {
  ask,
  type CaseOptions,
  type CaseRequest,
  type ConformanceCase,
  type EngineName,
  latin1,
  lines,
  type Payload,
  request,
  type Step,
  table,
} from "../case.ts";

const NOT_CLOSED =
  "Deno.serve keeps a connection open whatever a handler's Connection says";
const NO_ANSWER =
  "Deno.serve cuts the connection instead of answering broken content";
const ONE_ERROR = "Deno.serve answers every malformed head with 400";

/** Answers with method, path and content, whatever of it can be read. */
const echo = async (request: CaseRequest): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  const content = await request.text().catch(() => "unreadable");
  return new Response(`${request.method} ${pathname}${search} ${content}`);
};

const echoing = (): CaseOptions => ({ fetch: echo });

/** The request that must not be smuggled, and that answers when it is due. */
const next = request("GET /next");
const nextAnswer: Step = { receive: { status: 200, body: "GET /next " } };

/** Bytes that must be refused. */
interface Refused {
  name: string;
  send: Payload;
  /** Default: 400. */
  status?: number | number[];
  /** Why an engine takes it nevertheless. */
  taken?: Partial<Record<EngineName, string>>;
  /** Why an engine answers otherwise. */
  on?: { [Name in EngineName]?: { why: string; status: number } };
  replay?: boolean;
  bun?: string;
}

/** Refused: one answer without content, then the end of the connection. */
function refused(row: Refused): ConformanceCase {
  const { name, send, status = 400, taken = {}, on = {}, replay, bun } = row;
  const taking = Object.entries(taken).map(([engine, why]) => [engine, {
    why,
    status: 200,
    headers: { connection: null },
    body: /^/,
  }]);
  return {
    name,
    server: echoing,
    exchange: [
      { send },
      {
        receive: {
          status,
          headers: { connection: "close" },
          body: "",
          on: { ...on, ...Object.fromEntries(taking) },
        },
      },
      { closed: true, skip: taken },
    ],
    replay,
    bun,
  };
}

/** A request line that no recipient may guess the meaning of. */
const requestLines: [line: string, more?: Omit<Refused, "name" | "send">][] = [
  ["GET", { replay: true }],
  ["GET /a", { status: [400, 505] }],
  ["/a HTTP/1.1"],
  ["GET HTTP/1.1"],
  [" GET /a HTTP/1.1"],
  ["GET  /a HTTP/1.1"],
  ["GET /a  HTTP/1.1", { status: [400, 505] }],
  ["GET /a HTTP/1.1 ", { status: [400, 505] }],
  ["GET\t/a\tHTTP/1.1", { status: [400, 505] }],
  ["GET /a b HTTP/1.1", { status: [400, 505] }],
  ["G@T /a HTTP/1.1"],
  ["GET: /a HTTP/1.1"],
  ["GET /a\0b HTTP/1.1", { status: [400, 505] }],
  ["GET /a\x01b HTTP/1.1", { status: [400, 505] }],
  ["GET /a\rb HTTP/1.1", { status: [400, 505] }],
  ["GET /a\x7fb HTTP/1.1", { bun: "accepts DEL in a target" }],
  ["GET a HTTP/1.1"],
  ["GET ?a HTTP/1.1"],
  ["GET * HTTP/1.1"],
  ["GET http:// HTTP/1.1", { bun: "ignores the authority of a target" }],
  ["GET /a#b HTTP/1.1", {
    taken: { deno: "Deno.serve accepts a fragment in a target" },
    bun: "accepts a fragment in a target",
  }],
  ["GET /a http/1.1", { status: [400, 505] }],
  ["GET /a XTTP/1.1", { status: [400, 505] }],
  ["GET /a HTTP/1,1", { status: [400, 505] }],
  ["GET /a HTTP/11", { status: [400, 505] }],
  ["GET /a HTTP/1.11", { status: [400, 505] }],
];

const versions = ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"];

const headers: [line: string, more?: Omit<Refused, "name" | "send">][] = [
  [" X-A: b", { replay: true }],
  ["\tX-A: b"],
  ["X-A: b\r\n c", { replay: true }],
  ["X-A: b\r\n\tc"],
  ["X-A : b", { replay: true }],
  ["X-A\t: b"],
  [": b"],
  ["X-A"],
  ["X A: b"],
  ["X(A): b"],
  ["X\xe9: b"],
  ["X-A\0: b"],
  ["X-A: b\0c"],
  ["X-A: b\x01c"],
  ["X-A: b\x0bc"],
  ["X-A: b\x7fc", { bun: "accepts DEL in a header" }],
  ["X-A: b\rc", { replay: true }],
  ["X-A: b\r"],
  ["X-A: b\nX-B: c", {
    taken: {
      deno: "Deno.serve takes a bare LF for a line end, as RFC 9112 permits",
    },
  }],
];

const contentLengths = [
  "",
  "+5",
  "-5",
  "0x5",
  "5a",
  "5.0",
  "1e1",
  "5_0",
  "5 5",
  "5;",
  '"5"',
  "5,",
  "5, 5",
  "5,6",
  "\u0665",
  "18446744073709551616",
  "99999999999999999999999",
];

const repeatedLengths: [first: string, second: string][] = [
  ["5", "6"],
  ["6", "5"],
  ["0", "5"],
  ["5", ""],
];

interface CodingRow {
  fields: string[];
  taken?: string;
  bun?: string;
}

const EMPTY_ELEMENT = "ignores empty elements of the list";
const OTHER_CODING =
  "Deno.serve passes other codings on if chunked is the last one";

const codings: CodingRow[] = [
  { fields: ["gzip"] },
  { fields: ["identity"] },
  { fields: ["identity, chunked"] },
  { fields: ["chunked, identity"] },
  { fields: ["chunked, gzip"] },
  { fields: ["gzip, chunked"], taken: OTHER_CODING },
  { fields: ["gzip", "chunked"], taken: OTHER_CODING },
  { fields: ["chunked, chunked"] },
  { fields: ["chunked", "chunked"] },
  { fields: ["chunked", "identity"] },
  { fields: ["xchunked"] },
  { fields: ["chunk"] },
  { fields: ["ch unked"] },
  { fields: ["chunked;q=1"] },
  { fields: ['"chunked"'] },
  { fields: [""] },
  { fields: ["chunked,"], bun: EMPTY_ELEMENT },
  { fields: [",chunked"], bun: EMPTY_ELEMENT },
  { fields: ["chunked\x0b"] },
];

/** Chunks that carry `hello`. */
const goodChunks: [name: string, chunks: string, bun?: string][] = [
  ["one chunk", "5\r\nhello\r\n0\r\n\r\n"],
  ["two chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"],
  ["a size with leading zeros", "0005\r\nhello\r\n000\r\n\r\n"],
  ["a chunk extension", "5;a=b\r\nhello\r\n0;c\r\n\r\n"],
  [
    "white space before a chunk extension",
    "5 ;a=b\r\nhello\r\n0\r\n\r\n",
    "refuses white space that RFC 9112 section 7.1.1 has recipients accept",
  ],
  [
    "a trailer",
    "5\r\nhello\r\n0\r\nX-A: b\r\n\r\n",
    "takes trailers for the next request",
  ],
  [
    "a trailer that looks like framing",
    "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n",
    "takes trailers for the next request",
  ],
];

interface ChunkRow {
  name: string;
  chunks: string;
  /** Why Deno takes it. */
  taken?: string;
  /** Deno waits for the rest, so the client has to end the upload. */
  waits?: boolean;
  bun?: string;
}

const TRIMMED = "Deno.serve trims white space around a chunk size";

const badChunks: ChunkRow[] = [
  { name: "no size", chunks: "\r\nhello\r\n0\r\n\r\n" },
  { name: "a size that is no number", chunks: "g\r\nhello\r\n0\r\n\r\n" },
  { name: "a negative size", chunks: "-5\r\nhello\r\n0\r\n\r\n" },
  { name: "a plus sign", chunks: "+5\r\nhello\r\n0\r\n\r\n" },
  { name: "a hexadecimal prefix", chunks: "0x5\r\nhello\r\n0\r\n\r\n" },
  { name: "an underscore", chunks: "5_0\r\nhello\r\n0\r\n\r\n" },
  {
    name: "a space before the size",
    chunks: " 5\r\nhello\r\n0\r\n\r\n",
    taken: TRIMMED,
  },
  {
    name: "a space after the size",
    chunks: "5 \r\nhello\r\n0\r\n\r\n",
    taken: TRIMMED,
  },
  {
    name: "a size beyond 64 bits",
    chunks: "10000000000000005\r\nhello\r\n0\r\n\r\n",
  },
  {
    name: "a size of all 64 bits",
    chunks: "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    waits: true,
  },
  { name: "a size line that ends in LF", chunks: "5\nhello\r\n0\r\n\r\n" },
  { name: "a chunk that ends in LF", chunks: "5\r\nhello\n0\r\n\r\n" },
  { name: "a chunk without an end", chunks: "5\r\nhello0\r\n\r\n" },
  { name: "a chunk that is too long", chunks: "4\r\nhello\r\n0\r\n\r\n" },
  { name: "a chunk that is too short", chunks: "6\r\nhello\r\n0\r\n\r\n" },
  { name: "an end of LFs", chunks: "5\r\nhello\r\n0\n\n", waits: true },
  { name: "an LF in an extension", chunks: "5;a\nb\r\nhello\r\n0\r\n\r\n" },
  { name: "a CR in an extension", chunks: "5;a\rb\r\nhello\r\n0\r\n\r\n" },
  { name: "a NUL in an extension", chunks: "5;a\0\r\nhello\r\n0\r\n\r\n" },
  {
    name: "a space before the colon of a trailer",
    chunks: "5\r\nhello\r\n0\r\nX-A : b\r\n\r\n",
    bun: "takes trailers for the next request",
  },
  {
    name: "a trailer without a colon",
    chunks: "5\r\nhello\r\n0\r\nX-A\r\n\r\n",
    bun: "takes trailers for the next request",
  },
];

const upload = (fields: string[], content: string): string =>
  lines("POST /a HTTP/1.1", "Host: localhost", ...fields, "") + content;

const chunkedUpload = (chunks: string): string =>
  upload(["Transfer-Encoding: chunked"], chunks);

/** Hosts, and whether RFC 9110 section 7.2 allows them. */
const validHosts = [
  "localhost",
  "localhost:80",
  "localhost:",
  "a.example",
  "127.0.0.1:8080",
  "[::1]",
  "[::1]:8080",
  "",
];
const invalidHosts = [
  "a/b",
  "a/r/1?",
  "a?b",
  "a#b",
  "a@b",
  "u:p@a",
  "a b",
  "a\tb",
  "a\\b",
  "a<b",
  "a{b}",
  "a:b",
  "::1",
  "[::1",
  "[::1]x",
  "\xe4",
];

/** Hosts that no URL can be made of, whatever RFC 9110 says of them. */
const unparsableHosts = ["a:99999", "a%2fb", "a%zz", "[a]"];

/** A server that a misread Host would send down the wrong route. */
const routed = (): CaseOptions => ({
  routes: {
    "/r/:id": () => new Response("wrong"),
    "/b/*": () => new Response("wrong"),
    "/right": () => new Response("right"),
  },
  fetch: (request) => new Response(new URL(request.url).pathname),
});

const withHost = (line: string, host: string): Uint8Array<ArrayBuffer> =>
  latin1(lines(`${line} HTTP/1.1`, `Host: ${host}`, "Content-Length: 0", ""));

export const cases: ConformanceCase[] = [
  ...table(requestLines, ([line, more]) =>
    refused({
      name: `request line ${JSON.stringify(line)} is refused`,
      send: lines(line, "Host: localhost", "") + next,
      ...more,
    })),
  ...table(versions, (version) =>
    refused({
      name: `${version} is refused`,
      send: lines(`GET /a ${version}`, "Host: localhost", "") + next,
      status: 505,
      on: { deno: { why: ONE_ERROR, status: 400 } },
    })),
  refused({
    name: "what is not HTTP at all is refused",
    send: latin1("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
  }),
  ...table(headers, ([line, more]) =>
    refused({
      name: `header ${JSON.stringify(line)} is refused`,
      send: latin1(
        lines("GET /a HTTP/1.1", "Host: localhost", line, "") + next,
      ),
      ...more,
    })),
  refused({
    name: "a head with bare LFs is refused",
    send: "GET /a HTTP/1.1\nHost: localhost\n\n",
    status: [400, 505],
    taken: {
      deno: "Deno.serve takes a bare LF for a line end, as RFC 9112 permits",
    },
  }),
  {
    name: "empty lines before a request line are skipped",
    server: echoing,
    exchange: [
      { send: "\r\n\r\n" + request("GET /a") },
      { receive: { status: 200, body: "GET /a " } },
    ],
    bun: "refuses what RFC 9112 section 2.2 asks servers to skip",
  },
  {
    name: "a lower-case method is another method",
    server: () => ({
      routes: { "/": { GET: () => new Response("get") } },
    }),
    exchange: [
      { send: request("get /") },
      { receive: { status: [400, 404, 501] } },
    ],
    bun: "closes the connection without an answer",
  },
  ...table(contentLengths, (length) =>
    refused({
      name: `Content-Length ${JSON.stringify(length)} is refused`,
      send: latin1(upload([`Content-Length: ${length}`], "hello" + next)),
      replay: length === "5, 5",
    })),
  ...table(repeatedLengths, ([first, second]) =>
    refused({
      name: `Content-Length ${first} and then "${second}" is refused`,
      send: upload(
        [`Content-Length: ${first}`, `Content-Length: ${second}`],
        "hello" + next,
      ),
    })),
  ...table(["5", "05", " 5 ", "\t5\t"], (length): ConformanceCase => ({
    name: `Content-Length ${JSON.stringify(length)} is understood`,
    server: echoing,
    exchange: [
      { send: upload([`Content-Length: ${length}`], "hello" + next) },
      { receive: { status: 200, body: "POST /a hello" } },
      nextAnswer,
    ],
    replay: length === "5",
  })),
  {
    name: "two equal Content-Lengths are as good as one",
    server: echoing,
    exchange: [
      {
        send: upload(["Content-Length: 5", "Content-Length: 5"], "hello") +
          next,
      },
      { receive: { status: 200, body: "POST /a hello" } },
      nextAnswer,
    ],
  },
  ...table(
    [
      ["Content-Length: 5", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: chunked", "Content-Length: 5"],
      ["Content-Length: 0", "Transfer-Encoding: chunked"],
      ["Content-Length: 5", "Transfer-Encoding: identity"],
    ],
    (fields) =>
      refused({
        name: `${fields.join(" with ")} is refused`,
        send: upload(fields, "0\r\n\r\n" + next),
        replay: fields[0] === "Content-Length: 5" &&
          fields[1] === "Transfer-Encoding: chunked",
      }),
  ),
  ...table(codings, ({ fields, taken, bun }) =>
    refused({
      name: `Transfer-Encoding ${
        JSON.stringify(fields.join(" | "))
      } is refused`,
      send: upload(
        fields.map((field) => `Transfer-Encoding: ${field}`),
        "5\r\nhello\r\n0\r\n\r\n",
      ),
      status: [400, 501],
      taken: taken === undefined ? {} : { deno: taken },
      bun,
    })),
  refused({
    name: "Transfer-Encoding in HTTP/1.0 is refused",
    send: lines(
      "POST /a HTTP/1.0",
      "Host: localhost",
      "Transfer-Encoding: chunked",
      "",
    ) + "0\r\n\r\n",
  }),
  ...table(["chunked", "Chunked", "CHUNKED", "\tchunked "], (coding) => ({
    name: `Transfer-Encoding ${JSON.stringify(coding)} is understood`,
    server: echoing,
    exchange: [
      {
        send: upload(
          [`Transfer-Encoding: ${coding}`],
          "5\r\nhello\r\n0\r\n\r\n" + next,
        ),
      },
      { receive: { status: 200, body: "POST /a hello" } },
      nextAnswer,
    ],
  })),
  ...table(goodChunks, ([name, chunks, bun]) => ({
    name: `chunks: ${name}`,
    server: echoing,
    exchange: [
      { send: chunkedUpload(chunks + next) },
      { receive: { status: 200, body: "POST /a hello" } },
      nextAnswer,
    ],
    replay: name === "two chunks" || name === "a trailer",
    bun,
  })),
  {
    name: "trailers do not become headers",
    server: () => ({
      fetch: async (request) => {
        await request.text();
        return Response.json([
          request.headers.get("x-a"),
          request.headers.get("content-length"),
        ]);
      },
    }),
    exchange: [
      {
        send: chunkedUpload(
          "1\r\na\r\n0\r\nX-A: b\r\nContent-Length: 9\r\n\r\n",
        ),
      },
      { receive: { status: 200, body: "[null,null]" } },
    ],
  },
  ...table(badChunks, ({ name, chunks, taken, waits, bun }) => ({
    name: `chunks: ${name} is refused`,
    server: echoing,
    exchange: [
      { send: chunkedUpload(chunks) },
      ...(waits ? [{ halfClose: true } as const] : []),
      {
        receive: {
          status: 400,
          headers: { connection: "close" },
          body: "",
          on: taken === undefined ? {} : {
            deno: {
              why: taken,
              status: 200,
              headers: { connection: null },
              body: "POST /a hello",
            },
          },
        },
        skip: waits || taken !== undefined ? {} : { deno: NO_ANSWER },
      },
      {
        closed: true,
        skip: taken === undefined ? {} : { deno: taken },
      },
    ],
    bun,
  })),
  {
    name: "a huge chunk extension is not collected",
    server: echoing,
    exchange: [
      {
        send: chunkedUpload(`5;${"a".repeat(100_000)}\r\nhello\r\n0\r\n\r\n`),
      },
      {
        receive: { status: [400, 413], headers: { connection: "close" } },
      },
      { closed: true },
    ],
  },
  {
    name: "endless trailers are not collected",
    server: echoing,
    exchange: [
      {
        send: chunkedUpload(
          "5\r\nhello\r\n0\r\n" + "X-A: b\r\n".repeat(20_000),
        ),
      },
      { halfClose: true },
      { receive: { status: [400, 413, 431] } },
      { closed: true },
    ],
    bun: "takes trailers for the next request",
  },
  ...table(validHosts, (host): ConformanceCase => ({
    name: `Host ${JSON.stringify(host)} is valid`,
    server: routed,
    exchange: [
      { send: withHost("GET /right", host) },
      { receive: { status: 200, body: "right" } },
      { send: withHost("POST /right", host) },
      { receive: { status: 200, body: "right" } },
      { send: withHost("GET /other", host) },
      { receive: { status: 200, body: "/other" } },
    ],
    bun: host === "" ? "makes a URL that cannot be parsed of it" : undefined,
  })),
  ...table(invalidHosts, (host): ConformanceCase => ({
    name: `Host ${JSON.stringify(host)} is refused`,
    server: routed,
    exchange: ["GET /right", "POST /right", "GET /other", "POST /other"].map(
      (line) => [
        { connection: line, send: withHost(line, host) },
        {
          connection: line,
          receive: { status: 400, headers: { connection: "close" }, body: "" },
        },
        { connection: line, closed: true, skip: { deno: NOT_CLOSED } },
      ],
    ),
    bun: "accepts any Host",
  })),
  ...table(["a/b", "a/r/1?", "a?b", "a#b"], (host): ConformanceCase => ({
    name: `Host ${JSON.stringify(host)} never changes the path in fetch`,
    server: () => ({
      fetch: (request) => new Response(new URL(request.url).pathname),
    }),
    exchange: ["GET /right", "POST /right"].map((line) => [
      { connection: line, send: withHost(line, host) },
      {
        connection: line,
        receive: {
          status: 400,
          body: "",
          on: {
            deno: {
              why: "without routes Host is looked at only to make the URL",
              status: 200,
              body: "/right",
            },
          },
        },
      },
    ]),
    bun: "makes a URL that cannot be parsed of it",
  })),
  ...table([["a", "a"], ["a", "b"]], ([first, second]) => ({
    ...refused({
      name: `Host ${first} and then ${second} is refused`,
      send: lines(
        "GET /a HTTP/1.1",
        `Host: ${first}`,
        `host: ${second}`,
        "",
      ) + next,
      bun: "takes the first of several Host lines",
    }),
  })),
  refused({
    name: "HTTP/1.1 without Host is refused",
    send: lines("GET /a HTTP/1.1", ""),
    taken: { deno: "Deno.serve does not ask for a Host" },
  }),
  refused({
    name: "an absolute-form target does not make up for a missing Host",
    send: lines("GET http://localhost/a HTTP/1.1", ""),
    taken: { deno: "Deno.serve does not ask for a Host" },
  }),
  {
    name: "HTTP/1.0 needs no Host",
    server: routed,
    exchange: [
      { send: lines("GET /right HTTP/1.0", "") },
      { receive: { status: 200, body: "right" } },
      { closed: true },
    ],
  },
  {
    name: "an absolute-form target is routed by its path",
    server: routed,
    exchange: [
      ask("GET http://localhost/right", { status: 200, body: "right" }),
      ask("GET http://other.example:81/right?a=b", {
        status: 200,
        body: "right",
      }),
      ask("GET HTTP://LOCALHOST/right", { status: 200, body: "right" }),
      ask("GET http://r/right", { status: 200, body: "right" }),
      ask("GET http://localhost/other?/right", { status: 200, body: "/other" }),
      ask("GET http://localhost?/right", { status: 200, body: "/" }),
    ],
  },
  ...table(unparsableHosts, (host): ConformanceCase => ({
    name: `Host ${JSON.stringify(host)} leaves a URL to parse`,
    server: routed,
    exchange: ["GET /other", "POST /other"].map((line) => [
      { connection: line, send: withHost(line, host) },
      {
        connection: line,
        receive: { status: [200, 400], body: /^(\/other)?$/ },
      },
    ]),
    bun: "makes a URL that cannot be parsed of it",
  })),
  {
    name: "an absolute-form target that makes no URL leaves one to parse",
    server: routed,
    exchange: ["GET", "POST"].map((method) => [
      {
        connection: method,
        send: lines(
          `${method} http://a:99999/other HTTP/1.1`,
          "Host: localhost",
          "Content-Length: 0",
          "",
        ),
      },
      {
        connection: method,
        receive: { status: [200, 400], body: /^(\/other)?$/ },
      },
    ]),
  },
  {
    name: "OPTIONS * is about the server and no path",
    server: () => ({ routes: { "/right": () => new Response("right") } }),
    exchange: [
      { send: lines("OPTIONS * HTTP/1.1", "Host: localhost", "") },
      { receive: { status: [200, 204, 400, 404], body: "" } },
    ],
  },
  {
    name: "Expect: 100-continue is answered before the content",
    server: echoing,
    exchange: [
      {
        send: upload(["Expect: 100-continue", "Content-Length: 5"], ""),
      },
      { receive: { status: 100 } },
      { send: "hello" },
      { receive: { status: 200, body: "POST /a hello" } },
      { send: next },
      nextAnswer,
    ],
  },
  {
    name: "Expect: 100-continue with chunks",
    server: echoing,
    exchange: [
      {
        send: upload(
          ["Expect: 100-continue", "Transfer-Encoding: chunked"],
          "",
        ),
      },
      { receive: { status: 100 } },
      { send: "5\r\nhello\r\n0\r\n\r\n" + next },
      { receive: { status: 200, body: "POST /a hello" } },
      nextAnswer,
    ],
  },
  {
    name: "Expect: 100-continue in any case of letters",
    server: echoing,
    exchange: [
      {
        send: upload(["Expect: 100-Continue", "Content-Length: 5"], ""),
      },
      { receive: { status: 100 } },
      { send: "hello" },
      { receive: { status: 200, body: "POST /a hello" } },
    ],
    bun: "compares the expectation by case",
  },
  {
    name: "Expect: 100-continue without content needs no 100",
    server: echoing,
    exchange: [
      { send: request("GET /a", { headers: { Expect: "100-continue" } }) },
      { receive: { status: 200, body: "GET /a " } },
    ],
    bun: "sends 100 even if no content follows",
  },
  {
    name: "no 100 goes to HTTP/1.0",
    server: echoing,
    exchange: [
      {
        send: lines(
          "POST /a HTTP/1.0",
          "Host: localhost",
          "Expect: 100-continue",
          "Content-Length: 5",
          "",
        ) + "hello",
      },
      {
        receive: {
          status: 200,
          body: "POST /a hello",
          on: {
            deno: {
              why: "Deno.serve sends 100 to HTTP/1.0 too",
              status: 100,
              body: "",
            },
          },
        },
      },
    ],
    bun: "sends 100 to HTTP/1.0 too",
  },
  {
    name: "no 100 invites content that is too much",
    server: () => ({ maxRequestBodySize: 4, fetch: echo }),
    exchange: [
      {
        send: upload(["Expect: 100-continue", "Content-Length: 5"], ""),
      },
      {
        receive: {
          status: 413,
          on: {
            deno: {
              why: "Deno.serve sends 100 before it asks the handler",
              status: 100,
            },
          },
        },
      },
    ],
    bun: "sends 100 before the 413",
  },
  {
    name: "an unknown expectation harms nothing",
    server: echoing,
    exchange: [
      {
        send: upload(["Expect: other", "Content-Length: 5"], "hello"),
      },
      { receive: { status: [200, 417] } },
    ],
  },
  {
    name: "content of a GET is never taken for the next request",
    server: echoing,
    exchange: [
      { send: request("GET /a", { body: "GET /smuggled" }) + next },
      { receive: { status: 200, body: /^GET \/a (GET \/smuggled)?$/ } },
      nextAnswer,
    ],
  },
  {
    name: "chunks of a GET are never taken for the next request",
    server: echoing,
    exchange: [
      {
        send: request("GET /a", {
          headers: { "Transfer-Encoding": "chunked" },
          body: "5\r\nhello\r\n0\r\n\r\n",
        }) + next,
      },
      { receive: { status: 200, body: /^GET \/a (hello)?$/ } },
      nextAnswer,
    ],
  },
  {
    name: "bytes beyond Content-Length are the next request",
    server: echoing,
    exchange: [
      { send: upload(["Content-Length: 5"], "hello and more\r\n\r\n") },
      { receive: { status: 200, body: "POST /a hello" } },
      { receive: { status: 400, headers: { connection: "close" } } },
      { closed: true },
    ],
  },
  {
    name: "twenty requests in one write are answered in order",
    server: () => ({
      fetch: async (request) => {
        const path = new URL(request.url).pathname;
        // The earlier ones take longer.
        const delay = 20 - Number(path.slice(1));
        await new Promise((resolve) => setTimeout(resolve, delay));
        return new Response(path);
      },
    }),
    exchange: [
      {
        send: Array.from({ length: 20 }, (_, index) => request(`GET /${index}`))
          .join(""),
      },
      ...Array.from({ length: 20 }, (_, index) => ({
        receive: { status: 200, body: `/${index}` },
      })),
    ],
    bun:
      "closes instead of answering what is pipelined behind a pending handler",
  },
  {
    name: "a request before a malformed one is answered",
    server: echoing,
    exchange: [
      { send: request("POST /a", { body: "hello" }) + "BAD\r\n\r\n" + next },
      { receive: { status: 200, body: "POST /a hello" } },
      { receive: { status: 400, headers: { connection: "close" } } },
      { closed: true },
    ],
  },
  {
    name: "refused connections leave others alone",
    server: echoing,
    exchange: [
      ask("GET /a", { status: 200, body: "GET /a " }),
      { connection: "bad", send: lines("nonsense", "") },
      { connection: "bad", receive: { status: 400 } },
      { connection: "bad", closed: true },
      { send: next },
      nextAnswer,
    ],
  },
  {
    name: "broken chunks that nobody reads are no second request",
    server: (api) => ({
      fetch: (request) => {
        api.log(`${request.method} ${new URL(request.url).pathname}`);
        return new Response("unread");
      },
    }),
    exchange: [
      { send: chunkedUpload("") },
      { logged: "POST /a" },
      { send: "zz\r\nhello\r\n0\r\n\r\n" + next },
      // Whether an answer comes first depends on who is faster.
      { pause: 30 },
    ],
    log: ["POST /a"],
  },
  ...table(
    ["", "GET", "GET / HTTP/1.1\r\nHost: localhost\r\n"],
    (head): ConformanceCase => ({
      name: `${JSON.stringify(head)} and no more gets no answer`,
      server: echoing,
      exchange: [
        { open: true },
        { send: head },
        { halfClose: true },
        { closed: true },
      ],
    }),
  ),
  {
    name: "HTTP/1.1 stays open",
    server: echoing,
    exchange: [
      ask("GET /a", { status: 200, body: "GET /a " }),
      ask("POST /b", { status: 200, body: "POST /b c" }, { body: "c" }),
      ask("HEAD /c", { status: 200 }),
      { send: next },
      nextAnswer,
    ],
  },
  ...table(["close", "Close", "x, close", "keep-alive, close"], (value) => ({
    name: `Connection: ${value} closes after the answer`,
    server: echoing,
    exchange: [
      {
        send: request("GET /a", { headers: { Connection: value } }) + next,
      },
      { receive: { status: 200, body: "GET /a " } },
      { closed: true },
    ],
  })),
  {
    name: "a handler's Connection: close closes",
    server: () => ({
      fetch: () => new Response("hello", { headers: { connection: "close" } }),
    }),
    exchange: [
      { send: request("GET /a") },
      {
        receive: {
          status: 200,
          headers: { connection: "close" },
          body: "hello",
        },
      },
      { closed: true, skip: { deno: NOT_CLOSED } },
    ],
  },
  {
    name: "HTTP/1.0 closes after the answer",
    server: echoing,
    exchange: [
      { send: lines("GET /a HTTP/1.0", "Host: localhost", "") + next },
      { receive: { status: 200, body: "GET /a " } },
      { closed: true },
    ],
  },
  {
    name: "HTTP/1.0 that asks for keep-alive gets a framed answer",
    server: echoing,
    exchange: [
      {
        send: request("POST /a", {
          version: "HTTP/1.0",
          headers: { Connection: "keep-alive" },
          body: "hello",
        }),
      },
      {
        receive: { status: 200, framing: "length", body: "POST /a hello" },
      },
      {
        closed: true,
        skip: { deno: "Deno.serve keeps HTTP/1.0 open for those who ask" },
      },
    ],
  },
  {
    name: "HTTP/1.0 is never sent chunks",
    server: () => ({
      fetch: () =>
        new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(new TextEncoder().encode("he"));
              await new Promise((resolve) => setTimeout(resolve, 10));
              controller.enqueue(new TextEncoder().encode("llo"));
              controller.close();
            },
          }),
        ),
    }),
    exchange: [
      {
        send: request("GET /a", {
          version: "HTTP/1.0",
          headers: { Connection: "keep-alive" },
        }),
      },
      { receive: { status: 200, framing: "close", body: "hello" } },
      { closed: true },
    ],
  },
  {
    name: "an upgrade that nobody asked for is ignored",
    server: echoing,
    exchange: [
      {
        send: request("GET /a", {
          headers: {
            Connection: "Upgrade, HTTP2-Settings",
            Upgrade: "h2c",
            "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA",
          },
        }),
      },
      { receive: { status: 200, body: "GET /a " } },
      { send: next },
      nextAnswer,
    ],
  },
];
