import { assert, assertEquals } from "@std/assert";
import { Connection } from "../conformance/client.ts";
import { eventually, HostileProgram, testOn } from "./program.ts";

testOn(
  ["native", "deno"],
  "a server that ran out of descriptors recovers",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine);
    await program.get("/static");
    const limit = program.usage().descriptors + 20;
    const { success } = await new Deno.Command("prlimit", {
      args: [`--pid=${program.pid}`, `--nofile=${limit}:${limit}`],
    }).output();
    assert(success);

    const connections: (Connection | void)[] = [];
    for (let index = 0; index < 100; index++) {
      // An engine that has to listen again refuses some meanwhile.
      const connection = await Connection.open(program.port).catch(() => {});
      await connection?.send("GET /number/7 HTTP/1.1\r\nHost: a\r\n\r\n");
      connections.push(connection);
    }
    // Those that were accepted are served all the same.
    assertEquals((await connections[0]!.response()).status, 200);
    for (const connection of connections) connection?.close();
    await eventually(
      "it answers again",
      async () => await program.get("/number/8").catch(() => "") === "8",
    );
  },
);
