import { type ConformanceCase, table } from "../case.ts";
import {
  type CaseSocket,
  closing,
  connect,
  goodbye,
  logging,
  sockets,
  talk,
  text,
  together,
} from "../web_socket.ts";

/** Arguments of `close`, what the handler is told, and what is sent. */
const closes: [
  args: unknown[],
  told: string,
  code: number | null,
  reason: string,
][] = [
  [[], "1000 ", 1000, ""],
  [[undefined], "1000 ", 1000, ""],
  [[undefined, undefined], "1000 ", 1000, ""],
  [[1000], "1000 ", 1000, ""],
  [[1001, "away"], "1001 away", 1001, "away"],
  [[1011, "é"], "1011 é", 1011, "é"],
  [[3000, ""], "3000 ", 3000, ""],
  [[4999, "own"], "4999 own", 4999, "own"],
  [[4000, "a\ud800"], "4000 a\ufffd", 4000, "a\ufffd"],
  [[4000, "x".repeat(200)], `4000 ${"x".repeat(123)}`, 4000, "x".repeat(123)],
  [[4000, "é".repeat(100)], `4000 ${"é".repeat(61)}`, 4000, "é".repeat(61)],
  [[0], "0 ", null, ""],
  [[1005], "1005 ", null, ""],
  [[1006], "1006 ", null, ""],
];

/** Codes that no close frame may say. */
const badCodes: [code: unknown, error: string, bun?: string][] = [
  ["1000", "TypeError"],
  [null, "TypeError"],
  ...[999, 1004, 1015, 1016, 2999, 5000, 65_536, -1, 1000.5, NaN].map((
    code,
  ): [unknown, string, string] => [code, "RangeError", "it sends any code"]),
];

function closedBy(
  name: string,
  close: (socket: CaseSocket) => void,
): ConformanceCase {
  return talk(
    `close runs inside ${name}`,
    (api) => ({
      message: (socket) => {
        api.log("before");
        close(socket);
        api.log(`after ${socket.readyState}`);
      },
      close: (socket, code) => api.log(`close ${code} ${socket.readyState}`),
    }),
    [{ send: text("x") }, { logged: "after 3" }],
    {
      log: [
        "before",
        name === "terminate" ? "close 1006 3" : "close 1000 3",
        "after 3",
      ],
    },
  );
}

