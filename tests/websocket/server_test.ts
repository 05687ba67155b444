/**
 * WebSockets beyond single exchanges: many clients, slow ones, silent ones,
 * servers that stop.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  serve,
  type Server,
  type ServerWebSocket,
  type WebSocketHandler,
} from "@jstime/serve";
import type { Engine } from "../../src/engine/engine.ts";
import { deploy } from "../../src/entry/deploy.ts";
import { closing, handshake, text } from "../conformance/web_socket.ts";
import { testOnEngines } from "./engines.ts";
import { codeOf, RawClient } from "./raw_client.ts";

const MEBIBYTE = 1024 * 1024;

/** A server that upgrades everything. */
function sockets(
  { name }: Engine,
  websocket: WebSocketHandler,
): Server & { port: number } {
  return serve({
    engine: name,
    port: 0,
    hostname: "127.0.0.1",
    development: false,
    fetch: (request, server) =>
      server.upgrade(request) ? undefined : new Response("plain"),
    websocket,
  }) as Server & { port: number };
}

/** A client of the platform, connected. */
async function connect({ port }: Server): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  await new Promise((resolve, reject) => {
    client.onopen = resolve;
    client.onerror = reject;
  });
  return client;
}

function message(client: WebSocket): Promise<unknown> {
  return new Promise((resolve) => {
    client.addEventListener("message", ({ data }) => resolve(data), {
      once: true,
    });
  });
}

function closed(client: WebSocket): Promise<number> {
  return new Promise((resolve) => client.onclose = ({ code }) => resolve(code));
}

