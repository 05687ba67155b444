/**
 * Servers that share topics: in one isolate, in Workers, on both engines.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { serve, type Server, sse, type WebSocketHandler } from "@jstime/serve";
import {
  loadNativeEngine,
  nativeEngineFailure,
} from "../../src/engine/native/engine.ts";
import { Bus } from "../../src/websocket/bus.ts";
import type { BusCommand } from "./bus_worker.ts";
import { EventClient } from "../sse/event_client.ts";
import { testOnEngines } from "./engines.ts";
import { RawClient } from "./raw_client.ts";

type EngineName = "deno" | "native";
type BusServer = Server & { port: number };

let last = 0;

/** A name that no other test uses. */
function newName(): string {
  return `bus ${++last}`;
}

function start(
  engine: EngineName,
  bus: string | undefined,
  websocket: WebSocketHandler = {},
): BusServer {
  return serve({
    engine,
    ...(bus !== undefined && { bus }),
    port: 0,
    hostname: "127.0.0.1",
    routes: { "/events": sse({ topic: "t" }) },
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("plain"),
    websocket: {
      open: (socket) => void socket.subscribe("t"),
      message: (socket, message) => {
        socket.publish("t", message);
      },
      ...websocket,
    },
  }) as BusServer;
}

/** A client and what it has got. */
class Client implements AsyncDisposable {
  readonly got: (string | number[])[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.got.push(
        typeof data === "string" ? data : [...new Uint8Array(data)],
      );
    };
  }

  static async connect(port: number): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const client = new Client(socket);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return client;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const isClosed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.onerror = () => {};
    this.#socket.close();
    await isClosed;
  }
}

/** A server in a Worker. */
class WorkerServer implements AsyncDisposable {
  readonly #worker: Worker;
  #isTerminated = false;
  port = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(
    engine: EngineName,
    bus: string,
    backpressureLimit = 0,
  ): Promise<WorkerServer> {
    const url = new URL("./bus_worker.ts", import.meta.url);
    const server = new WorkerServer(new Worker(url, { type: "module" }));
    const command = { kind: "start", engine, bus, backpressureLimit } as const;
    server.port = await server.ask(command) as number;
    return server;
  }

  tell(command: BusCommand): void {
    this.#worker.postMessage(command);
  }

  answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.onerror = reject;
    });
  }

  ask(command: BusCommand): Promise<unknown> {
    const answer = this.answer();
    this.tell(command);
    return answer;
  }

  terminate(): void {
    this.#isTerminated = true;
    this.#worker.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isTerminated) return;
    await this.ask({ kind: "stop" });
    this.terminate();
  }
}