export const cases: ConformanceCase[] = [
  ...table(closes, ([args, told, code, reason]) =>
    talk(
      `close(${
        args.map((arg) => String(JSON.stringify(arg)).slice(0, 12)).join(", ")
      })`,
      (api) => ({
        message: (socket) => socket.close(...args),
        close: (_, code, reason) => api.log(`${code} ${reason}`),
      }),
      [
        { send: text("x") },
        { receiveFrame: { opcode: "close", code, payload: reason } },
        { send: closing(code ?? undefined) },
        { closed: true },
      ],
      { log: [told] },
    )),
  ...table(badCodes, ([code, expected, bun]) =>
    talk(
      `close(${JSON.stringify(code) ?? code}) throws: ${code}`,
      (api) => ({
        message: (socket) => {
          try {
            socket.close(code);
          } catch (error) {
            api.log((error as Error).constructor.name);
          }
          api.log(`${socket.readyState}`);
        },
      }),
      [{ send: text("x") }, { logged: "1" }, goodbye()],
      { log: [expected, "1"], ...(bun && { bun }) },
    )),
  closedBy("close", (socket) => socket.close()),
  closedBy("terminate", (socket) => socket.terminate()),
  talk(
    "terminate sends what was sent before, and no close frame",
    () => ({
      message: (socket) => {
        socket.send("last words");
        socket.terminate();
      },
    }),
    [
      { send: text("x") },
      { receiveFrame: { opcode: "text", payload: "last words" } },
      { closed: true },
    ],
  ),
  talk(
    "close sends what was sent before",
    () => ({
      message: (socket) => {
        socket.send("x".repeat(1_000_000));
        socket.send("last words");
        socket.close(4001, "bye");
      },
    }),
    [
      { send: text("x") },
      { receiveFrame: { opcode: "text", payload: "x".repeat(1_000_000) } },
      { receiveFrame: { opcode: "text", payload: "last words" } },
      { receiveFrame: { opcode: "close", code: 4001, payload: "bye" } },
      { send: closing(4001) },
      { closed: true },
    ],
  ),
  talk(
    "close inside open",
    (api) => ({
      open: (socket) => {
        socket.send("hi");
        socket.close(4001, "full");
        api.log("opened");
      },
      close: (_, code, reason) => api.log(`close ${code} ${reason}`),
    }),
    [
      { receiveFrame: { opcode: "text", payload: "hi" } },
      { receiveFrame: { opcode: "close", code: 4001, payload: "full" } },
      { send: closing(4001) },
      { closed: true },
    ],
    { log: ["close 4001 full", "opened"] },
  ),
  talk(
    "terminate inside open",
    (api) => ({
      open: (socket) => {
        socket.send("hi");
        socket.terminate();
        api.log("opened");
      },
      close: (_, code) => api.log(`close ${code}`),
    }),
    [{ receiveFrame: { opcode: "text", payload: "hi" } }, { closed: true }],
    { log: ["close 1006", "opened"] },
  ),
  talk(
    "a closed socket does nothing",
    (api) => ({
      message: (socket) => {
        socket.subscribe("topic");
        socket.close(4001);
        socket.close(4002);
        socket.terminate();
        socket.pause();
        socket.resume();
        api.log([
          socket.readyState,
          socket.send("x"),
          socket.sendText("x"),
          socket.sendBinary(new Uint8Array(1)),
          socket.ping(),
          socket.pong(),
          socket.subscribe("topic"),
          socket.isSubscribed("topic"),
          socket.unsubscribe("topic"),
          socket.subscriptions.length,
          socket.getBufferedAmount(),
          socket.isPaused,
          socket.cork(() => "corked"),
        ].join(" "));
      },
      close: (_, code) => api.log(`close ${code}`),
    }),
    [
      { send: text("x") },
      { receiveFrame: { opcode: "close", code: 4001 } },
      { send: closing(4001) },
      { closed: true },
    ],
    { log: ["close 4001", "3 0 0 0 0 0 false false false 0 0 false corked"] },
  ),
  talk(
    "messages behind the one that closes are not delivered",
    (api) =>
      logging(api, {
        message: (socket, message) => {
          api.log(`${message}`);
          socket.close(4001);
        },
      }),
    [
      { send: together(text("a"), text("b"), text("c")) },
      { receiveFrame: { opcode: "close", code: 4001 } },
      { send: closing(4001) },
      { closed: true },
    ],
    { log: ["a", "close 4001"] },
  ),
  {
    name: "both sides close at the same time: one close handler",
    server: (api) =>
      sockets(logging(api, { message: (socket) => socket.close(4001) })),
    exchange: [
      connect(),
      { send: together(text("x"), closing(4002)) },
      // Whichever is quicker may be on the wire.
      { receiveFrame: { opcode: "close" } },
      { closed: true },
    ],
    log: ["close 4001"],
  },
  {
    name: "a client that does not answer a close is dropped",
    server: (api) =>
      sockets(logging(api, { message: (socket) => socket.close(4001) })),
    exchange: [
      connect(),
      { send: text("x") },
      { receiveFrame: { opcode: "close", code: 4001 } },
      { closed: true },
    ],
    log: ["close 4001"],
  },
  {
    name: "stop(true) closes sockets with 1001",
    server: (api) => sockets(logging(api)),
    exchange: [
      connect("a"),
      connect("b"),
      {
        run: (server, { log }) =>
          void server.stop(true).then(() => log("stopped")),
      },
      { receiveFrame: { opcode: "close", code: 1001 }, connection: "a" },
      { receiveFrame: { opcode: "close", code: 1001 }, connection: "b" },
      { send: closing(1001), connection: "a" },
      { send: closing(1001), connection: "b" },
      { closed: true, connection: "a" },
      { closed: true, connection: "b" },
      { logged: "stopped" },
    ],
    log: ["close 1001", "close 1001", "stopped"],
  },
  {
    name: "stop() waits for sockets",
    server: (api) =>
      sockets(logging(api, {
        message: (socket, message) => socket.send(message),
      })),
    exchange: [
      connect(),
      {
        run: (server, { log }) => void server.stop().then(() => log("stopped")),
      },
      { pause: 50 },
      { send: text("still here?") },
      { receiveFrame: { opcode: "text", payload: "still here?" } },
      goodbye(),
      { logged: "stopped" },
    ],
    log: ["close 1000", "stopped"],
  },
];
