import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { eventually, HostileProgram, testOn } from "./program.ts";

const exchanges: Record<string, string> = {
  "a request without content": "GET /number/1 HTTP/1.1\r\nHost: a\r\n\r\n",
  "content of known length":
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "chunked content":
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "5;x=y\r\nhello\r\n0\r\n\r\n",
  "content that waits for 100":
    "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n" +
    "Content-Length: 5\r\n\r\nhello",
  "pipelined requests":
    "GET /static HTTP/1.1\r\nHost: a\r\n\r\nGET /number/1 HTTP/1.1\r\nHost: a\r\n\r\n",
  "a large answer": "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
};

/** Sends some bytes, then resets the connection. */
function sendAndReset(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes, () => socket.resetAndDestroy());
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

testOn(
  ["native", "deno"],
  "clients that reset at any byte leave nothing behind",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine);
    assertEquals(await program.get("/number/1"), "1");
    const before = program.usage();
    for (const text of Object.values(exchanges)) {
      const attempts = [];
      for (let length = 0; length <= text.length; length++) {
        attempts.push(sendAndReset(program.port, text.slice(0, length)));
      }
      await Promise.all(attempts);
      assertEquals(await program.get("/number/2"), "2");
    }
    await eventually("descriptors are back", () => {
      return program.usage().descriptors <= before.descriptors + 1;
    });
  },
);