async function until(isReached: () => boolean): Promise<void> {
  for (let tries = 0; !isReached(); tries++) {
    if (tries === 2000) throw new Error("Gave up waiting");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What is printed as a warning while a function runs. */
function warningsOf(run: () => void): string[] {
  const { warn } = console;
  const warnings: string[] = [];
  console.warn = (text: string) => warnings.push(text);
  try {
    run();
  } finally {
    console.warn = warn;
  }
  return warnings;
}

testOnEngines(
  "five hundred subscribers hear everything, and leave nothing behind",
  async (engine) => {
    const server = sockets(engine, {
      open: (socket) => void socket.subscribe("news"),
      message: (_, text) => void server.publish("news", text),
    });
    const clients = await Promise.all(
      Array.from({ length: 500 }, () => connect(server)),
    );
    assertEquals(server.subscriberCount("news"), 500);
    assertEquals(server.pendingWebSockets, 500);
    const heard = clients.map(message);
    clients[7]!.send("extra");
    assertEquals(await Promise.all(heard), clients.map(() => "extra"));
    const gone = clients.map(closed);
    for (const client of clients) client.close();
    await Promise.all(gone);
    await until(() => server.pendingWebSockets === 0);
    assertEquals(server.subscriberCount("news"), 0);
    await server.stop();
  },
);

testOnEngines(
  "a subscriber that never reads costs others nothing",
  async (engine) => {
    const rounds = 100;
    const slowStatus: number[] = [];
    let slow: ServerWebSocket | undefined;
    const server = sockets(engine, {
      backpressureLimit: MEBIBYTE,
      open: (socket) => {
        slow ??= socket;
        socket.subscribe("news");
      },
      message: (_, round) => {
        const status = server.publish("news", `${round}${"x".repeat(200_000)}`);
        slowStatus.push(status);
      },
    });
    using _raw = await RawClient.connect(server.port);
    const clients = await Promise.all([connect(server), connect(server)]);
    for (let round = 0; round < rounds; round++) {
      const heard = clients.map(message);
      clients[0]!.send(`${round}`);
      for (const data of await Promise.all(heard)) {
        assertStringIncludes((data as string).slice(0, 4), `${round}`);
      }
    }
    assertEquals(slow!.readyState, 1);
    assert(slowStatus.includes(-1), "backpressure is reported");
    assertEquals(slowStatus.at(-1), 0, "then messages are dropped");
    assert(slow!.getBufferedAmount() < 2 * MEBIBYTE);
    await server.stop(true);
  },
);

testOnEngines(
  "a slow client that is lost takes nothing with it",
  async (engine) => {
    const codes: number[] = [];
    const server = sockets(engine, {
      message: (socket) => {
        for (let index = 0; index < 10; index++) {
          socket.send(new Uint8Array(MEBIBYTE));
        }
      },
      close: (_, code) => void codes.push(code),
    });
    {
      using raw = await RawClient.connect(server.port);
      await raw.send(text("go"));
      await raw.frame();
    }
    await until(() => codes.length > 0);
    assertEquals(codes, [1006]);
    assertEquals(server.pendingWebSockets, 0);
    await server.stop();
  },
);

testOnEngines(
  "everything that was sent before close arrives at a slow reader",
  async (engine) => {
    const server = sockets(engine, {
      message: (socket) => {
        for (let index = 0; index < 12; index++) {
          socket.send(new Uint8Array(MEBIBYTE).fill(index));
        }
        socket.close(4000, "that is all");
      },
    });
    using raw = await RawClient.connect(server.port);
    await raw.send(text("go"));
    for (let index = 0; index < 12; index++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { opcode, payload } = await raw.frame();
      assertEquals(opcode, "binary");
      assertEquals(payload.length, MEBIBYTE);
      assert(payload.every((byte) => byte === index));
    }
    assertEquals(codeOf(await raw.frame()), 4000);
    await raw.send(closing(4000));
    await raw.closed();
    await server.stop();
  },
);

testOnEngines(
  "drain comes when a slow reader has caught up",
  async (engine) => {
    const facts: string[] = [];
    const server = sockets(engine, {
      message: (socket) => {
        const statuses = new Set<number>();
        for (let index = 0; index < 16; index++) {
          statuses.add(socket.send(new Uint8Array(MEBIBYTE)));
        }
        facts.push([...statuses].join(" "));
      },
      drain: (socket) => {
        facts.push(`drain ${socket.getBufferedAmount()}`);
        socket.send("next");
      },
    });
    using raw = await RawClient.connect(server.port);
    await raw.send(text("go"));
    for (let index = 0; index < 16; index++) await raw.frame();
    assertEquals((await raw.frame()).opcode, "text");
    assertEquals(facts, [`${MEBIBYTE} -1`, "drain 0"]);
    await server.stop(true);
  },
);

testOnEngines(
  "a client that floods a paused socket is closed with 1008",
  async (engine) => {
    const codes: number[] = [];
    const server = sockets(engine, {
      backpressureLimit: 1000,
      open: (socket) => socket.pause(),
      message: () => {
        throw new Error("It is paused");
      },
      close: (_, code) => void codes.push(code),
    });
    using raw = await RawClient.connect(server.port);
    for (let index = 0; index < 20; index++) {
      await raw.send(text("x".repeat(100)));
    }
    assertEquals(codeOf(await raw.frame()), 1008);
    assertEquals(codes, [1006]);
    await server.stop(true);
  },
  { isFor: ({ features }) => !features.webSocketPause },
);

testOnEngines("a paused socket is not read from", async (engine) => {
  const sizes: number[] = [];
  let paused: ServerWebSocket | undefined;
  const server = sockets(engine, {
    backpressureLimit: 1000,
    open: (socket) => {
      paused = socket;
      socket.pause();
    },
    message: (socket, data) => {
      sizes.push(data.length);
      if (sizes.length === 20) socket.pause();
    },
  });
  using raw = await RawClient.connect(server.port);
  let sent = 0;
  let isStuck = false;
  const sending = (async () => {
    for (; sent < 200; sent++) await raw.send(text("x".repeat(200_000)));
  })();
  // Nobody reads, so the system takes only so much.
  for (let last = -1; !isStuck;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    isStuck = sent === last;
    last = sent;
  }
  assert(sent < 200, "the client is held back");
  assertEquals(sizes, []);
  paused!.resume();
  await until(() => sizes.length >= 20);
  paused!.resume();
  await until(() => sizes.length === 200);
  await sending;
  assert(sizes.every((size) => size === 200_000));
  await server.stop(true);
}, { isFor: ({ features }) => features.webSocketPause });

testOnEngines(
  "thousands of subscriptions of thousands of topics",
  async (engine) => {
    const server = sockets(engine, {
      message: (socket, count) => {
        for (let index = 0; index < Number(count); index++) {
          socket.subscribe(`topic ${index}`);
        }
        socket.send(`${socket.subscriptions.length}`);
      },
    });
    const clients = await Promise.all([connect(server), connect(server)]);
    for (const client of clients) {
      client.send("20000");
      assertEquals(await message(client), "20000");
    }
    assertEquals(server.subscriberCount("topic 19999"), 2);
    const gone = clients.map(closed);
    for (const client of clients) client.close();
    await Promise.all(gone);
    await until(() => server.pendingWebSockets === 0);
    assertEquals(server.subscriberCount("topic 0"), 0);
    await server.stop();
  },
);

testOnEngines(
  "stop() lets sockets finish, and accepts nobody else",
  async (engine) => {
    const server = sockets(engine, {
      message: (socket, data) => void socket.send(data),
    });
    const client = await connect(server);
    let isStopped = false;
    const stopped = server.stop().then(() => isStopped = true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (engine.features.webSocketStop) {
      await assertRejects(() => Deno.connect({ port: server.port }));
    } else {
      // The port cannot be closed yet, but there are no answers any more.
      const response = await fetch(server.url);
      assertEquals(response.status, 503);
      await response.body?.cancel();
    }
    client.send("still here");
    assertEquals(await message(client), "still here");
    assertEquals(isStopped, false);
    const gone = closed(client);
    client.close();
    await gone;
    await stopped;
  },
);

testOnEngines(
  "stop(true) after stop() ends what stop() waits for",
  async (engine) => {
    const codes: number[] = [];
    const server = sockets(engine, {
      close: (_, code) => void codes.push(code),
    });
    const client = await connect(server);
    const gone = closed(client);
    const gently = server.stop();
    await server.stop(true);
    await gently;
    assertEquals(await gone, 1001);
    assertEquals(codes, [1001]);
  },
);

testOnEngines(
  "stop(true) does not wait for clients that do not answer",
  async (engine) => {
    const codes: number[] = [];
    const server = sockets(engine, {
      close: (_, code) => void codes.push(code),
    });
    using raw = await RawClient.connect(server.port);
    using other = await RawClient.connect(server.port);
    await server.stop(true);
    assertEquals(codes, [1001, 1001]);
    assertEquals(codeOf(await raw.frame()), 1001);
    assertEquals(codeOf(await other.frame()), 1001);
    await raw.closed();
  },
);

testOnEngines("stop(true) says so to everybody", async (engine) => {
  const codes: number[] = [];
  const server = sockets(engine, { close: (_, code) => void codes.push(code) });
  const clients: RawClient[] = [];
  // More than are told in one turn of an I/O thread.
  while (clients.length < 1500) {
    clients.push(
      ...await Promise.all(
        Array.from({ length: 100 }, () => RawClient.connect(server.port)),
      ),
    );
  }
  const stopped = server.stop(true);
  assertEquals(codes.length, clients.length);
  for (const client of clients) {
    assertEquals(codeOf(await client.frame()), 1001);
    client[Symbol.dispose]();
  }
  await stopped;
});

testOnEngines("stop(true) right after an upgrade", async (engine) => {
  const codes: number[] = [];
  const server = serve({
    engine: engine.name,
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => {
      server.upgrade(request);
      stopped = server.stop(true);
    },
    websocket: { close: (_, code) => void codes.push(code) },
  });
  let stopped: Promise<void> | undefined;
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  client.onerror = (event) => event.preventDefault();
  await closed(client);
  await stopped;
  assertEquals(codes, [1001]);
  assertEquals(server.pendingWebSockets, 0);
});

testOnEngines("a server that stops upgrades nobody", async (engine) => {
  const results: boolean[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = serve({
    engine: engine.name,
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request, server) => {
      resolve();
      await new Promise((resolve) => setTimeout(resolve, 50));
      results.push(server.upgrade(request));
      return new Response(null, { status: 503 });
    },
    websocket: {},
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
  client.onerror = (event) => event.preventDefault();
  await promise;
  await Promise.all([server.stop(), closed(client)]);
  assertEquals(results, [false]);
});

testOnEngines(
  "a server upgrades no request of another server",
  async (engine) => {
    const other = sockets(engine, {});
    const results: boolean[] = [];
    const server = serve({
      engine: engine.name,
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) => {
        results.push(other.upgrade(request), server.upgrade(request));
      },
      websocket: {},
    });
    const client = await connect(server as Server);
    assertEquals(results, [false, true]);
    assertEquals(other.pendingWebSockets, 0);
    assertEquals(server.pendingWebSockets, 1);
    client.close();
    await closed(client);
    await Promise.all([server.stop(), other.stop()]);
  },
);

testOnEngines(
  "a server that is disposed closes its sockets",
  async (engine) => {
    let client: WebSocket;
    let gone: Promise<number>;
    {
      using server = sockets(engine, {});
      client = await connect(server);
      gone = closed(client);
    }
    assertEquals(await gone, 1001);
  },
);

testOnEngines(
  "what async handlers reject with is an unhandled rejection",
  async (engine) => {
    const reasons: string[] = [];
    const listener = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      reasons.push(event.reason.message);
    };
    addEventListener("unhandledrejection", listener);
    const server = sockets(engine, {
      message: (_, message) => Promise.reject(new Error(`${message}`)),
      error: () => {
        throw new Error("This is not for error");
      },
    });
    const client = await connect(server);
    client.send("rejected");
    await until(() => reasons.length > 0);
    removeEventListener("unhandledrejection", listener);
    assertEquals(reasons, ["rejected"]);
    const gone = closed(client);
    client.close();
    await gone;
    await server.stop();
  },
);

testOnEngines(
  "without an error handler, what handlers throw is uncaught",
  async (engine) => {
    const messages: string[] = [];
    const listener = (event: ErrorEvent) => {
      event.preventDefault();
      messages.push(event.error.message);
    };
    addEventListener("error", listener);
    const fail = (what: string) => {
      throw new Error(what);
    };
    const server = sockets(engine, {
      message: (_, message) => fail(`${message}`),
      close: () => fail("close"),
    });
    const client = await connect(server);
    client.send("message");
    await until(() => messages.length > 0);
    const gone = closed(client);
    client.close();
    await gone;
    await until(() => messages.length > 1);
    removeEventListener("error", listener);
    assertEquals(messages, ["message", "close"]);
    await server.stop();
  },
);

testOnEngines(
  "a Blob that cannot be read goes to error, and the rest is sent",
  async (engine) => {
    const errors: string[] = [];
    const broken = new Blob(["x"]);
    broken.arrayBuffer = () => Promise.reject(new Error("No such file"));
    const server = sockets(engine, {
      open: (socket) => {
        socket.send(broken);
        socket.send("after it");
      },
      error: (error) => void errors.push(error.message),
    });
    using raw = await RawClient.connect(server.port);
    const { payload } = await raw.frame();
    assertEquals(new TextDecoder().decode(payload), "after it");
    assertEquals(errors, ["No such file"]);
    await server.stop(true);
  },
);

testOnEngines(
  "what the engine lacks is said when the server starts",
  async (engine) => {
    const started: Server[] = [];
    const warnings = warningsOf(() => {
      started.push(
        sockets(engine, { perMessageDeflate: true }),
        sockets(engine, { ping: () => {} }),
        sockets(engine, { pong: () => {}, perMessageDeflate: false }),
        sockets(engine, { message: () => {} }),
      );
    });
    assertEquals(
      warnings,
      engine.features.webSocketPings ? [] : [
        "The deno engine cannot compress: perMessageDeflate has no effect",
        "The deno engine does not show pings: the ping and pong handlers are never called",
        "The deno engine does not show pings: the ping and pong handlers are never called",
      ],
    );
    for (const server of started) await server.stop();
  },
);

Deno.test("deployments have WebSockets too", async () => {
  const { fetch } = deploy({
    fetch: (request, server) => void server.upgrade(request),
    websocket: { message: (socket, data) => void socket.send(data) },
  });
  const platform = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    fetch,
  );
  using raw = await RawClient.connect(platform.addr.port);
  await raw.send(text("hello"));
  const { payload } = await raw.frame();
  assertEquals(new TextDecoder().decode(payload), "hello");
  await raw.send(closing(1000));
  assertEquals(codeOf(await raw.frame()), 1000);
  await platform.shutdown();
});

testOnEngines("over a Unix socket there is no address", async (engine) => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  const addresses: unknown[] = [];
  const server = serve({
    engine: engine.name,
    unix: path,
    fetch: (request, server) => void server.upgrade(request),
    websocket: {
      open: (socket) => {
        addresses.push(socket.remoteAddress);
        socket.send("hello");
      },
    },
  });
  const connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(handshake()));
  const buffer = new Uint8Array(4096);
  let received = "";
  while (!received.endsWith("hello")) {
    const count = await connection.read(buffer);
    if (count === null) break;
    received += new TextDecoder().decode(buffer.subarray(0, count));
  }
  assertStringIncludes(received, "HTTP/1.1 101 ");
  assertEquals(addresses, [undefined]);
  connection.close();
  await server.stop(true);
  await Deno.remove(folder, { recursive: true });
}, { ignore: Deno.build.os === "windows" });
