/**
 * Silent clients. Options allow no less than eight seconds, so these talk to
 * the engine itself.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { denoEngine } from "../../src/engine/deno/engine.ts";
import type {
  EngineWebSocket,
  HttpListener,
  WebSocketEvents,
  WebSocketPlan,
} from "../../src/engine/engine.ts";
import { DEFAULT_LIMITS } from "../../src/options/limit_options.ts";
import { frame, opcode, text } from "../conformance/web_socket.ts";
import { RawClient } from "./raw_client.ts";

/** Upgrades everything, and logs what happens. */
function listen(
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
  const listener = denoEngine.listenHttp(
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

Deno.test("a silent client is pinged, and dropped if it does not answer", async () => {
  const log: string[] = [];
  const { listener, port } = listen({}, log);
  using client = await RawClient.connect(port);
  assertEquals((await client.frame()).opcode, "ping");
  // Deno says why before it hangs up.
  assertEquals((await client.frame()).opcode, "close");
  await client.closed();
  assertEquals(log, ["closed 1006 "]);
  await listener.stop(false);
});

Deno.test("a silent client that answers pings stays", async () => {
  const log: string[] = [];
  const { listener, port } = listen({}, log);
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

Deno.test("without pings, a silent client is dropped", async () => {
  const log: string[] = [];
  const { listener, port } = listen({ sendPings: false }, log);
  using client = await RawClient.connect(port);
  await client.closed();
  assertEquals(log, ["closed 1006 "]);
  await listener.stop(false);
});

Deno.test("without pings, a client that talks stays", async () => {
  const log: string[] = [];
  const { listener, port } = listen({ sendPings: false }, log);
  using client = await RawClient.connect(port);
  for (let messages = 0; messages < 6; messages++) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    await client.send(text("x"));
  }
  await client.closed();
  assertEquals(log, [
    ...Array.from({ length: 6 }, () => "message x"),
    "closed 1006 ",
  ]);
  await listener.stop(false);
});

Deno.test("while it is paused, a client may be silent", async () => {
  const log: string[] = [];
  const sockets: EngineWebSocket[] = [];
  const { listener, port } = listen({ sendPings: false }, log, sockets);
  using client = await RawClient.connect(port);
  sockets[0]!.pause();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assertEquals(log, []);
  sockets[0]!.resume();
  await client.closed();
  assertEquals(log, ["closed 1006 "]);
  await listener.stop(false);
});

Deno.test("an idleTimeout of 0 drops nobody", async () => {
  const log: string[] = [];
  const { listener, port } = listen({ sendPings: false, idleTimeout: 0 }, log);
  using client = await RawClient.connect(port);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await client.send(text("still here"));
  while (log.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(log, ["message still here"]);
  await listener.stop(true);
});
