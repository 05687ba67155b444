import { assert, assertEquals } from "@std/assert";
import { deflateRawSync } from "node:zlib";
import { frame, opcode, together } from "../conformance/web_socket.ts";
import { connectCrowd, countsOf } from "./crowd.ts";
import { scaled } from "./full.ts";
import { HostileProgram, peakOf, resetPeak, testOn } from "./program.ts";

const MEBIBYTE = 1024 * 1024;
/** `maxPayloadLength` of the program. */
const LIMIT = MEBIBYTE;
const DEFLATE = { "Sec-WebSocket-Extensions": "permessage-deflate" };
const COMPRESSED = { reserved: 4 };

/** Zeros as a compressed payload (RFC 7692, 7.2.1), about 1000:1. */
function zeros(length: number): Uint8Array {
  const blocks = deflateRawSync(new Uint8Array(length), { finishFlush: 2 });
  return blocks.subarray(0, -4);
}

const bombs: Record<string, (payload: Uint8Array) => Uint8Array> = {
  "in one frame": (payload) => frame(opcode.binary, payload, COMPRESSED),
  "in fragments": (payload) => {
    const parts = [
      frame(opcode.binary, [], { ...COMPRESSED, final: false }),
    ];
    for (let start = 0; start < payload.length; start += 1000) {
      const part = payload.subarray(start, start + 1000);
      parts.push(frame(opcode.continuation, part, { final: false }));
    }
    return together(...parts, frame(opcode.continuation));
  },
};

for (const [name, make] of Object.entries(bombs)) {
  testOn(
    ["native"],
    `what inflates to more than the limit ${name} is refused with 1009`,
    async (engine) => {
      await using program = await HostileProgram.start("web_sockets", engine);
      const size = scaled(100, 1000);
      const members = await connectCrowd(program.port, size, "/echo", DEFLATE);
      const bomb = make(zeros(128 * MEBIBYTE));
      assert(bomb.length < 256 * 1024);
      await resetPeak(program.pid);
      const before = peakOf(program.pid);
      for (const member of members) member.send(bomb);
      for (const member of members) {
        await member.until("a close frame", () => member.code !== undefined);
        assertEquals(member.code, 1009);
      }
      const grown = peakOf(program.pid) - before;
      // What came over the wire, and one message of the limit at a time.
      const allowed = 48 * MEBIBYTE + size * bomb.length;
      assert(grown < allowed, `Memory grew by ${grown} bytes`);
      for (const member of members) member.hangUp();
      assertEquals((await countsOf(program)).messages, 0);
    },
  );
}

testOn(
  ["native"],
  "many messages that inflate to the limit each stay small together",
  async (engine) => {
    await using program = await HostileProgram.start("web_sockets", engine);
    const messages = scaled(60, 400);
    const members = await connectCrowd(program.port, 10, "/sink", DEFLATE);
    const payload = zeros(LIMIT);
    // 1,024 bytes or so become a megabyte; together it is hundreds.
    const message = frame(opcode.binary, payload, COMPRESSED);
    await resetPeak(program.pid);
    const before = peakOf(program.pid);
    for (const member of members) {
      for (let count = 0; count < messages; count++) member.send(message);
      member.send(frame(opcode.ping, "done"));
    }
    for (const member of members) {
      await member.until("a pong", () => member.pongs.length > 0);
    }
    let counts = await countsOf(program);
    while (counts.messages < 10 * messages) counts = await countsOf(program);
    assertEquals(counts.bytes, 10 * messages * LIMIT);
    const grown = peakOf(program.pid) - before;
    // JavaScript lets that much garbage lie; all together is twice as much.
    assert(grown < 320 * MEBIBYTE, `Memory grew by ${grown} bytes`);
    for (const member of members) member.hangUp();
  },
);
