/**
 * Event streams whose clients, or whose server's JavaScript, behave badly.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Connection } from "../conformance/client.ts";
import { eventually, HostileProgram, testOn } from "../hostile/program.ts";
import { EventClient } from "./event_client.ts";

const ENGINES = ["native", "deno"] as const;
const MEBIBYTE = 1024 * 1024;

/** The program that is tested; see `tests/hostile/programs/events.ts`. */
async function start(engine: "native" | "deno"): Promise<HostileProgram> {
  const program = await HostileProgram.start("events", engine);
  await program.get("/count");
  return program;
}

testOn(
  ["native"],
  "heartbeats go on while JavaScript is blocked",
  async (engine) => {
    await using program = await start(engine);
    using client = await EventClient.open(program.port, "/beating");
    const blocker = await Connection.open(program.port);
    await blocker.send("GET /block/3000 HTTP/1.1\r\nHost: a\r\n\r\n");
    await program.printed("blocked");
    let isBlocked = true;
    const answer = blocker.response().then(() => isBlocked = false);
    const length = client.content.length;
    await client.until((content) =>
      content.length >= length + 5 * ":\n\n".length
    );
    assert(isBlocked, "JavaScript was not blocked long enough to tell");
    await answer;
    blocker.close();
  },
);

testOn(
  ENGINES,
  "a slow client is cut while others are served",
  async (engine) => {
    await using program = await start(engine);
    // It asks, and reads nothing.
    using slow = await EventClient.ask(program.port, "/events");
    await eventually(
      "it listens",
      async () => await program.get("/count") === "1",
    );
    using fast = await EventClient.open(program.port, "/events");
    const before = program.usage().memory;
    let sent = 0;
    // What systems keep for a connection comes first.
    while (await program.get("/count") === "2") {
      await program.get("/publish/10/100000");
      sent += 10;
      await fast.until(() => fast.events.length >= sent);
      assert(sent < 5_000, "it is never cut");
    }
    assertEquals(await program.get("/count"), "1");
    await program.get("/publish/10/100000");
    await fast.received(sent + 10);
    const grown = (program.usage().memory - before) / MEBIBYTE;
    assert(grown < 150, `${grown} MiB for ${sent / 10} MB`);
    // It reads what was on its way, and no more.
    slow.listen();
    assertEquals(await slow.ended(), "cut");
    const seen = slow.events.length;
    assert(seen < sent);
    // It comes again. Of what is kept, nothing is missing.
    const { id } = slow.events.at(-1)!;
    using again = await EventClient.open(program.port, "/events", {
      lastId: id,
    });
    await program.get("/publish/1/1");
    await again.until((content) => content.includes("data: x\n\n"));
    const numbers = again.events.map(({ id }) => Number(id.split("-")[1]));
    const last = sent + 11;
    assertEquals(
      numbers,
      Array.from(numbers, (_, index) => last - numbers.length + 1 + index),
    );
    assert(numbers.length > 5);
  },
);

testOn(ENGINES, "clients that come and go leave nothing", async (engine) => {
  await using program = await start(engine);
  const round = async () => {
    const clients: EventClient[] = [];
    for (let count = 0; count < 250; count++) {
      clients.push(await EventClient.ask(program.port, `/rooms/${count}`));
    }
    await eventually(
      "they listen",
      async () => Number(await program.get("/rooms")) >= 250,
    );
    await program.get("/publish/3/1000");
    for (const client of clients) client.close();
    await eventually(
      "they left",
      async () => {
        await program.get("/publish-rooms");
        return await program.get("/rooms") === "0";
      },
    );
  };
  await round();
  const before = program.usage();
  for (let count = 0; count < 4; count++) await round();
  await eventually(
    "descriptors are back",
    () => program.usage().descriptors <= before.descriptors + 5,
  );
  const grown = (program.usage().memory - before.memory) / MEBIBYTE;
  assert(grown < 40, `${grown} MiB for 1,000 clients`);
});

testOn(
  ENGINES,
  "clients that die while it is published at full rate",
  async (engine) => {
    await using program = await start(engine);
    using stays = await EventClient.open(program.port, "/events");
    await program.get("/flood/on");
    for (let count = 0; count < 300; count++) {
      const client = await EventClient.ask(program.port, "/events");
      if (count % 3 === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      client.close();
    }
    await program.get("/flood/off");
    await eventually(
      "they left",
      async () => {
        await program.get("/publish/1/10");
        return await program.get("/count") === "1";
      },
    );
    await stays.until((content) => content.endsWith("data: xxxxxxxxxx\n\n"));
    const numbers = stays.events.map(({ id }) => Number(id.split("-")[1]));
    assert(numbers.every((number, index) => number === numbers[0]! + index));
  },
);
