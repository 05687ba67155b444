import { assert, assertEquals } from "@std/assert";
import { Connection } from "../conformance/client.ts";
import { HostileProgram, testOn } from "./program.ts";

const REQUESTS = 10_000;

function requests(path: (index: number) => string): string {
  let text = "";
  for (let index = 0; index < REQUESTS; index++) {
    text += `GET ${path(index)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  }
  return text;
}

testOn(
  ["native", "deno"],
  "10,000 pipelined requests are answered in order",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine);
    const connection = await Connection.open(program.port);
    // Every third is answered without running code.
    const isStatic = (index: number) => index % 3 === 0;
    const sent = connection.send(
      requests((index) => isStatic(index) ? "/static" : `/number/${index}`),
    );
    const decoder = new TextDecoder();
    for (let index = 0; index < REQUESTS; index++) {
      const { status, body } = await connection.response();
      assertEquals(status, 200);
      assertEquals(
        decoder.decode(body),
        isStatic(index) ? "static" : String(index),
      );
    }
    await sent;
    connection.close();
  },
);

testOn(
  ["native", "deno"],
  "pipelined requests of a client that does not read stay small",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine);
    await program.get("/kilobytes/0");
    const before = program.usage().memory;
    const connection = await Connection.open(program.port);
    // The answers make 100 MB.
    const sent = connection.send(requests((index) => `/kilobytes/${index}`));
    for (let round = 0; round < 20; round++) {
      await program.get("/static");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const grown = program.usage().memory - before;
    assert(grown < 64 * 1024 * 1024, `Memory grew by ${grown} bytes`);
    for (let index = 0; index < REQUESTS; index++) {
      const { body } = await connection.response();
      assertEquals(body.length, 10 * 1024);
    }
    await sent;
    connection.close();
  },
);
