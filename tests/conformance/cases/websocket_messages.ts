import { type ConformanceCase, table } from "../case.ts";
import {
  binary,
  type CaseSocket,
  connect,
  describeMessage,
  frame,
  goodbye,
  logging,
  opcode,
  sockets,
  talk,
  text,
  together,
} from "../web_socket.ts";

const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000];

/** What is sent, the status, and the frame that arrives. */
const sent: [
  name: string,
  data: () => unknown,
  status: number,
  kind: "text" | "binary",
  payload: string | number[],
][] = [
  ["text", () => "héllo", 6, "text", "héllo"],
  ["empty text", () => "", 0, "text", ""],
  ["a lone surrogate", () => "a\ud800", 4, "text", "a\ufffd"],
  ["bytes", () => Uint8Array.of(1, 2, 3), 3, "binary", [1, 2, 3]],
  ["no bytes", () => new Uint8Array(0), 0, "binary", []],
  [
    "part of a buffer",
    () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
    2,
    "binary",
    [2, 3],
  ],
  ["an ArrayBuffer", () => Uint8Array.of(1, 2).buffer, 2, "binary", [1, 2]],
  [
    "a DataView",
    () => new DataView(Uint8Array.of(1, 2, 3).buffer, 1, 2),
    2,
    "binary",
    [2, 3],
  ],
  [
    "wider elements",
    () => Uint16Array.of(0x0101, 0x0202),
    4,
    "binary",
    [1, 1, 2, 2],
  ],
  [
    "a SharedArrayBuffer",
    () => {
      const buffer = new SharedArrayBuffer(2);
      new Uint8Array(buffer).set([1, 2]);
      return buffer;
    },
    2,
    "binary",
    [1, 2],
  ],
  ["a Blob", () => new Blob(["blob"]), 4, "binary", [98, 108, 111, 98]],
  ["a number", () => 5, 1, "text", "5"],
  ["a boolean", () => true, 4, "text", "true"],
  ["an object", () => ({ toString: () => "own" }), 3, "text", "own"],
  ["a String", () => new String("s"), 1, "text", "s"],
];

/** Binary messages by `binaryType`. */
const binaryTypes: [type: string, name: string][] = [
  ["nodebuffer", "Buffer"],
  ["arraybuffer", "ArrayBuffer"],
  ["uint8array", "Uint8Array"],
  ["blob", "Blob"],
];

/** Logs what a call returns, or the class of what it throws. */
function attempt(call: () => unknown): string {
  try {
    return String(call());
  } catch (error) {
    return error instanceof Error ? "Error" : "not an Error";
  }
}

const echo = {
  message: (socket: CaseSocket, data: unknown) => socket.send(data),
};

