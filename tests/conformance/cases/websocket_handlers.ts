import { type ConformanceCase, table } from "../case.ts";
import {
  type CaseSocket,
  type CaseWebSocket,
  closing,
  connect,
  goodbye,
  handshake,
  sockets,
  talk,
  text,
} from "../web_socket.ts";

/** Options that must not be accepted. */
const invalid: [name: string, websocket: unknown, bun?: string][] = [
  ["a boolean", true],
  ["a number", 5],
  ["a string", "x"],
  ["message that is no function", { message: 5 }],
  ["open that is no function", { open: "x" }],
  ["ping that is no function", { ping: {} }],
  ["maxPayloadLength that is a string", { maxPayloadLength: "5" }],
  ["maxPayloadLength with a fraction", { maxPayloadLength: 1.5 }],
  ["maxPayloadLength that is NaN", { maxPayloadLength: NaN }],
  ["maxPayloadLength below 0", { maxPayloadLength: -1 }, "it accepts that"],
  ["backpressureLimit that is a boolean", { backpressureLimit: true }],
  ["backpressureLimit below 0", { backpressureLimit: -1 }, "it accepts that"],
  ["idleTimeout above 960", { idleTimeout: 961 }],
  ["idleTimeout with a fraction", { idleTimeout: 0.5 }],
  ["idleTimeout below 0", { idleTimeout: -1 }, "it accepts that"],
  ["sendPings that is a number", { sendPings: 1 }],
  ["publishToSelf that is a string", { publishToSelf: "yes" }],
  ["closeOnBackpressureLimit that is an object", {
    closeOnBackpressureLimit: {},
  }],
  ["perMessageDeflate that is a number", { perMessageDeflate: 1 }],
  ["an unknown compressor", { perMessageDeflate: { compress: "5KB" } }],
  ["an unknown decompressor", { perMessageDeflate: { decompress: 5 } }],
];

const valid: [name: string, websocket: unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["no handlers", {}],
  ["handlers that are absent", { message: undefined, open: null }],
  ["unknown keys", { message() {}, upgrade: 5, origin: "x" }],
  ["limits that are absent", {
    maxPayloadLength: undefined,
    backpressureLimit: null,
    idleTimeout: undefined,
    sendPings: null,
    publishToSelf: undefined,
  }],
  ["limits of 0", {
    maxPayloadLength: 0,
    backpressureLimit: 0,
    idleTimeout: 0,
  }],
  ["the largest limits", {
    maxPayloadLength: 2 ** 33,
    backpressureLimit: 2 ** 33,
    idleTimeout: 960,
  }],
  ["a function with members", Object.assign(() => {}, { message() {} })],
];

/** Logs errors, and what else happens. */
function watched(
  log: (fact: string) => void,
  websocket: CaseWebSocket,
): CaseWebSocket {
  return {
    close: (socket, code) => log(`close ${code} ${socket.readyState}`),
    error: (error, socket) =>
      log(`${error.message ?? error} ${socket.readyState}`),
    ...websocket,
  };
}

