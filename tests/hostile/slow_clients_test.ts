import { assert } from "@std/assert";
import { Connection } from "../conformance/client.ts";
import { eventually, HostileProgram, testOn } from "./program.ts";

const limits = { IDLE_TIMEOUT: "3", HEAD_TIMEOUT: "3", CONTENT_RATE: "1000" };

/** Blocks the program's JavaScript for longer than all deadlines. */
async function block(program: HostileProgram): Promise<Connection> {
  const blocker = await Connection.open(program.port);
  await blocker.send("GET /block/15000 HTTP/1.1\r\nHost: a\r\n\r\n");
  await program.printed("blocked");
  return blocker;
}

/** Sends a byte now and then until the server has had enough. */
async function drip(connection: Connection, byte: string): Promise<void> {
  let over = false;
  const closed = connection.closed().catch(() => {}).then(() => over = true);
  while (!over) {
    await connection.send(byte);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await closed;
}

const clients: Record<string, (connection: Connection) => Promise<void>> = {
  async "sends a head by drips"(connection) {
    await connection.send("GET / HTTP/1.1\r\nHost: a\r\nX-Drip: ");
    await drip(connection, "x");
  },
  async "sends content by drips"(connection) {
    await connection.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    );
    await drip(connection, "x");
  },
  async "sends chunks by drips"(connection) {
    await connection.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    await drip(connection, "1\r\nx\r\n");
  },
  async "sends nothing"(connection) {
    await connection.closed();
  },
  async "asks once and stays"(connection) {
    await connection.send("GET /static HTTP/1.1\r\nHost: a\r\n\r\n");
    await connection.response();
    await connection.closed();
  },
};

for (const [name, client] of Object.entries(clients)) {
  testOn(
    ["native"],
    `a client that ${name} is cut while JavaScript is blocked`,
    async (engine) => {
      await using program = await HostileProgram.start(
        "server",
        engine,
        limits,
      );
      await program.get("/static");
      const connection = await Connection.open(program.port);
      // Headers and content of a request wait on the I/O thread.
      const over = client(connection);
      const blocker = await block(program);
      await over;
      assert(!program.output.includes("went on"), "JavaScript went on");
      blocker.close();
      connection.close();
    },
  );
}

testOn(
  ["native"],
  "a client that reads nothing is cut while JavaScript is blocked",
  async (engine) => {
    await using program = await HostileProgram.start("server", engine, limits);
    await eventually(
      "the large answer is ready",
      async () => (await program.get("/large")).length > 0,
    );
    const connection = await Connection.open(program.port);
    await connection.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    const blocker = await block(program);
    await eventually("it was cut", async () => {
      const metrics = await program.get("/metrics");
      return Number(/jstime_timeouts_total (\d+)/.exec(metrics)![1]) > 0;
    });
    assert(!program.output.includes("went on"), "JavaScript went on");
    blocker.close();
    const response = await connection.response().catch(() => undefined);
    assert(response === undefined || response.truncated);
    connection.close();
  },
);
