import {
  ask,
  type CaseRequest,
  type CaseServer,
  type ConformanceCase,
  type ExpectedResponse,
  table,
} from "../case.ts";
import {
  ACCEPT,
  type CaseSocket,
  connect,
  goodbye,
  handshake,
  logging,
  serverOf,
  sockets,
  socketsOfServer,
  text,
  together,
} from "../web_socket.ts";

const refused: ExpectedResponse = { status: 400, body: "not upgraded" };
const otherVersion: ExpectedResponse = {
  status: 426,
  headers: { "sec-websocket-version": "13" },
};

type Fields = Record<string, string | string[] | null>;

const rows: [
  name: string,
  fields: Fields,
  expected: ExpectedResponse,
  bun?: string,
][] = [
  ["Connection is a list", { Connection: "keep-alive, Upgrade" }, {
    status: 101,
  }],
  ["Upgrade is a list", { Upgrade: "h2c, websocket" }, { status: 101 }],
  ["Upgrade in capitals", { Upgrade: "WebSocket" }, { status: 101 }],
  ["without Upgrade", { Upgrade: null }, refused],
  ["Upgrade to something else", { Upgrade: "h2c" }, refused],
  ["Upgrade that only contains websocket", { Upgrade: "websockets" }, refused],
  [
    "without Connection",
    { Connection: null },
    refused,
    "it does not look at Connection",
  ],
  ["without a key", { "Sec-WebSocket-Key": null }, refused],
  ["an empty key", { "Sec-WebSocket-Key": "" }, refused],
  ["a short key", { "Sec-WebSocket-Key": "dGhlIHNhbXBsZQ==" }, refused],
  ["a key that is not base64", {
    "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==",
  }, refused],
  ["two keys", {
    "Sec-WebSocket-Key": [
      "dGhlIHNhbXBsZSBub25jZQ==",
      "dGhlIHNhbXBsZSBub25jZQ==",
    ],
  }, refused],
  ["version 8", { "Sec-WebSocket-Version": "8" }, otherVersion],
  ["without a version", { "Sec-WebSocket-Version": null }, otherVersion],
  ["a list of versions", { "Sec-WebSocket-Version": "13, 8" }, otherVersion],
];

const protocols: [
  name: string,
  offered: string | string[],
  chosen: string | null,
  bun?: string,
][] = [
  ["one", "chat", "chat"],
  ["several", "chat, superchat", "chat"],
  ["several without spaces", "chat,superchat", "chat"],
  ["on several lines", ["chat", "superchat"], "chat"],
  ["after an empty element", ", chat", "chat", "it sends an empty field"],
  ["that is no token", "a b", null, "it sends what it got"],
];