async function until(isReached: () => boolean): Promise<void> {
  for (let tries = 0; !isReached(); tries++) {
    if (tries === 4000) throw new Error("Gave up waiting");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Publishes until a client gets it: isolates have to find each other. */
async function meet(publish: () => unknown, client: Client): Promise<void> {
  for (let tries = 0; !client.got.includes("meet"); tries++) {
    if (tries === 1000) throw new Error("Gave up waiting");
    await publish();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Registers a test for each pair of engines that are here. */
function testOnPairs(
  name: string,
  run: (one: EngineName, other: EngineName) => Promise<void>,
  isFor: (one: EngineName, other: EngineName) => boolean = () => true,
): void {
  const reason = nativeEngineFailure()?.reason;
  const isHere = loadNativeEngine() !== undefined;
  for (const one of ["deno", "native"] as const) {
    for (const other of ["deno", "native"] as const) {
      if (!isFor(one, other)) continue;
      const isNative = one === "native" || other === "native";
      const ignore = isNative && !isHere;
      Deno.test({
        name: `${name} (${one}, ${other})${
          ignore ? ` [skipped: ${reason}]` : ""
        }`,
        ignore,
        fn: () => run(one, other),
      });
    }
  }
}

// ---------------------------------------------------------------------------
// One isolate
// ---------------------------------------------------------------------------

testOnPairs("servers of one isolate share topics", async (one, other) => {
  const name = newName();
  const servers = [start(one, name), start(other, name), start(one, newName())];
  await using a = await Client.connect(servers[0]!.port);
  await using b = await Client.connect(servers[1]!.port);
  await using stranger = await Client.connect(servers[2]!.port);
  await until(() => servers[2]!.subscriberCount("t") === 1);
  await until(() => servers[0]!.subscriberCount("t") === 2);
  assertEquals(servers[1]!.subscriberCount("t"), 2);
  assertEquals(servers[0]!.publish("t", "one"), 3);
  assertEquals(servers[1]!.publish("t", Uint8Array.of(1, 2)), 2);
  assertEquals(servers[0]!.publish("nobody", "none"), 0);
  // From a socket: to everybody else.
  a.send("from a");
  await until(() => b.got.length === 3);
  b.send("from b");
  await until(() => a.got.length === 3);
  assertEquals(a.got, ["one", [1, 2], "from b"]);
  assertEquals(b.got, ["one", [1, 2], "from a"]);
  assertEquals(servers[2]!.publish("t", "other"), 5);
  await until(() => stranger.got.length > 0);
  assertEquals(stranger.got, ["other"]);
  await Promise.all(servers.map((server) => server.stop(true)));
  assertEquals(Bus.count, 0);
});

testOnEngines("who stops is on the bus no longer", async ({ name: engine }) => {
  const name = newName();
  const staying = start(engine, name);
  const leaving = start(engine, name);
  await using a = await Client.connect(staying.port);
  await using b = await Client.connect(leaving.port);
  await until(() => staying.subscriberCount("t") === 2);
  const isStopped = leaving.stop();
  // As long as it has sockets it is.
  staying.publish("t", "one");
  await until(() => b.got.length === 1);
  await b[Symbol.asyncDispose]();
  await isStopped;
  assertEquals(staying.subscriberCount("t"), 1);
  assertEquals(staying.publish("t", "two"), 3);
  await until(() => a.got.length === 2);
  assertEquals(b.got, ["one"]);
  await staying.stop(true);
  assertEquals(Bus.count, 0);
});

testOnEngines("a Blob keeps its place on the bus", async ({ name: engine }) => {
  const name = newName();
  const one = start(engine, name);
  const other = start(engine, name);
  await using a = await Client.connect(one.port);
  await using b = await Client.connect(other.port);
  await until(() => one.subscriberCount("t") === 2);
  assertEquals(one.publish("t", new Blob(["ab"])), 2);
  one.publish("t", "behind");
  await until(() => a.got.length === 2 && b.got.length === 2);
  assertEquals(a.got, [[97, 98], "behind"]);
  assertEquals(b.got, a.got);
  await Promise.all([one.stop(true), other.stop(true)]);
});

testOnEngines("bus must be a name", ({ name: engine }) => {
  const options = { engine, port: 0, fetch: () => new Response("x") };
  assertThrows(
    () => serve({ ...options, bus: "" }),
    TypeError,
    'Cannot use bus "": expected a string that is not empty',
  );
  assertThrows(
    () => serve({ ...options, bus: 5 as unknown as string }),
    TypeError,
    "Cannot use bus 5: expected a string",
  );
});

// ---------------------------------------------------------------------------
// Workers
// ---------------------------------------------------------------------------

testOnPairs(
  "servers of different isolates share topics",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    await using worker = await WorkerServer.start(other, name);
    await using here = await Client.connect(server.port);
    await using there = await Client.connect(worker.port);
    await until(() => server.subscriberCount("t") >= 1);
    const first = { kind: "publish", topic: "t", messages: ["meet"] } as const;
    await meet(() => server.publish("t", "meet"), there);
    here.got.length = 0;
    await meet(() => worker.ask(first), here);
    here.got.push("met");
    there.got.push("met");
    const messages = Array.from(
      { length: 100 },
      (_, index) => index % 2 === 0 ? `text ${index}` : Uint8Array.of(index, 7),
    );
    const expected = messages.map((it) =>
      typeof it === "string" ? it : [...it]
    );
    for (const message of messages) {
      assert(server.publish("t", message, { compress: false }) !== 0);
    }
    // Exactly once, and in order.
    const after = ({ got }: Client) => got.slice(got.lastIndexOf("met") + 1);
    const isDone = ({ got }: Client) =>
      got.some((it) => it.toString() === "99,7");
    await until(() => isDone(here) && isDone(there));
    const strip = (got: (string | number[])[]) =>
      got.filter((it) => it !== "meet");
    assertEquals(strip(after(here)), expected);
    assertEquals(strip(after(there)), expected);
    here.got.length = there.got.length = 0;
    await worker.ask({ kind: "publish", topic: "t", messages });
    await until(() => isDone(here) && isDone(there));
    assertEquals(strip(here.got), expected);
    assertEquals(strip(there.got), expected);
    await server.stop(true);
  },
);

testOnPairs(
  "event streams of all servers get what is published",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    const neighbour = start(one, name);
    await using worker = await WorkerServer.start(other, name);
    const ports = [server.port, neighbour.port, worker.port];
    const streams = await Promise.all(
      ports.map((port) => EventClient.open(port, "/events")),
    );
    const toldBy = (by: string) => () =>
      streams.every(({ content }) => content.includes(`data: ${by}\n`));
    // Isolates have to find each other.
    await until(() => {
      server.publish("t", "here");
      return toldBy("here")();
    });
    const messages = ["there"];
    await until(() => {
      worker.tell({ kind: "publish", topic: "t", messages });
      return toldBy("there")();
    });
    const count = streams.map(({ content }) => content.split("last\n").length);
    server.publish("t", "last");
    await until(toldBy("last"));
    // Once, whichever way it came.
    assertEquals(
      streams.map(({ content }) => content.split("last\n").length),
      count.map((before) => before + 1),
    );
    for (const stream of streams) stream[Symbol.dispose]();
    await server.stop(true);
    await neighbour.stop(true);
  },
);

/** Only the native engine delivers without JavaScript. */
const bothNative = (one: EngineName, other: EngineName): boolean =>
  one === "native" && other === "native";

testOnPairs(
  "subscribers of an isolate that is blocked are served",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    await using worker = await WorkerServer.start(other, name);
    await using there = await Client.connect(worker.port);
    await until(() => server.subscriberCount("t") === 1);
    const blocked = new SharedArrayBuffer(4);
    const blocks = worker.answer();
    worker.tell({ kind: "block", until: blocked });
    assertEquals(await blocks, "blocks");
    for (let number = 0; number < 100; number++) {
      assertEquals(server.publish("t", `${number}`.padStart(3)), 3);
    }
    // It is blocked until they are there.
    await until(() => there.got.length === 100);
    const isUnblocked = worker.answer();
    Atomics.store(new Int32Array(blocked), 0, 1);
    Atomics.notify(new Int32Array(blocked), 0);
    await isUnblocked;
    assertEquals(there.got[99], " 99");
    await server.stop(true);
  },
  bothNative,
);

testOnPairs(
  "the whole bus is counted, also when sockets and Workers go",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    await using worker = await WorkerServer.start(other, name);
    await using _here = await Client.connect(server.port);
    await using there = await Client.connect(worker.port);
    const also = await Client.connect(worker.port);
    await until(() => server.subscriberCount("t") === 3);
    assertEquals(await worker.ask({ kind: "count", topic: "t" }), 3);
    await also[Symbol.asyncDispose]();
    await until(() => server.subscriberCount("t") === 2);
    // Nobody here is subscribed to it.
    there.send("there");
    await until(() => server.subscriberCount("there") === 1);
    assertEquals(server.publish("there", "four"), 4);
    await until(() => there.got.includes("four"));
    worker.terminate();
    await until(() => server.subscriberCount("t") === 1);
    assertEquals(server.publish("there", "five"), 0);
    assertEquals(server.subscriberCount("there"), 0);
    assertEquals(server.publish("t", "six"), 3);
    await server.stop(true);
    assertEquals(Bus.count, 0);
  },
  bothNative,
);

