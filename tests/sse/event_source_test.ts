/**
 * Event streams and the platform's `EventSource`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { serve, type Server, sse } from "@jstime/serve";
import type { Engine } from "../../src/engine/engine.ts";
import { eventually } from "../hostile/program.ts";
import { testOnEngines } from "../websocket/engines.ts";

function listen({ name }: Engine, port = 0): Server {
  return serve({
    engine: name,
    port,
    hostname: "127.0.0.1",
    routes: {
      "/": sse({ topic: "t", retry: 100 }),
      "/typed": sse({ topic: "t", event: "news" }),
    },
  });
}

testOnEngines("EventSource gets messages by type", async (engine) => {
  await using server = listen(engine);
  const plain = new EventSource(server.url);
  const typed = new EventSource(new URL("/typed", server.url));
  const got: string[] = [];
  plain.onmessage = ({ data, lastEventId }) =>
    got.push(`plain ${data} ${lastEventId.split("-")[1]}`);
  typed.onmessage = () => got.push("never");
  typed.addEventListener("news", ({ data }) => got.push(`typed ${data}`));
  await eventually("they listen", () => server.subscriberCount("t") === 2);
  server.publish("t", "a\nb");
  await eventually("they are told", () => got.length === 2);
  assertEquals(got.sort(), ["plain a\nb 1", "typed a\nb"]);
  plain.close();
  typed.close();
});

testOnEngines(
  "EventSource comes again after a restart, and misses nothing",
  async (engine) => {
    const first = listen(engine);
    const source = new EventSource(first.url);
    const got: string[] = [];
    source.onmessage = ({ data }) => got.push(data);
    await eventually("it listens", () => first.subscriberCount("t") === 1);
    first.publish("t", "1");
    first.publish("t", "2");
    await eventually("it is told", () => got.length === 2);
    await first.stop();

    await using second = listen(engine, first.port);
    second.publish("t", "3");
    await eventually("it is told", () => got.length === 3);
    second.publish("t", "4");
    await eventually("it is told", () => got.length === 4);
    assertEquals(got, ["1", "2", "3", "4"]);
    source.close();
  },
);
