import { assert, assertEquals } from "@std/assert";
import { frame, opcode, text } from "../conformance/web_socket.ts";
import { Connection } from "../conformance/client.ts";
import { connectCrowd, countsOf } from "./crowd.ts";
import { isFull, scaled } from "./full.ts";
import { HostileProgram, testOn } from "./program.ts";

const SOCKETS = 1000;
/** How long JavaScript is blocked, in milliseconds. */
const BLOCK = scaled(4_000, 10_000);
/** Pings of each client meanwhile. */
const PINGS = 5;

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

testOn(
  ["native"],
  `${SOCKETS} clients miss nothing while JavaScript is blocked for ${BLOCK} ms`,
  async (engine) => {
    await using program = await HostileProgram.start("web_sockets", engine, {
      // The least there is; in a full run it passes meanwhile.
      IDLE_TIMEOUT: "8",
    });
    const talkers = await connectCrowd(program.port, SOCKETS / 2);
    const silent = await connectCrowd(program.port, SOCKETS / 2);
    const blocker = await Connection.open(program.port);
    await blocker.send(`GET /block/${BLOCK} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await program.printed("blocked");

    for (let count = 0; count < PINGS; count++) {
      for (const member of talkers) {
        member.send(frame(opcode.ping, `ping ${count}`));
        member.send(text(`message ${count}`));
      }
      for (const member of talkers) {
        await member.until("a pong", () => member.pongs.length > count);
      }
      await rest(BLOCK / PINGS / 5);
    }
    assert(!program.output.includes("went on"), "JavaScript went on too early");
    assertEquals((await blocker.response()).status, 200);
    blocker.close();

    const expected = Array.from({ length: PINGS }, (_, count) => count);
    for (const member of talkers) {
      await member.until("echoes", () => member.messages.length >= PINGS);
      assertEquals(member.pongs, expected.map((count) => `ping ${count}`));
      assertEquals(
        member.messages,
        expected.map((count) => `message ${count}`),
      );
    }
    for (const member of [...talkers, ...silent]) {
      assertEquals([member.isOver, member.code], [false, undefined]);
      assert(!isFull || member.pings > 0 || talkers.includes(member));
    }
    const { closed, sockets } = await countsOf(program);
    assertEquals([closed, sockets], [0, SOCKETS]);
    for (const member of [...talkers, ...silent]) member.hangUp();
  },
);
