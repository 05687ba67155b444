import { assert, assertEquals } from "@std/assert";
import { frame, opcode, text, together } from "../conformance/web_socket.ts";
import { connectCrowd, countsOf, Member } from "./crowd.ts";
import { scaled } from "./full.ts";
import { eventually, HostileProgram, testOn } from "./program.ts";

const MEBIBYTE = 1024 * 1024;
const SOCKETS = 1000;

/** One byte of a message that never ends, again and again. */
function endless(fragments: number): Uint8Array<ArrayBuffer> {
  const more = frame(opcode.continuation, "x", { final: false });
  const bytes = new Uint8Array(fragments * more.length);
  for (let index = 0; index < fragments; index++) {
    bytes.set(more, index * more.length);
  }
  return bytes;
}

testOn(
  ["native", "deno"],
  "1,000 clients that send fragments of one byte without end stay small",
  async (engine) => {
    const fragments = scaled(1_000, 20_000);
    await using program = await HostileProgram.start("web_sockets", engine);
    const members = await connectCrowd(program.port, SOCKETS);
    const before = program.usage().memory;
    const first = frame(opcode.text, "x", { final: false });
    const bytes = together(first, endless(fragments));
    for (const member of members) member.send(bytes);
    // All have been read up to here when the ping behind is answered.
    for (const member of members) member.send(frame(opcode.ping, "done"));
    for (const member of members) {
      await member.until("a pong", () => member.pongs.length > 0);
    }
    const grown = program.usage().memory - before;
    // A message may keep twice what has arrived of it.
    const allowed = 48 * MEBIBYTE + 2 * SOCKETS * fragments;
    assert(grown < allowed, `Memory grew by ${grown} bytes`);

    const other = await Member.connect(program.port);
    other.send(text("still here"));
    await other.until("an echo", () => other.messages.length > 0);
    assertEquals(other.messages, ["still here"]);
    for (const member of members) member.reset();
    other.hangUp();
    await eventually(
      "all are closed",
      async () => (await countsOf(program)).sockets === 0,
    );
    assertEquals((await countsOf(program)).messages, 1);
  },
);

testOn(
  ["native"],
  "a message of too many fragments is refused with 1008",
  async (engine) => {
    await using program = await HostileProgram.start("web_sockets", engine);
    const member = await Member.connect(program.port);
    member.send(frame(opcode.text, "x", { final: false }));
    member.send(endless(131_073));
    await member.until("a close frame", () => member.code !== undefined);
    assertEquals(member.code, 1008);
    member.hangUp();
  },
);