export const cases: ConformanceCase[] = [
  ...table(lengths, (length) => ({
    name: `an echo of ${length} bytes of text`,
    server: () => sockets(echo),
    exchange: [
      connect(),
      { send: text("x".repeat(length)) },
      { receiveFrame: { opcode: "text", payload: "x".repeat(length) } },
      goodbye(),
    ],
  })),
  ...table(lengths, (length) => {
    const content = Uint8Array.from({ length }, (_, index) => index * 7);
    return {
      name: `an echo of ${length} bytes`,
      server: () => sockets(echo),
      exchange: [
        connect(),
        { send: binary(content) },
        { receiveFrame: { opcode: "binary", payload: content } },
        goodbye(),
      ],
    };
  }),
  talk(
    "a message in pieces of one byte",
    () => echo,
    [
      ...Array.from(text("héllo"), (byte) => ({
        send: Uint8Array.of(byte),
      })),
      { receiveFrame: { opcode: "text", payload: "héllo" } },
      goodbye(),
    ],
  ),
  talk("several messages in one write keep their order", () => echo, [
    {
      send: together(
        ...Array.from({ length: 50 }, (_, index) => text(`${index}`)),
      ),
    },
    ...Array.from({ length: 50 }, (_, index) => ({
      receiveFrame: { opcode: "text" as const, payload: `${index}` },
    })),
  ]),
  talk("text keeps every character", () => echo, [
    { send: text("\0\ufeff é ü 漢 😀 \u2028") },
    { receiveFrame: { opcode: "text", payload: "\0\ufeff é ü 漢 😀 \u2028" } },
  ]),
  talk("fragments make one message", (api) => logging(api), [
    { send: frame(opcode.text, "a", { final: false }) },
    { send: frame(opcode.continuation, "b", { final: false }) },
    { send: frame(opcode.continuation, "c") },
    { logged: "text abc" },
  ], { log: ["text abc", "close 1006"] }),
  talk("empty fragments", (api) => logging(api), [
    {
      send: together(
        frame(opcode.binary, "", { final: false }),
        frame(opcode.continuation, "", { final: false }),
        frame(opcode.continuation, [7]),
      ),
    },
    { logged: "binary 7" },
  ], { log: ["binary 7", "close 1006"] }),
  talk("a character split over fragments", (api) => logging(api), [
    {
      send: together(
        frame(opcode.text, [0xc3], { final: false }),
        frame(opcode.continuation, [0xa9]),
      ),
    },
    { logged: "text é" },
  ], { log: ["text é", "close 1006"] }),
  talk("a ping between fragments", (api) => logging(api), [
    {
      send: together(
        frame(opcode.text, "a", { final: false }),
        frame(opcode.ping, "p"),
        frame(opcode.continuation, "b"),
      ),
    },
    { receiveFrame: { opcode: "pong", payload: "p" } },
    { logged: "text ab" },
  ], { log: ["text ab", "close 1006"] }),
  talk("pings are answered with their payload", () => ({}), [
    { send: frame(opcode.ping) },
    { receiveFrame: { opcode: "pong", payload: "" } },
    { send: frame(opcode.ping, "x".repeat(125)) },
    { receiveFrame: { opcode: "pong", payload: "x".repeat(125) } },
    goodbye(),
  ]),
  talk(
    "pings and pongs are shown",
    (api) => ({
      ping: (_, data) => api.log(`ping ${data}`),
      pong: (_, data) => api.log(`pong ${data}`),
    }),
    [
      { send: frame(opcode.ping, "a") },
      { receiveFrame: { opcode: "pong", payload: "a" } },
      { send: frame(opcode.pong, "b") },
    ],
    {
      log: ["ping a", "pong b"],
      skip: { deno: "Deno keeps pings and pongs to itself" },
    },
  ),
  talk(
    "pings and pongs can be sent",
    (api) => ({
      open: (socket) => {
        api.log(`${socket.ping("a")} ${socket.pong(Uint8Array.of(98))}`);
        api.log(`${socket.ping()}`);
      },
    }),
    [
      { receiveFrame: { opcode: "ping", payload: "a" } },
      { receiveFrame: { opcode: "pong", payload: "b" } },
      { receiveFrame: { opcode: "ping", payload: "" } },
    ],
    { log: ["1 1", "0"], skip: { deno: "Deno cannot send pings" } },
  ),
  talk(
    "control frames hold at most 125 bytes",
    (api) => ({
      open: (socket) => {
        for (const call of ["ping", "pong"] as const) {
          try {
            socket[call]("é".repeat(63));
          } catch (error) {
            api.log((error as Error).constructor.name);
          }
        }
      },
    }),
    [goodbye()],
    { log: ["RangeError", "RangeError"] },
  ),
  talk("an unsolicited pong is no message", (api) => logging(api), [
    { send: together(frame(opcode.pong, "p"), text("x")) },
    { logged: "text x" },
  ], { log: ["text x", "close 1006"] }),
  ...table(sent, ([name, data, status, kind, payload]) => ({
    name: `sending ${name}`,
    server: (api) =>
      sockets({
        message: (socket) => api.log(`${socket.send(data())}`),
      }),
    exchange: [
      connect(),
      { send: text("go") },
      {
        receiveFrame: {
          opcode: kind,
          payload: typeof payload === "string"
            ? payload
            : Uint8Array.from(payload),
        },
      },
      goodbye(),
    ],
    log: [`${status}`],
  })),
  talk(
    "sendText and sendBinary",
    (api) => ({
      open: (socket) => {
        const bytes = Uint8Array.of(1);
        api.log(attempt(() => socket.sendText("é")));
        api.log(attempt(() => socket.sendBinary(bytes)));
        api.log(attempt(() => socket.sendText(bytes)));
        api.log(attempt(() => socket.sendBinary("x")));
      },
    }),
    [
      { receiveFrame: { opcode: "text", payload: "é" } },
      { receiveFrame: { opcode: "binary", payload: Uint8Array.of(1) } },
      goodbye(),
    ],
    { log: ["2", "1", "Error", "Error"] },
  ),
  talk(
    "sending nothing throws",
    (api) => ({
      open: (socket) => {
        for (const value of [undefined, null, Symbol("x")]) {
          api.log(attempt(() => socket.send(value)));
        }
      },
    }),
    [goodbye()],
    { log: ["Error", "Error", "Error"] },
  ),
  talk("a buffer may be reused as soon as it was sent", () => ({
    open: (socket) => {
      const bytes = Uint8Array.of(1);
      socket.send(bytes);
      bytes[0] = 2;
      socket.send(bytes);
      bytes[0] = 3;
    },
    message: (socket) => {
      const bytes = Uint8Array.of(4);
      socket.send(bytes);
      bytes[0] = 5;
      socket.send(bytes);
      bytes[0] = 6;
    },
  }), [
    { receiveFrame: { opcode: "binary", payload: Uint8Array.of(1) } },
    { receiveFrame: { opcode: "binary", payload: Uint8Array.of(2) } },
    { send: text("x") },
    { receiveFrame: { opcode: "binary", payload: Uint8Array.of(4) } },
    { receiveFrame: { opcode: "binary", payload: Uint8Array.of(5) } },
  ]),
  talk("a Blob keeps its place", () => ({
    message: (socket) => {
      socket.send("a");
      socket.send(new Blob(["b"]));
      socket.send("c");
      socket.send(Uint8Array.of(100));
      socket.send(new Blob(["e"]));
      socket.close(4000, "f");
    },
  }), [
    { send: text("x") },
    { receiveFrame: { opcode: "text", payload: "a" } },
    { receiveFrame: { opcode: "binary", payload: "b" } },
    { receiveFrame: { opcode: "text", payload: "c" } },
    { receiveFrame: { opcode: "binary", payload: "d" } },
    { receiveFrame: { opcode: "binary", payload: "e" } },
    { receiveFrame: { opcode: "close", code: 4000, payload: "f" } },
  ]),
  talk("what open sends comes first, in order", () => ({
    open: (socket) => {
      socket.send("one");
      socket.send(Uint8Array.of(2));
      socket.send(new Blob(["three"]));
      socket.send("four");
    },
    message: (socket) => socket.send("five"),
  }), [
    { send: text("x") },
    { receiveFrame: { opcode: "text", payload: "one" } },
    { receiveFrame: { opcode: "binary", payload: Uint8Array.of(2) } },
    { receiveFrame: { opcode: "binary", payload: "three" } },
    { receiveFrame: { opcode: "text", payload: "four" } },
    { receiveFrame: { opcode: "text", payload: "five" } },
  ]),
  ...table(binaryTypes, ([type, name]) =>
    talk(
      `binary messages as ${type}`,
      (api) => ({
        open: (socket) => {
          socket.binaryType = type;
          api.log(socket.binaryType);
        },
        message: (_, message) => api.log(message.constructor.name),
      }),
      [
        { send: binary([1, 2]) },
        { logged: name },
        { send: text("x") },
        { logged: "String" },
      ],
      { log: [type, name, "String"] },
    )),
  talk(
    "binary messages are Buffers that own their memory",
    (api) => ({
      message: (socket, message) => {
        const { byteOffset, buffer, length } = message as Uint8Array;
        api.log(
          `${socket.binaryType} ${message.constructor.name} ` +
            `${byteOffset} ${buffer.byteLength} ${length}`,
        );
      },
    }),
    [
      { send: binary([1, 2, 3]) },
      { send: binary([]) },
      { send: binary(new Uint8Array(70_000)) },
      { logged: "nodebuffer Buffer 0 70000 70000" },
    ],
    {
      log: [
        "nodebuffer Buffer 0 3 3",
        "nodebuffer Buffer 0 0 0",
        "nodebuffer Buffer 0 70000 70000",
      ],
    },
  ),
  talk(
    "binaryType accepts only the four",
    (api) => ({
      open: (socket) => {
        for (const type of ["text", "", undefined, null, 5]) {
          api.log(attempt(() => socket.binaryType = type as string));
        }
        api.log(socket.binaryType);
      },
    }),
    [goodbye()],
    { log: ["Error", "Error", "Error", "Error", "Error", "nodebuffer"] },
  ),
  talk(
    "cork runs its callback and returns what that returns",
    (api) => ({
      open: (socket) => {
        const result = socket.cork((same) => {
          same.send("a");
          same.send("b");
          return same === socket;
        });
        api.log(`${result}`);
        api.log(attempt(() => socket.cork(undefined as never)));
        api.log(attempt(() =>
          socket.cork(() => {
            throw new Error("mine");
          })
        ));
      },
    }),
    [
      { receiveFrame: { opcode: "text", payload: "a" } },
      { receiveFrame: { opcode: "text", payload: "b" } },
      goodbye(),
    ],
    { log: ["true", "Error", "Error"] },
  ),
  talk(
    "a paused socket delivers everything after it resumed",
    (api) => {
      let paused: CaseSocket;
      return {
        open: (socket) => {
          paused = socket;
          socket.pause();
          api.log(`${socket.isPaused}`);
          setTimeout(() => {
            api.log("resume");
            paused.resume();
          }, 100);
        },
        message: (socket, message) =>
          api.log(`${describeMessage(message)} ${socket.isPaused}`),
        close: (socket, code) => api.log(`close ${code} ${socket.isPaused}`),
      };
    },
    [
      { send: together(text("a"), text("b")) },
      { logged: "text b false" },
      goodbye(),
    ],
    {
      log: [
        "true",
        "resume",
        "text a false",
        "text b false",
        "close 1000 false",
      ],
    },
  ),
  talk(
    "a paused socket can send",
    () => ({
      open: (socket) => {
        socket.pause();
        setTimeout(() => socket.send("still here"), 10);
      },
    }),
    [{ receiveFrame: { opcode: "text", payload: "still here" } }],
  ),
  talk(
    "a paused socket can be closed",
    (api) => ({
      ...logging(api),
      open: (socket) => {
        socket.pause();
        setTimeout(() => socket.close(4001), 20);
      },
    }),
    [
      { send: text("never read") },
      { receiveFrame: { opcode: "close", code: 4001 } },
    ],
    { log: ["close 4001"] },
  ),
];