export const cases: ConformanceCase[] = [
  {
    name: "an upgrade",
    server: (api) =>
      sockets(logging(api, {
        open: (socket) =>
          api.log(`open ${socket.readyState} ${typeof socket.data}`),
      })),
    exchange: [
      { send: handshake() },
      {
        receive: {
          status: 101,
          headers: {
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-accept": ACCEPT,
            "sec-websocket-protocol": null,
            "sec-websocket-extensions": null,
            "content-length": null,
          },
        },
      },
      goodbye(),
    ],
    log: ["open 1 undefined", "close 1000"],
  },
  {
    name: "frames right behind the handshake belong to the socket",
    server: (api) => sockets(logging(api)),
    exchange: [
      { send: together(handshake(), text("early"), text("bird")) },
      { receive: { status: 101 } },
      { logged: "text bird" },
      goodbye(),
    ],
    log: ["text early", "text bird", "close 1000"],
  },
  {
    name: "a handshake in pieces",
    server: (api) => sockets(logging(api)),
    exchange: [
      { send: together(handshake(), text("x")) },
      { receive: { status: 101 } },
      goodbye(),
    ],
    log: ["text x", "close 1000"],
    replay: true,
  },
  ...table(rows, ([name, fields, expected, bun]) => ({
    name: `a handshake, ${name}`,
    server: () => sockets({}),
    exchange: [{ send: handshake(fields) }, { receive: expected }],
    ...(bun && { bun }),
  })),
  {
    name: "a handshake with another method",
    server: () => sockets({}),
    exchange: [{ send: handshake({}, "PUT /") }, { receive: refused }],
  },
  {
    name: "the wrong version is answered whatever the handler returns",
    server: () => ({
      fetch: (request, server) => {
        server.upgrade(request);
        return new Response("mine");
      },
      websocket: {},
    }),
    exchange: [
      { send: handshake({ "Sec-WebSocket-Version": "7" }) },
      { receive: otherVersion },
    ],
  },
  ...table(protocols, ([name, offered, chosen, bun]) => ({
    name: `the first subprotocol is accepted: ${name}`,
    server: () => sockets({}),
    exchange: [
      { send: handshake({ "Sec-WebSocket-Protocol": offered }) },
      {
        receive: {
          status: 101,
          headers: { "sec-websocket-protocol": chosen },
        },
      },
    ],
    ...(bun && { bun }),
  })),
  {
    name: "a subprotocol of the server's choice",
    server: () =>
      sockets({}, { headers: { "Sec-WebSocket-Protocol": "superchat" } }),
    exchange: [
      { send: handshake({ "Sec-WebSocket-Protocol": "chat, superchat" }) },
      {
        receive: {
          status: 101,
          headers: { "sec-websocket-protocol": "superchat" },
        },
      },
    ],
  },
  {
    name: "extensions are not accepted unless asked for",
    server: () => sockets({}),
    exchange: [
      { send: handshake({ "Sec-WebSocket-Extensions": "permessage-deflate" }) },
      {
        receive: {
          status: 101,
          headers: { "sec-websocket-extensions": null },
        },
      },
    ],
  },
  {
    name: "headers of the upgrade are sent",
    server: () =>
      sockets({}, {
        headers: new Headers([
          ["x-custom", "a"],
          ["set-cookie", "b=1"],
          ["set-cookie", "c=2"],
        ]),
      }),
    exchange: [
      { send: handshake() },
      {
        receive: {
          status: 101,
          headers: { "x-custom": "a", "set-cookie": ["b=1", "c=2"] },
        },
      },
    ],
  },
  {
    name: "headers of the upgrade cannot break the handshake",
    server: () =>
      sockets({}, {
        headers: {
          "Upgrade": "h2c",
          "Connection": "close",
          "Sec-WebSocket-Accept": "x",
          "Sec-WebSocket-Extensions": "x",
          "Content-Length": "7",
          "Transfer-Encoding": "chunked",
        },
      }),
    exchange: [
      { send: handshake() },
      {
        receive: {
          status: 101,
          headers: {
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-accept": ACCEPT,
            "sec-websocket-extensions": null,
            "content-length": null,
            "transfer-encoding": null,
          },
        },
      },
      goodbye(),
    ],
  },
  ...table<[name: string, options: unknown]>(
    [
      ["a CRLF in a header", { headers: { "x-a": "b\r\nx-evil: c" } }],
      ["a header name with a space", { headers: { "x a": "b" } }],
      ["headers that are a string", { headers: "x-a: b" }],
      ["headers that are a number", { headers: 1 }],
      ["options that are a number", 1],
      ["options that are a string", "data"],
    ],
    ([name, options]) => ({
      name: `upgrade throws a TypeError: ${name}`,
      server: () => ({
        fetch: (request, server) => {
          try {
            return new Response(`${server.upgrade(request, options)}`);
          } catch (error) {
            return new Response((error as Error).constructor.name);
          }
        },
        websocket: {},
      }),
      exchange: [
        { send: handshake() },
        { receive: { status: 200, body: "TypeError" } },
      ],
    }),
  ),
  ...table<[name: string, options: unknown]>(
    [
      ["null", null],
      ["undefined", undefined],
      ["nothing in it", {}],
      ["undefined members", { data: undefined, headers: undefined }],
    ],
    ([name, options]) => ({
      name: `upgrade options may be absent: ${name}`,
      server: () => sockets({}, options),
      exchange: [connect(), goodbye()],
    }),
  ),
  {
    name: "upgrade without the websocket option throws",
    server: () => ({
      fetch: (request, server) => {
        try {
          return new Response(`${server.upgrade(request)}`);
        } catch (error) {
          return new Response((error as Error).constructor.name);
        }
      },
    }),
    exchange: [
      { send: handshake() },
      { receive: { status: 200, body: "TypeError" } },
      ask("GET /", { status: 200, body: "TypeError" }),
    ],
  },
  {
    name: "upgrade of what is no request throws",
    server: () => ({
      fetch: (_, server) => {
        const results = [undefined, null, {}, "GET /", 1].map((value) => {
          try {
            return server.upgrade(value as Request);
          } catch (error) {
            return error instanceof TypeError;
          }
        });
        return Response.json(results);
      },
      websocket: {},
    }),
    exchange: ask("GET /", {
      status: 200,
      body: "[true,true,true,true,true]",
    }),
  },
  {
    name: "upgrade of somebody else's request is false",
    server: () => ({
      fetch: (request, server) => {
        const own = new Request(request.url, { headers: request.headers });
        return new Response(`${server.upgrade(own)}`);
      },
      websocket: {},
    }),
    exchange: [
      { send: handshake() },
      { receive: { status: 200, body: "false" } },
    ],
  },
  {
    name: "a request that is no handshake is not harmed",
    server: () => ({
      fetch: async (request, server) => {
        const upgraded = server.upgrade(request);
        return new Response(`${upgraded} ${await request.text()}`);
      },
      websocket: {},
    }),
    exchange: ask("POST /", { status: 200, body: "false body" }, {
      body: "body",
    }),
  },
  {
    name: "a second upgrade is false",
    server: (api) => ({
      fetch: (request, server) => {
        api.log(`${server.upgrade(request)} ${server.upgrade(request)}`);
      },
      websocket: logging(api),
    }),
    exchange: [connect(), goodbye()],
    log: ["true false", "close 1000"],
  },
  ...table<
    [
      name: string,
      after: (request: CaseRequest, server: CaseServer) => unknown,
    ]
  >(
    [
      ["nothing", () => undefined],
      ["a response", () => new Response("ignored", { status: 500 })],
      ["an empty response", () => new Response(null)],
      ["a promise of nothing", () => Promise.resolve()],
      ["a promise of a response", () => Promise.resolve(new Response("x"))],
      [
        "a stream",
        () =>
          new Response(
            new ReadableStream({
              pull: (controller) => controller.enqueue(new Uint8Array(1)),
            }),
          ),
      ],
    ],
    ([name, after]) => ({
      name: `what a handler returns after an upgrade is ignored: ${name}`,
      server: (api) => ({
        fetch: (request, server) => {
          server.upgrade(request);
          return after(request, server);
        },
        websocket: logging(api),
      }),
      exchange: [
        connect(),
        { send: text("x") },
        { logged: "text x" },
        goodbye(),
      ],
      log: ["text x", "close 1000"],
    }),
  ),
  {
    name: "an error after an upgrade leaves the socket alone",
    server: (api) => ({
      fetch: (request, server) => {
        server.upgrade(request);
        throw new Error("too late");
      },
      error: (error) => {
        api.log(error.message);
        return new Response("ignored");
      },
      websocket: logging(api),
    }),
    exchange: [connect(), goodbye()],
    log: ["too late", "close 1000"],
  },
  {
    name: "an upgrade after an await",
    server: (api) => ({
      fetch: async (request, server) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        api.log(`${server.upgrade(request, { data: 7 })}`);
      },
      websocket: logging(api, { open: ({ data }) => api.log(`open ${data}`) }),
    }),
    exchange: [connect(), goodbye()],
    log: ["open 7", "true", "close 1000"],
  },
  {
    name: "an upgrade does not wait for its handler",
    server: (api) => ({
      fetch: async (request, server) => {
        await 0;
        server.upgrade(request);
        await new Promise(() => {});
      },
      websocket: logging(api),
    }),
    exchange: [connect(), { send: text("x") }, { logged: "text x" }, goodbye()],
    log: ["text x", "close 1000"],
  },
  {
    name: "an upgrade in a route, with params and cookies",
    server: (api) => ({
      routes: {
        "/room/:name": (request, server) => {
          request.cookies.set("seen", "1");
          server.upgrade(request, {
            data: request.params.name,
            headers: { "x-room": request.params.name! },
          });
        },
      },
      websocket: logging(api, { open: ({ data }) => api.log(`open ${data}`) }),
    }),
    exchange: [
      { send: handshake({}, "GET /room/tea%20time") },
      {
        receive: {
          status: 101,
          headers: {
            "x-room": "tea time",
            "set-cookie": "seen=1; Path=/; SameSite=Lax",
          },
        },
      },
      goodbye(),
    ],
    log: ["open tea time", "close 1000"],
  },
  {
    name: "an upgrade in a method table",
    server: (api) => ({
      routes: {
        "/": { GET: (request, server) => void server.upgrade(request) },
      },
      websocket: logging(api),
    }),
    exchange: [connect(), goodbye()],
    log: ["close 1000"],
  },
  {
    name: "open runs inside upgrade",
    server: (api) => ({
      fetch: (request, server) => {
        api.log("before");
        server.upgrade(request);
        api.log("after");
      },
      websocket: { open: () => api.log("open") },
    }),
    exchange: [connect()],
    log: ["before", "open", "after"],
  },
  {
    name: "the request stays readable for the socket's life",
    server: (api) => {
      let kept: CaseRequest;
      let headers: Headers;
      const log = () =>
        api.log(
          `${kept.method} ${kept.url} ${kept.headers.get("x-a")} ` +
            `${headers.get("host")} ${kept.body}`,
        );
      return {
        fetch: (request, server) => {
          kept = request;
          headers = request.headers;
          server.upgrade(request);
          log();
        },
        websocket: { message: log, close: log },
      };
    },
    exchange: [
      { send: handshake({ "X-A": "b" }, "GET /a?b") },
      { receive: { status: 101 } },
      { send: text("x") },
      goodbye(),
    ],
    log: [
      "GET http://localhost/a?b b localhost null",
      "GET http://localhost/a?b b localhost null",
      "GET http://localhost/a?b b localhost null",
    ],
  },
  {
    name: "data is the very object that upgrade was given",
    server: (api) => {
      const data = {
        get computed() {
          return "got";
        },
      };
      return sockets({
        open: (socket) => {
          api.log(`${socket.data === data}`);
          socket.data = 5;
        },
        message: ({ data }) => api.log(`${data}`),
      }, { data });
    },
    exchange: [connect(), { send: text("x") }],
    log: ["true", "5"],
  },
  {
    name: "the client's address",
    server: (api) =>
      sockets({
        open: ({ remoteAddress }) => api.log(`${remoteAddress}`),
        close: ({ remoteAddress }) => api.log(`${remoteAddress}`),
      }),
    exchange: [connect(), goodbye()],
    log: ["127.0.0.1", "127.0.0.1"],
  },
  {
    name: "sockets are counted",
    server: (api) => {
      const count = (socket: CaseSocket) => {
        const { pendingWebSockets, pendingRequests } = serverOf(socket);
        api.log(`${pendingWebSockets} ${pendingRequests}`);
      };
      return socketsOfServer({
        message: count,
        close: (socket) => setTimeout(count, 0, socket),
      });
    },
    exchange: [
      connect("a"),
      connect("b"),
      { send: text("x"), connection: "a" },
      { logged: "2 0" },
      goodbye("a"),
      { logged: "1 0" },
      goodbye("b"),
      { logged: "0 0" },
    ],
  },
  {
    name: "server.fetch cannot upgrade",
    server: (api) => ({
      fetch: (request, server) => {
        api.log(`${server.upgrade(request)}`);
        return new Response("plain");
      },
      websocket: {},
    }),
    exchange: [{
      run: async (server, api) => {
        const response = await server.fetch(
          new Request("http://localhost/", {
            headers: {
              "upgrade": "websocket",
              "connection": "upgrade",
              "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
              "sec-websocket-version": "13",
            },
          }),
        );
        api.log(await response.text());
      },
    }],
    log: ["false", "plain"],
    bun: "its fetch() passes no server",
  },
];
