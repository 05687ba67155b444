/**
 * How the hub publishes. What arrives is up to the conformance cases.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Engine, EngineWebSocket } from "../../src/engine/engine.ts";
import { WebSocketHub } from "../../src/websocket/hub.ts";
import { toPayload } from "../../src/websocket/payload.ts";
import { ServerSocket } from "../../src/websocket/server_web_socket.ts";

/** A hub whose sockets are subscribed to "t", and what engines are asked. */
class Fixture {
  readonly log: string[] = [];
  readonly hub: WebSocketHub;
  readonly names: Map<EngineWebSocket, string> = new Map();

  constructor(broadcastStatus?: number) {
    const broadcast: Engine["broadcast"] = (sockets, data, compress, size) => {
      const names = sockets.map((socket) => this.names.get(socket)).join("");
      this.log.push(`${names} ${show(data)} ${compress} ${size}`);
      return broadcastStatus!;
    };
    this.hub = new WebSocketHub(
      undefined,
      broadcastStatus === undefined ? {} : { broadcast },
    );
  }

  socket(name: string, status = 0): ServerSocket {
    const engine: EngineWebSocket = {
      context: undefined,
      bufferedAmount: 0,
      send: (data) => {
        this.log.push(`${name} ${show(data)}`);
        return status;
      },
      ping: () => 0,
      pong: () => 0,
      close: () => {},
      terminate: () => {},
      pause: () => {},
      resume: () => {},
    };
    this.names.set(engine, name);
    const socket = new ServerSocket(this.hub, engine, undefined, undefined);
    socket.subscribe("t");
    return socket;
  }

  publish(data: unknown, except?: ServerSocket): number {
    return this.hub.publish("t", toPayload(data), true, except);
  }
}

function show(data: string | Uint8Array): string {
  return typeof data === "string" ? data : `[${data}]`;
}

Deno.test("publish lets an engine broadcast that can", () => {
  const fixture = new Fixture(2);
  const a = fixture.socket("a");
  fixture.socket("b");
  fixture.socket("c");
  assertEquals(fixture.publish("é"), 2);
  assertEquals(fixture.publish(Uint8Array.of(1), a), 2);
  assertEquals(fixture.log, ["abc é true 2", "bc [1] true 1"]);
});

Deno.test("publish broadcasts to nobody if there is nobody", () => {
  const fixture = new Fixture(2);
  assertEquals(fixture.publish("x"), 0);
  const a = fixture.socket("a");
  assertEquals(fixture.publish("x", a), 0);
  assertEquals(fixture.log, []);
});

Deno.test("publish keeps its place behind a Blob that is being read", async () => {
  for (const [status, result] of [[1, 1], [-1, -1], [0, 0]]) {
    const fixture = new Fixture(status);
    fixture.socket("a");
    fixture.socket("b").send(new Blob(["blob"]));
    assertEquals(fixture.publish("x"), result);
    assertEquals(fixture.log, ["a x true 1"]);
    while (fixture.log.length < 3) await new Promise((go) => setTimeout(go, 1));
    assertEquals(fixture.log, ["a x true 1", "b [98,108,111,98]", "b x"]);
  }
});

Deno.test("a Blob is published to one after the other", async () => {
  const fixture = new Fixture(9);
  fixture.socket("a");
  fixture.socket("b");
  assertEquals(fixture.publish(new Blob(["blob"])), 4);
  while (fixture.log.length < 2) await new Promise((go) => setTimeout(go, 1));
  assertEquals(fixture.log, ["a [98,108,111,98]", "b [98,108,111,98]"]);
});

Deno.test("without broadcast, publish says the worst of what it is told", () => {
  const cases: [statuses: number[], result: number][] = [
    [[1, 1], 1],
    [[1, -1, 1], -1],
    [[-1, 0, 1], 0],
    [[1, 0], 0],
  ];
  for (const [statuses, result] of cases) {
    const fixture = new Fixture();
    statuses.forEach((status, index) => fixture.socket(`${index}`, status));
    assertEquals(fixture.publish("x"), result);
    assertEquals(fixture.log.length, statuses.length);
  }
});