testOnPairs(
  "a Worker that is terminated disturbs nobody",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    await using here = await Client.connect(server.port);
    for (let round = 0; round < 2; round++) {
      await using worker = await WorkerServer.start(other, name);
      await using there = await Client.connect(worker.port);
      await meet(() => server.publish("t", "meet"), there);
      worker.terminate();
      here.got.length = 0;
      server.publish("t", "on");
      await until(() => here.got.includes("on"));
    }
    await server.stop(true);
  },
);

testOnPairs(
  "1,000 topics of a client leave nothing behind",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    await using worker = await WorkerServer.start(other, name);
    const there = await Client.connect(worker.port);
    const long = "x".repeat(100_000);
    const topics = [
      ...Array.from({ length: 1000 }, (_, index) => `topic ${index}`),
      long,
      "\0",
      "\ufffd",
    ];
    for (const topic of topics) there.send(topic);
    const count = () =>
      topics.reduce((sum, topic) => sum + server.subscriberCount(topic), 0);
    await until(() => server.subscriberCount("\ufffd") === 1);
    assertEquals(count(), topics.length);
    // Another name in UTF-16 alone.
    assertEquals(server.subscriberCount("\ud800"), 0);
    assertEquals(await worker.ask({ kind: "unsubscribe", topic: long }), true);
    await until(() => server.subscriberCount(long) === 0);
    assertEquals(server.publish(long, "x"), 0);
    await there[Symbol.asyncDispose]();
    await until(() => count() === 0);
    await server.stop(true);
  },
  bothNative,
);

