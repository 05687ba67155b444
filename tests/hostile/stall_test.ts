import { assert, assertEquals } from "@std/assert";
import { Connection } from "../conformance/client.ts";
import { eventually, HostileProgram, testOn } from "./program.ts";

/** Longer than everything that happens meanwhile. */
const BLOCK = "/block/4000";

/** A request whose answer is read later. */
async function begin(
  program: HostileProgram,
  path: string,
): Promise<Connection> {
  const connection = await Connection.open(program.port);
  await connection.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return connection;
}

/** Blocks the program's JavaScript while `during` runs. */
async function whileBlocked(
  program: HostileProgram,
  during: () => Promise<void>,
): Promise<void> {
  const blocker = await begin(program, BLOCK);
  await program.printed("blocked");
  let unblocked = false;
  const answer = blocker.response().then((response) => {
    unblocked = true;
    return response;
  });
  await during();
  assert(!unblocked, "JavaScript was not blocked long enough to tell");
  assertEquals((await answer).status, 200);
  blocker.close();
}

testOn(
  ["native"],
  "static routes, files and metrics are served while JavaScript is blocked",
  async (engine) => {
    const path = await Deno.makeTempFile();
    await Deno.writeTextFile(path, "a file");
    try {
      await using program = await HostileProgram.start("server", engine, {
        FILE: path,
      });
      await eventually(
        "static answers are ready",
        async () => await program.get("/static") === "static",
      );
      await whileBlocked(program, async () => {
        for (let round = 0; round < 20; round++) {
          assertEquals(await program.get("/static"), "static");
          assertEquals(await program.get("/file"), "a file");
        }
        assert(
          (await program.get("/metrics")).includes("jstime_connections "),
        );
      });
    } finally {
      await Deno.remove(path);
    }
  },
);

testOn(
  ["native"],
  "the health route answers 503 while JavaScript is blocked, then 200",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine);
    const health = async () => {
      const response = await fetch(`http://127.0.0.1:${program.port}/healthz`);
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await health(), 200);
    await whileBlocked(program, async () => {
      await eventually("it is 503", async () => await health() === 503);
    });
    await eventually("it is 200", async () => await health() === 200);
  },
);

testOn(
  ["native"],
  "more requests than may wait are answered 503",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine, {
      MAX_PENDING: "8",
    });
    await whileBlocked(program, async () => {
      const waiting = [];
      for (let index = 0; index < 8; index++) {
        waiting.push(await begin(program, "/enter"));
      }
      const refused = await begin(program, "/enter");
      const response = await refused.response();
      assertEquals(response.status, 503);
      const fields = new Map(response.headers);
      assertEquals(fields.get("retry-after"), "1");
      refused.close();
      waiting.forEach((connection) => connection.close());
    });
  },
);

testOn(
  ["native"],
  "a request whose client has left never enters JavaScript",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine);
    await whileBlocked(program, async () => {
      const clients = [];
      for (let index = 0; index < 50; index++) {
        clients.push(await begin(program, "/enter"));
      }
      // Who ends at once may have said all there is to say, and still listen.
      await new Promise((resolve) => setTimeout(resolve, 500));
      for (const client of clients) client.close();
      // Only then all of them have been seen to leave.
      const pattern = /jstime_connections (\d+)/;
      await eventually(
        "only the blocker and this one are connected",
        async () => {
          const metrics = await program.get("/metrics");
          return Number(pattern.exec(metrics)![1]) <= 2;
        },
      );
    });
    assertEquals(await program.get("/entered"), "0");
  },
);
