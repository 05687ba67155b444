/**
 * What becomes of published messages for clients that are too slow.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  serve,
  type Server,
  type ServerWebSocket,
  type WebSocketHandler,
  type WebSocketPolicy,
} from "@jstime/serve";
import type { Engine } from "../../src/engine/engine.ts";
import { testOnEngines } from "./engines.ts";
import { RawClient } from "./raw_client.ts";

/** More than all kernels on the way take for a client that does not read. */
const COUNT = 400;
const SIZE = 64 * 1024;
const LIMIT = 4 * SIZE;

function assertLess(one: number, other: number): void {
  assert(one < other, `${one} is not less than ${other}`);
}

interface Fixture extends AsyncDisposable {
  readonly server: Server & { port: number };
  /** Reads only when it is asked to. */
  readonly slow: RawClient;
  /** The server's side of it. */
  readonly socket: ServerWebSocket;
  /** What a client that reads has got, by number. */
  readonly fast: number[];
  /** What the `close` handler was told of the slow one. */
  readonly closed: Promise<number>;
}

/** A server with a client that reads and one that does not, both on "t". */
async function start(
  { name }: Engine,
  options: Partial<WebSocketHandler> = {},
): Promise<Fixture> {
  const sockets: ServerWebSocket[] = [];
  const closed = Promise.withResolvers<number>();
  const server = serve({
    engine: name,
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("plain"),
    websocket: {
      backpressureLimit: LIMIT,
      ...options,
      open: (socket) => {
        sockets.push(socket);
        socket.subscribe("t");
      },
      close: (socket, code) => {
        if (socket === sockets[0]) closed.resolve(code);
      },
    },
  }) as Server & { port: number };
  const slow = await RawClient.connect(server.port);
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  client.binaryType = "arraybuffer";
  const fast: number[] = [];
  client.onmessage = ({ data }) => {
    if (typeof data !== "string") fast.push(numberOf(new Uint8Array(data)));
  };
  await new Promise((resolve) => client.onopen = resolve);
  while (sockets.length < 2) await turn();
  return {
    server,
    slow,
    socket: sockets[0]!,
    fast,
    closed: closed.promise,
    [Symbol.asyncDispose]: async () => {
      const isClosed = new Promise((resolve) => client.onclose = resolve);
      slow[Symbol.dispose]();
      client.close();
      await isClosed;
      await server.stop(true);
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

async function until(isReached: () => boolean): Promise<void> {
  for (let tries = 0; !isReached(); tries++) {
    if (tries === 5000) throw new Error("Gave up waiting");
    await turn();
  }
}

/** A message that says which one it is. */
function numbered(number: number, size = SIZE): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Reads until the connection ends or a message with this number has come. */
async function read(client: RawClient, last: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.at(-1) !== last) {
    const { payload } = await client.frame();
    numbers.push(numberOf(payload));
  }
  return numbers;
}

function assertAscending(numbers: readonly number[]): void {
  assertEquals(numbers, numbers.toSorted((one, other) => one - other));
  assertEquals(new Set(numbers).size, numbers.length);
}

const all = Array.from({ length: COUNT }, (_, number) => number);

for (const policy of ["latest", "drop-oldest"] as const) {
  testOnEngines(
    `${policy}: a slow client gets the last message`,
    async (engine) => {
      await using fixture = await start(engine);
      const { server, slow, fast, socket } = fixture;
      for (const number of all) {
        assert(server.publish("t", numbered(number), { policy }) !== 0);
        await turn();
      }
      await until(() => fast.length === COUNT);
      assertEquals(fast, all);
      assertLess(socket.getBufferedAmount(), 2 * LIMIT + 3 * SIZE);
      const got = await read(slow, COUNT - 1);
      assertAscending(got);
      assertLess(got.length, COUNT);
      const behind = got.findLastIndex((number, index) =>
        number !== got[index - 1]! + 1
      );
      // What waits is what was published last.
      const tail = got.length - behind;
      if (policy === "latest") assertEquals(tail, 1);
      else assertLess(tail, 3 + 2 * LIMIT / SIZE);
      await until(() => socket.getBufferedAmount() === 0);
      server.publish("t", numbered(COUNT), { policy });
      assertEquals(await read(slow, COUNT), [COUNT]);
    },
  );

  testOnEngines(`${policy}: also without a pause`, async (engine) => {
    await using fixture = await start(engine);
    const { server, slow, fast } = fixture;
    for (const number of all) {
      server.publish("t", numbered(number), { policy });
    }
    const got = await read(slow, COUNT - 1);
    assertAscending(got);
    await until(() => fast.at(-1) === COUNT - 1);
    assertAscending(fast);
  });

  testOnEngines(
    `${policy}: what send has accepted is never taken back`,
    async (engine) => {
      await using fixture = await start(engine);
      const { server, slow, socket } = fixture;
      const sent: number[] = [];
      for (const number of all) {
        if (number % 10 === 0) {
          if (socket.send(numbered(number)) !== 0) sent.push(number);
        } else {
          server.publish("t", numbered(number), { policy });
        }
        await turn();
      }
      server.publish("t", numbered(COUNT), { policy });
      const got = await read(slow, COUNT);
      assertAscending(got);
      assertEquals(
        got.filter((number) => number % 10 === 0 && number < COUNT),
        sent,
      );
    },
  );
}

testOnEngines(
  "drop-newest: a slow client misses what comes last",
  async (engine) => {
    await using fixture = await start(engine);
    const { server, slow, fast, socket } = fixture;
    const statuses: number[] = [];
    for (const number of all) {
      statuses.push(server.publish("t", numbered(number)));
      await turn();
    }
    await until(() => fast.length === COUNT);
    assertEquals(fast, all);
    const dropped = statuses.indexOf(0);
    assertLess(0, dropped);
    const got = await read(slow, dropped - 1);
    assertEquals(got, all.slice(0, dropped));
    await until(() => socket.getBufferedAmount() === 0);
    server.publish("t", numbered(COUNT));
    assertEquals(await read(slow, COUNT), [COUNT]);
  },
);

testOnEngines(
  "disconnect: a slow client is cut, and no other",
  async (engine) => {
    await using fixture = await start(engine);
    const { server, fast, closed, socket } = fixture;
    const statuses: number[] = [];
    for (const number of all) {
      statuses.push(
        server.publish("t", numbered(number), { policy: "disconnect" }),
      );
      await turn();
    }
    assertEquals(await closed, 1006);
    assertEquals(socket.readyState, 3);
    assertEquals(server.subscriberCount("t"), 1);
    await until(() => fast.length === COUNT);
    assertEquals(fast, all);
    assertEquals(statuses.filter((status) => status === 0).length, 1);
  },
);

testOnEngines("latest keeps one message of each topic", async (engine) => {
  await using fixture = await start(engine);
  const { server, slow, socket } = fixture;
  const topics = ["a", "b", "c"];
  for (const topic of topics) socket.subscribe(topic);
  for (const number of all) {
    for (const [index, topic] of topics.entries()) {
      const message = numbered(3 * number + index, SIZE / 2);
      server.publish(topic, message, { policy: "latest" });
    }
    await turn();
  }
  const got = await read(slow, 3 * COUNT - 1);
  assertAscending(got);
  assertLess(got.length, 3 * COUNT);
  assertEquals(got.slice(-3), [3 * COUNT - 3, 3 * COUNT - 2, 3 * COUNT - 1]);
});

testOnEngines("a topic has a policy of its own", async (engine) => {
  await using fixture = await start(engine, {
    topics: { t: { policy: "latest" }, other: {} },
  });
  const { server, slow, socket } = fixture;
  for (const number of all) {
    // Both ways to publish know it.
    if (number % 2 === 0) server.publish("t", numbered(number));
    else socket.publish("t", numbered(number), false);
    await turn();
  }
  server.publish("t", numbered(COUNT));
  const got = await read(slow, COUNT);
  assertLess(got.length, COUNT);
});

testOnEngines("publishText and publishBinary take options", async (engine) => {
  await using fixture = await start(engine);
  const { slow, server } = fixture;
  const other = await RawClient.connect(server.port);
  using _other = other;
  const { socket } = fixture;
  await until(() => server.subscriberCount("t") === 3);
  const options = { policy: "latest", compress: true } as const;
  assertEquals(socket.publishText("t", "abcd", options), 4);
  assertEquals(socket.publishBinary("t", numbered(7, 4), options), 4);
  assertEquals((await other.frame()).opcode, "text");
  assertEquals(numberOf((await other.frame()).payload), 7);
  slow[Symbol.dispose]();
});

testOnEngines("what no policy is called is refused", async (engine) => {
  await using fixture = await start(engine);
  const { server, socket } = fixture;
  const policy = "newest" as WebSocketPolicy;
  const message =
    'Cannot use policy "newest": expected one of "drop-newest", "drop-oldest", "latest", "disconnect"';
  assertThrows(() => server.publish("t", "", { policy }), TypeError, message);
  assertThrows(() => socket.publish("t", "", { policy }), TypeError, message);
});
