import { type ConformanceCase, table } from "../case.ts";
import {
  binary,
  closing,
  connect,
  frame,
  goodbye,
  logging,
  opcode,
  serverOf,
  sockets,
  socketsOfServer,
  talk,
  text,
  together,
} from "../web_socket.ts";

const tooLong: [name: string, bytes: Uint8Array<ArrayBuffer>][] = [
  ["text", text("123456")],
  ["bytes", binary([1, 2, 3, 4, 5, 6])],
  ["text that is longer in UTF-8", text("ééé")],
  [
    "fragments that add up",
    together(
      frame(opcode.text, "123", { final: false }),
      frame(opcode.continuation, "456"),
    ),
  ],
];

export const cases: ConformanceCase[] = [
  talk("messages up to maxPayloadLength", (api) => ({
    ...logging(api),
    maxPayloadLength: 5,
  }), [
    { send: together(text("12345"), text("éé"), binary([1, 2, 3, 4, 5])) },
    goodbye(),
  ], { log: ["text 12345", "text éé", "binary 1 2 3 4 5", "close 1000"] }),
  ...table(
    tooLong,
    ([name, bytes]) =>
      talk(`beyond maxPayloadLength: ${name}`, (api) => ({
        ...logging(api),
        maxPayloadLength: 5,
      }), [
        { send: bytes },
        { receiveFrame: { opcode: "close", code: 1009 } },
        { send: closing(1009) },
        { closed: true },
      ], { log: ["close 1006"] }),
  ),
  talk("a maxPayloadLength of 0", (api) => ({
    ...logging(api),
    maxPayloadLength: 0,
  }), [
    { send: text("") },
    { logged: "text " },
    { send: text("x") },
    { receiveFrame: { opcode: "close", code: 1009 } },
  ], { log: ["text ", "close 1006"] }),
  {
    name: "a message beyond the default of 16 MiB",
    server: (api) => sockets(logging(api)),
    exchange: [
      connect(),
      { send: binary(new Uint8Array(16 * 1024 * 1024 + 1)) },
      { receiveFrame: { opcode: "close", code: 1009 } },
    ],
    log: ["close 1006"],
  },
  talk("a declared length beyond the limit is refused at once", (api) => ({
    ...logging(api),
    maxPayloadLength: 1000,
  }), [
    { send: binary(new Uint8Array(1001)).subarray(0, 8) },
    { receiveFrame: { opcode: "close", code: 1009 } },
    { closed: true },
  ], {
    log: ["close 1006"],
    skip: { deno: "Deno shows a message when it is complete" },
  }),
  talk("a declared length of 2 ** 63", (api) => logging(api), [
    {
      send: Uint8Array.of(
        ...[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5],
      ),
    },
    {
      receiveFrame: { opcode: "close" },
      skip: { deno: "Deno drops the connection without a close frame" },
    },
    { closed: true },
  ], { log: ["close 1006"] }),
  talk("bytes that wait are counted", (api) => ({
    message: (socket) => {
      api.log(`${socket.getBufferedAmount()}`);
      socket.send("x".repeat(10));
      setTimeout(() => api.log(`${socket.getBufferedAmount()}`), 20);
    },
  }), [
    { send: text("x") },
    { receiveFrame: { opcode: "text", payload: "xxxxxxxxxx" } },
    { pause: 50 },
    goodbye(),
  ], { log: ["0", "0"] }),
  {
    name: "a slow client: -1, then 0, and drain when it is done",
    server: (api) => {
      const seen = new Set<number>();
      return sockets({
        backpressureLimit: 1024 * 1024,
        message: async (socket) => {
          const chunk = new Uint8Array(1024 * 1024);
          // The kernel takes some; then bytes wait; then they are dropped.
          for (let index = 0; index < 100 && !seen.has(0); index++) {
            seen.add(socket.send(chunk));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          api.log([...seen].join(" "));
        },
        drain: (socket) => {
          // On a busy machine it may have caught up before.
          if (!seen.has(0)) return;
          if (socket.getBufferedAmount() === 0) api.log("drained");
        },
      });
    },
    exchange: [
      connect(),
      { send: text("go") },
      { logged: "1048576 -1 0" },
      ...Array.from({ length: 4 }, () => ({
        receiveFrame: {
          opcode: "binary" as const,
          payload: new Uint8Array(1024 * 1024),
        },
      })),
      { logged: "drained" },
    ],
    log: ["1048576 -1 0", "drained"],
  },
  {
    name: "closeOnBackpressureLimit ends the connection",
    server: (api) =>
      sockets({
        backpressureLimit: 1024 * 1024,
        closeOnBackpressureLimit: true,
        message: async (socket) => {
          const chunk = new Uint8Array(1024 * 1024);
          while (socket.readyState === 1) {
            socket.send(chunk);
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          api.log("over");
        },
        close: (_, code) => api.log(`close ${code}`),
      }),
    exchange: [connect(), { send: text("go") }, { logged: "over" }],
    log: ["close 1006", "over"],
  },
  {
    name: "a slow subscriber does not delay others",
    server: () =>
      socketsOfServer({
        backpressureLimit: 1024 * 1024,
        message: (socket, message) => {
          if (message === "join") {
            socket.subscribe("t");
            socket.send("joined");
            return;
          }
          for (let index = 0; index < 30; index++) {
            serverOf(socket).publish("t", "x".repeat(1024 * 1024));
          }
          socket.send("published");
        },
      }),
    exchange: [
      connect("slow"),
      { send: text("join"), connection: "slow" },
      connect("quick"),
      { send: text("go"), connection: "quick" },
      {
        receiveFrame: { opcode: "text", payload: "published" },
        connection: "quick",
      },
      goodbye("quick"),
    ],
  },
];
