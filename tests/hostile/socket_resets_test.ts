import { assertEquals } from "@std/assert";
import { deflateRawSync } from "node:zlib";
import { connect } from "node:net";
import {
  binary,
  closing,
  frame,
  handshake,
  opcode,
  text,
  together,
} from "../conformance/web_socket.ts";
import { countsOf } from "./crowd.ts";
import { eventually, HostileProgram, testOn } from "./program.ts";

const compressed = deflateRawSync("some compressed text", { finishFlush: 2 })
  .subarray(0, -4);

/** Something of everything that a client says, after its handshake. */
const conversation = together(
  text("hello"),
  frame(opcode.ping, "?"),
  frame(opcode.text, "one ", { final: false }),
  frame(opcode.ping, "!"),
  frame(opcode.continuation, "two"),
  binary(new Uint8Array(300)),
  closing(1000, "enough"),
);
const compressedConversation = together(
  frame(opcode.text, compressed, { reserved: 4 }),
  frame(opcode.text, compressed, { reserved: 4, final: false }),
  frame(opcode.continuation),
);

/** Sends a handshake and some bytes, then resets the connection. */
function sendAndReset(
  port: number,
  shake: string,
  bytes: Uint8Array,
  waits: boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      if (waits) {
        socket.write(shake);
        socket.once("data", () => {
          socket.write(bytes, () => socket.resetAndDestroy());
        });
      } else {
        socket.write(together(shake, bytes), () => socket.resetAndDestroy());
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

testOn(
  ["native", "deno"],
  "WebSockets that are reset at any byte are closed once",
  async (engine) => {
    await using program = await HostileProgram.start("web_sockets", engine);
    await program.get("/counts");
    const before = program.usage();
    const plain = handshake({}, "GET /echo");
    const deflate = handshake({
      "Sec-WebSocket-Extensions": "permessage-deflate",
    }, "GET /echo");
    const runs: [string, Uint8Array][] = [
      [plain, conversation],
      ...(engine === "native"
        ? [[deflate, compressedConversation] as [string, Uint8Array]]
        : []),
    ];
    for (const [shake, bytes] of runs) {
      for (const waits of [true, false]) {
        const attempts = [];
        for (let length = waits ? 1 : 0; length <= bytes.length; length++) {
          const part = bytes.subarray(0, length);
          attempts.push(sendAndReset(program.port, shake, part, waits));
        }
        await Promise.all(attempts);
      }
    }
    await eventually("all are closed", async () => {
      const { sockets, opened, closed } = await countsOf(program);
      return sockets === 0 && opened === closed;
    });
    const { codes, opened, subscribers } = await countsOf(program);
    const closes = Object.values(codes).reduce((a, b) => a + b, 0);
    assertEquals([closes, subscribers], [opened, 0]);
    // Deno never gives back those of clients that left in the handshake, and
    // opens a few of its own.
    if (engine === "deno") return;
    await eventually(
      "descriptors are back",
      () => program.usage().descriptors <= before.descriptors + 5,
    );
  },
);
