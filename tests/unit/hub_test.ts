/**
 * How the hub publishes. What arrives is up to the conformance cases.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type {
  Engine,
  EngineBus,
  EngineWebSocket,
  Publication,
} from "../../src/engine/engine.ts";
import { webSocketOption } from "../../src/options/websocket_options.ts";
import { Bus } from "../../src/websocket/bus.ts";
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

Deno.test("publish says how, unless messages are just dropped", () => {
  const publications: (Publication | undefined)[] = [];
  const broadcast: Engine["broadcast"] = (_, __, ___, size, publication) => {
    publications.push(publication);
    return size;
  };
  const plan = webSocketOption({
    topics: { t: { policy: "latest" }, u: { policy: "drop-newest" } },
  });
  const hub = new WebSocketHub(plan, { broadcast });
  new ServerSocket(hub, engineSocket(), undefined, undefined).subscribe("t");
  hub.publish("t", "a", true);
  hub.publish("t", "b", true, undefined, "drop-newest");
  hub.publish("t", "c", true, undefined, "disconnect");
  assertEquals(publications, [
    { topic: "t", policy: "latest" },
    undefined,
    { topic: "t", policy: "disconnect" },
  ]);
});

Deno.test("a hub on a bus tells its engine, and asks it", () => {
  const log: string[] = [];
  const joinBus = (name: string): EngineBus => ({
    subscribe: (_, topic) => void log.push(`${name} subscribe ${topic}`),
    unsubscribe: (_, topic) => void log.push(`${name} unsubscribe ${topic}`),
    publish: (topic, data, compress, policy) => {
      log.push(`${name} publish ${topic} ${data} ${compress} ${policy}`);
      return answer;
    },
    subscriberCount: () => 5,
    leave: () => void log.push(`${name} leave`),
  });
  let answer = 0;
  const one = new WebSocketHub(undefined, { joinBus });
  const other = new WebSocketHub(undefined, { joinBus });
  one.joinBus("n");
  other.joinBus("n");
  assertEquals(Bus.count, 1);
  const got: string[] = [];
  const source = engineSocket((data) => got.push(`${data}`));
  const socket = new ServerSocket(one, source, undefined, undefined);
  assertEquals(one.publish("t", "nobody", false), 0);
  answer = 2;
  assertEquals(one.publish("t", "there", true), 5);
  socket.subscribe("t");
  socket.subscribe("t");
  assertEquals(one.subscriberCount("t"), 6);
  assertEquals(other.publish("t", "both", false, undefined, "latest"), 4);
  answer = -1;
  assertEquals(other.publish("t", "lost", false), 0);
  assertEquals(got, ["both", "lost"]);
  assertEquals(socket.unsubscribe("t"), true);
  assertEquals(socket.unsubscribe("t"), false);
  one.leaveBus();
  assertEquals(one.publish("t", "alone", false), 0);
  other.leaveBus();
  assertEquals(Bus.count, 0);
  assertEquals(log, [
    "n publish t nobody false drop-newest",
    "n publish t there true drop-newest",
    "n subscribe t",
    "n publish t both false latest",
    "n publish t lost false drop-newest",
    "n unsubscribe t",
    "n leave",
    "n leave",
  ]);
});

/** A socket that takes everything. */
function engineSocket(
  send: (data: string | Uint8Array) => void = () => {},
): EngineWebSocket {
  return {
    context: undefined,
    bufferedAmount: 0,
    send: (data) => {
      send(data);
      return data.length;
    },
    ping: () => 0,
    pong: () => 0,
    close: () => {},
    terminate: () => {},
    pause: () => {},
    resume: () => {},
  };
}