testOnPairs(
  "what comes from a bus is not counted as sent",
  async (one, other) => {
    const name = newName();
    const server = start(one, name);
    const limit = 1024 * 1024;
    await using worker = await WorkerServer.start(other, name, limit);
    using there = await RawClient.connect(worker.port);
    await until(() => server.subscriberCount("t") === 1);
    const message = new Uint8Array(64 * 1024);
    // Far more than the system takes.
    for (let number = 0; number < 400; number++) {
      server.publish("t", message);
      if (number % 20 === 0) await new Promise((go) => setTimeout(go, 1));
    }
    assertEquals(await worker.ask({ kind: "buffered" }), 0);
    const status = await worker.ask({ kind: "send", message: "sent" });
    assert(status === 4 || status === -1, `${status}`);
    let count = 0;
    for (;;) {
      const { opcode, payload } = await there.frame();
      if (opcode === "text") break;
      assertEquals(payload.length, message.length);
      count++;
    }
    assert(count < 400, `${count}`);
    await server.stop(true);
  },
  bothNative,
);

for (const policy of ["latest", "drop-oldest", "disconnect"] as const) {
  testOnPairs(
    `${policy} holds for subscribers in other isolates`,
    async (one, other) => {
      const name = newName();
      const server = start(one, name);
      const limit = 256 * 1024;
      await using worker = await WorkerServer.start(other, name, limit);
      await using fast = await Client.connect(worker.port);
      using slow = await RawClient.connect(worker.port);
      await until(() => server.subscriberCount("t") === 2);
      const blocked = new SharedArrayBuffer(4);
      const blocks = worker.answer();
      worker.tell({ kind: "block", until: blocked });
      await blocks;
      const count = 400;
      const text = (number: number) => `${number} `.padEnd(64 * 1024, "x");
      for (let number = 0; number < count; number++) {
        server.publish("t", text(number), { policy });
        // The one that reads is not to be slow.
        await until(() => fast.got.length > number - 2);
      }
      await until(() => fast.got.length === count);
      if (policy === "disconnect") {
        await until(() => server.subscriberCount("t") === 1);
      } else {
        const got: number[] = [];
        while (got.at(-1) !== count - 1) {
          const { payload } = await slow.frame();
          got.push(Number(
            new TextDecoder().decode(payload.subarray(0, 5))
              .split(" ")[0],
          ));
        }
        assert(got.length < count, `${got.length}`);
        assertEquals(got, got.toSorted((one, other) => one - other));
      }
      const isUnblocked = worker.answer();
      Atomics.store(new Int32Array(blocked), 0, 1);
      Atomics.notify(new Int32Array(blocked), 0);
      await isUnblocked;
      await server.stop(true);
    },
    bothNative,
  );
}
