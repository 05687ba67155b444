/**
 * Silent clients. Options allow no less than eight seconds, so these talk to
 * the engine itself.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type {
  Engine,
  EngineWebSocket,
  HttpListener,
  WebSocketEvents,
  WebSocketPlan,
} from "../../src/engine/engine.ts";
import { DEFAULT_LIMITS } from "../../src/options/limit_options.ts";
import { frame, opcode, text } from "../conformance/web_socket.ts";
import { testOnEngines } from "./engines.ts";
import { RawClient } from "./raw_client.ts";

/** Upgrades everything, and logs what happens. */
function listen(
  engine: Engine,
  changes: Partial<WebSocketPlan>,
  log: string[],
  sockets: EngineWebSocket[] = [],
): { listener: HttpListener; port: number } {
  const plan: WebSocketPlan = {
    maxPayloadLength: 1000,
    backpressureLimit: 0,
    closeOnBackpressureLimit: false,
    idleTimeout: 1,
    sendPings: true,
    deflate: undefined,
    ...changes,
  };
  const events: WebSocketEvents = {
    message: (_, data) => void log.push(`message ${data}`),
    ping: () => {},
    pong: () => {},
    drain: () => {},
    closed: (_, code, reason) => void log.push(`closed ${code} ${reason}`),
  };
  const listener = engine.listenHttp(
    {
      address: {
        transport: "tcp",
        hostname: "127.0.0.1",
        port: 0,
        reusePort: false,
        ipv6Only: false,
      },
      tls: undefined,
      maxRequestBodySize: 1000,
      idleTimeout: 10,
      maxPendingRequests: 10_000,
      limits: DEFAULT_LIMITS,
      health: undefined,
      metricsRoute: undefined,
    },
    (_, exchange) => {
      const socket = exchange.upgrade(plan, new Headers(), events);
      if (socket !== undefined) sockets.push(socket);
      return new Response();
    },
  );
  const { address } = listener;
  return { listener, port: address.transport === "tcp" ? address.port : 0 };
}

/** The client may know that it is over before JavaScript does. */
async function ended(client: RawClient, log: readonly string[]): Promise<void> {
  await client.closed();
  while (!log.some((line) => line.startsWith("closed"))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

testOnEngines(
  "a silent client is pinged, and dropped if it does not answer",
  async (engine) => {
    const log: string[] = [];
    const { listener, port } = listen(engine, {}, log);
    using client = await RawClient.connect(port);
    assertEquals((await client.frame()).opcode, "ping");
    // Deno says why before it hangs up.
    if (engine.name === "deno") {
      assertEquals((await client.frame()).opcode, "close");
    }
    await ended(client, log);
    assertEquals(log, ["closed 1006 "]);
    await listener.stop(false);
  },
);

testOnEngines("a silent client that answers pings stays", async (engine) => {
  const log: string[] = [];
  const { listener, port } = listen(engine, {}, log);
  using client = await RawClient.connect(port);
  for (let pings = 0; pings < 4; pings++) {
    assertEquals((await client.frame()).opcode, "ping");
    await client.send(frame(opcode.pong));
  }
  await client.send(text("here"));
  assertEquals((await client.frame()).opcode, "ping");
  assertEquals(log, ["message here"]);
  await listener.stop(true);
});

testOnEngines("without pings, a silent client is dropped", async (engine) => {
  const log: string[] = [];
  const { listener, port } = listen(engine, { sendPings: false }, log);
  using client = await RawClient.connect(port);
  await ended(client, log);
  assertEquals(log, ["closed 1006 "]);
  await listener.stop(false);
});

testOnEngines("without pings, a client that talks stays", async (engine) => {
  const log: string[] = [];
  const { listener, port } = listen(engine, { sendPings: false }, log);
  using client = await RawClient.connect(port);
  for (let messages = 0; messages < 6; messages++) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    await client.send(text("x"));
  }
  await ended(client, log);
  assertEquals(log, [
    ...Array.from({ length: 6 }, () => "message x"),
    "closed 1006 ",
  ]);
  await listener.stop(false);
});

testOnEngines("while it is paused, a client may be silent", async (engine) => {
  const log: string[] = [];
  const sockets: EngineWebSocket[] = [];
  const { listener, port } = listen(engine, { sendPings: false }, log, sockets);
  using client = await RawClient.connect(port);
  sockets[0]!.pause();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assertEquals(log, []);
  sockets[0]!.resume();
  await ended(client, log);
  assertEquals(log, ["closed 1006 "]);
  await listener.stop(false);
});

testOnEngines("an idleTimeout of 0 drops nobody", async (engine) => {
  const log: string[] = [];
  const { listener, port } = listen(engine, {
    sendPings: false,
    idleTimeout: 0,
  }, log);
  using client = await RawClient.connect(port);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await client.send(text("still here"));
  while (log.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(log, ["message still here"]);
  await listener.stop(true);
});