export const cases: ConformanceCase[] = [
  ...table(invalid, ([name, websocket, bun]) => ({
    name: `serve refuses as websocket ${name}`,
    server: (api) => {
      try {
        const server = api.serve({
          port: 0,
          fetch: () => new Response(),
          websocket,
        });
        server.stop(true);
        api.log("accepted");
      } catch (error) {
        api.log(error instanceof Error ? "Error" : "not an Error");
      }
      return { fetch: () => new Response() };
    },
    exchange: [],
    log: ["Error"],
    ...(bun && { bun }),
  })),
  ...table(valid, ([name, websocket]) => ({
    name: `serve accepts as websocket ${name}`,
    server: () => ({ fetch: () => new Response("ok"), websocket }),
    exchange: [
      { send: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
      { receive: { status: 200, body: "ok" } },
    ],
  })),
  talk(
    "a message handler that throws goes to error, and the socket stays",
    ({ log }) =>
      watched(log, {
        message: () => {
          throw new Error("no");
        },
      }),
    [{ send: text("x") }, { send: text("y") }, goodbye()],
    { log: ["no 1", "no 1", "close 1000 3"] },
  ),
  talk(
    "an open handler that throws closes the socket",
    ({ log }) =>
      watched(log, {
        open: () => {
          throw new Error("no");
        },
      }),
    [{ closed: true }],
    { log: ["close 1006 3", "no 3"] },
  ),
  talk(
    "a close handler that throws goes to error",
    ({ log }) =>
      watched(log, {
        close: () => {
          throw new Error("no");
        },
      }),
    [goodbye()],
    { log: ["no 3"] },
  ),
  talk(
    "what is thrown may be anything",
    ({ log }) => ({
      message: () => {
        throw "a string";
      },
      error: (error) => log(`${typeof error} ${error}`),
    }),
    [{ send: text("x") }, { logged: "string a string" }, goodbye()],
  ),
  talk(
    "the error handler may close the socket",
    ({ log }) => ({
      ...watched(log, {
        message: () => {
          throw new Error("no");
        },
      }),
      error: (_, socket) => socket.close(1011, "failed"),
    }),
    [
      { send: text("x") },
      { receiveFrame: { opcode: "close", code: 1011, payload: "failed" } },
      { send: closing(1011) },
      { closed: true },
    ],
    { log: ["close 1011 3"] },
  ),
  talk(
    "async handlers are not waited for",
    ({ log }) => ({
      message: async (socket, message) => {
        log(`${message} begins`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket.send(`${message} ends`);
      },
    }),
    [
      { send: text("a") },
      { send: text("b") },
      { receiveFrame: { opcode: "text", payload: "a ends" } },
      { receiveFrame: { opcode: "text", payload: "b ends" } },
      goodbye(),
    ],
    { log: ["a begins", "b begins"] },
  ),
  {
    name: "one object for one socket, everywhere, which can be extended",
    server: ({ log }) => {
      const seen = new WeakMap<CaseSocket, string>();
      return sockets({
        open: (socket) => {
          seen.set(socket, "known");
          Object.assign(socket, { mine: "kept" });
          log(Object.keys(socket).join());
        },
        message: (socket) => {
          log(`${seen.get(socket)} ${Reflect.get(socket, "mine")}`);
          throw new Error();
        },
        error: (_, socket) => log(`${seen.get(socket)}`),
        close: (socket) => log(`${seen.get(socket)}`),
      });
    },
    exchange: [connect(), { send: text("x") }, goodbye()],
    log: ["mine", "known kept", "known", "known"],
  },
  {
    name: "methods can be bound early, and everything is on the prototype",
    server: ({ log }) =>
      sockets({
        open: (socket) => {
          const names = [
            ...["send", "sendText", "sendBinary", "publish", "publishText"],
            ...["publishBinary", "subscribe", "unsubscribe", "isSubscribed"],
            ...["subscriptions", "cork", "ping", "pong", "close", "terminate"],
            ...["remoteAddress", "binaryType", "readyState", "data"],
            ...["getBufferedAmount", "pause", "resume", "isPaused"],
          ];
          log(names.filter((name) => !(name in socket)).join());
          log(Object.getOwnPropertyNames(socket).join());
          log(Object.prototype.toString.call(socket));
          const send = socket.send.bind(socket);
          setTimeout(() => send("bound"), 5);
        },
      }),
    exchange: [
      connect(),
      { receiveFrame: { opcode: "text", payload: "bound" } },
    ],
    log: ["", "", "[object ServerWebSocket]"],
  },
  {
    name: "handlers are taken when the server starts",
    server: ({ log }) => {
      const websocket: CaseWebSocket = { message: () => log("old") };
      const options = sockets(websocket);
      setTimeout(() => websocket.message = () => log("new"), 0);
      return options;
    },
    exchange: [{ pause: 20 }, connect(), { send: text("x") }, goodbye()],
    log: ["old"],
  },
  {
    name: "handlers have no this",
    server: ({ log }) =>
      sockets({
        message: function (this: unknown) {
          log(`${this}`);
        },
      }),
    exchange: [connect(), { send: text("x") }, goodbye()],
    log: ["undefined"],
  },
  {
    name: "reload replaces handlers, for open sockets too",
    server: ({ log }) =>
      sockets({
        message: (socket) => socket.send("old"),
        close: () => log("old close"),
      }),
    exchange: [
      connect("a"),
      { send: text("x"), connection: "a" },
      { receiveFrame: { opcode: "text", payload: "old" }, connection: "a" },
      {
        run: (server, { log }) =>
          void server.reload(sockets({
            message: (socket: CaseSocket) => socket.send("new"),
            close: () => log("new close"),
          })),
      },
      { send: text("x"), connection: "a" },
      { receiveFrame: { opcode: "text", payload: "new" }, connection: "a" },
      connect("b"),
      { send: text("x"), connection: "b" },
      { receiveFrame: { opcode: "text", payload: "new" }, connection: "b" },
      goodbye("a"),
    ],
    log: ["new close", "new close"],
  },
  {
    name: "reload without websocket keeps the handlers",
    server: () => sockets({ message: (socket) => socket.send("old") }),
    exchange: [
      {
        run: (server) =>
          void server.reload({
            fetch: (request: Request) =>
              server.upgrade(request) ? undefined : new Response("reloaded"),
          }),
      },
      connect(),
      { send: text("x") },
      { receiveFrame: { opcode: "text", payload: "old" } },
    ],
  },
  {
    name: "reload with something else as websocket throws",
    server: () => sockets({ message: (socket) => socket.send("old") }),
    exchange: [
      {
        run: (server, { log }) => {
          for (const websocket of [5, { message: 5 }]) {
            try {
              server.reload({ websocket });
            } catch (error) {
              log((error as Error).constructor.name);
            }
          }
        },
      },
      connect(),
      { send: text("x") },
      { receiveFrame: { opcode: "text", payload: "old" } },
    ],
    log: ["TypeError", "TypeError"],
  },
  {
    name: "reload can bring WebSockets to a server without",
    server: () => ({ fetch: () => new Response("none") }),
    exchange: [
      {
        run: (server) =>
          void server.reload(
            sockets({ message: (socket) => socket.send("now") }),
          ),
      },
      { send: handshake() },
      { receive: { status: 101 } },
      { send: text("x") },
      { receiveFrame: { opcode: "text", payload: "now" } },
    ],
  },
];
