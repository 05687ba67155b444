import { type ConformanceCase, table } from "../case.ts";
import {
  binary,
  closing,
  connect,
  frame,
  logging,
  opcode,
  sockets,
  text,
  together,
} from "../web_socket.ts";

const NO_FRAME = "Deno drops the connection without a close frame";

/** What a client must not send, and the code that answers it. */
const violations: [
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  code: number,
  skip?: string,
  bun?: string,
][] = [
  ["RSV1", frame(opcode.text, "x", { reserved: 4 }), 1002],
  ["RSV2", frame(opcode.text, "x", { reserved: 2 }), 1002],
  ["RSV3", frame(opcode.text, "x", { reserved: 1 }), 1002],
  ["RSV1 on a control frame", frame(opcode.ping, "x", { reserved: 4 }), 1002],
  ["opcode 3", frame(3, "x"), 1002],
  ["opcode 7", frame(7, "x"), 1002],
  ["opcode 11", frame(11, "x"), 1002],
  ["opcode 15", frame(15, "x"), 1002],
  [
    "an unmasked message",
    frame(opcode.text, "x", { masked: false }),
    1002,
    "Deno accepts unmasked frames",
  ],
  [
    "an unmasked ping",
    frame(opcode.ping, "x", { masked: false }),
    1002,
    "Deno accepts unmasked frames",
  ],
  ["a fragmented ping", frame(opcode.ping, "x", { final: false }), 1002],
  ["a fragmented close", frame(opcode.close, "", { final: false }), 1002],
  ["a ping of 126 bytes", frame(opcode.ping, new Uint8Array(126)), 1002],
  [
    "a pong of 126 bytes",
    frame(opcode.pong, new Uint8Array(126)),
    1002,
    "Deno accepts long pongs",
  ],
  [
    "a close of 126 bytes",
    closing(1000, "x".repeat(124)),
    1002,
    "Deno accepts long close frames",
  ],
  ["a continuation of nothing", frame(opcode.continuation, "x"), 1002],
  [
    "a continuation after a whole message",
    together(text("m"), frame(opcode.continuation, "x")),
    1002,
  ],
  [
    "text inside a fragmented message",
    together(frame(opcode.text, "a", { final: false }), text("b")),
    1002,
  ],
  [
    "a fragment of another message inside a message",
    together(
      frame(opcode.text, "a", { final: false }),
      frame(opcode.text, "b", { final: false }),
      frame(opcode.continuation, "c"),
    ),
    1002,
    "in Deno a second unfinished message replaces the first",
  ],
  [
    "bytes inside a fragmented message",
    together(frame(opcode.text, "a", { final: false }), binary([1])),
    1002,
  ],
  [
    "a length in two bytes that fits in one",
    frame(opcode.text, "x", { lengthBytes: 2 }),
    1002,
    "Deno accepts lengths in longer forms",
    "it accepts lengths in longer forms",
  ],
  [
    "a length in eight bytes that fits in one",
    frame(opcode.text, "x", { lengthBytes: 8 }),
    1002,
    "Deno accepts lengths in longer forms",
    "it accepts lengths in longer forms",
  ],
  ["text that is not UTF-8", frame(opcode.text, [0xff]), 1007],
  ["an overlong character", frame(opcode.text, [0xc0, 0xaf]), 1007],
  ["a surrogate", frame(opcode.text, [0xed, 0xa0, 0x80]), 1007],
  [
    "a character above U+10FFFF",
    frame(opcode.text, [0xf4, 0x90, 0x80, 0x80]),
    1007,
  ],
  ["text that ends inside a character", frame(opcode.text, [0xc3]), 1007],
  [
    "fragments that are not UTF-8",
    together(
      frame(opcode.text, [0xc3], { final: false }),
      frame(opcode.continuation, [0x28]),
    ),
    1007,
  ],
  ["a close of one byte", frame(opcode.close, [3]), 1002],
  [
    "a close reason that is not UTF-8",
    frame(opcode.close, [3, 232, 0xff]),
    1007,
  ],
];

const badCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];
const goodCodes = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...[3000, 3999, 4000, 4999],
];

export const cases: ConformanceCase[] = [
  ...table(violations, ([name, bytes, code, skip, bun]) => ({
    name: `${name} ends the connection`,
    server: (api) => sockets(logging(api, { message: () => {} })),
    exchange: [
      connect(),
      { send: bytes },
      { receiveFrame: { opcode: "close", code }, skip: { deno: NO_FRAME } },
      { closed: true },
    ],
    log: ["close 1006"],
    ...(skip && { skip: { deno: skip } }),
    ...(bun && { bun }),
  })),
  ...table(badCodes, (code) => ({
    name: `a close with code ${code} is refused`,
    server: (api) => sockets(logging(api)),
    exchange: [
      connect(),
      { send: closing(code) },
      { receiveFrame: { opcode: "close", code: 1002 } },
      { closed: true },
    ],
    log: ["close 1006"],
  })),
  ...table(goodCodes, (code) => ({
    name: `a close with code ${code} is answered with it`,
    server: (api) =>
      sockets({
        close: (_, code, reason) => api.log(`${code} ${reason}`),
      }),
    exchange: [
      connect(),
      { send: closing(code, "bye") },
      { receiveFrame: { opcode: "close", code, payload: "bye" } },
      { closed: true },
    ],
    log: [`${code} bye`],
    ...(code === 1014 && { skip: { deno: "Deno does not know code 1014" } }),
  })),
  {
    name: "an empty close is answered with an empty one",
    server: (api) => sockets(logging(api)),
    exchange: [
      connect(),
      { send: closing() },
      { receiveFrame: { opcode: "close", code: null } },
      { closed: true },
    ],
    log: ["close 1005"],
  },
  {
    name: "a reason of 123 bytes",
    server: (api) =>
      sockets({ close: (_, code, reason) => api.log(`${code} ${reason}`) }),
    exchange: [
      connect(),
      { send: closing(4000, "x".repeat(123)) },
      { receiveFrame: { opcode: "close", code: 4000 } },
      { closed: true },
    ],
    log: [`4000 ${"x".repeat(123)}`],
  },
  {
    name: "nothing counts after a close",
    server: (api) => sockets(logging(api)),
    exchange: [
      connect(),
      { send: together(text("a"), closing(1000), text("b"), closing(1001)) },
      { receiveFrame: { opcode: "close", code: 1000 } },
      { closed: true },
    ],
    log: ["text a", "close 1000"],
  },
  {
    name: "a connection that ends without a close frame",
    server: (api) => sockets(logging(api)),
    exchange: [connect(), { halfClose: true }, { closed: true }],
    log: ["close 1006"],
  },
  {
    name: "a connection that ends inside a frame",
    server: (api) => sockets(logging(api)),
    exchange: [
      connect(),
      { send: text("hello").subarray(0, 7) },
      { halfClose: true },
      { closed: true },
    ],
    log: ["close 1006"],
  },
  {
    name: "a connection that ends inside a message",
    server: (api) => sockets(logging(api)),
    exchange: [
      connect(),
      { send: frame(opcode.text, "hello", { final: false }) },
      { halfClose: true },
      { closed: true },
    ],
    log: ["close 1006"],
  },
  {
    name: "a client that is gone at once",
    server: (api) => sockets(logging(api)),
    exchange: [connect(), { close: true }, { logged: "close 1006" }],
    log: ["close 1006"],
  },
];
