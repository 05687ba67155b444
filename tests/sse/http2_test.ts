import { assertEquals } from "@std/assert";
import { serve, sse } from "@jstime/serve";
import { eventually } from "../hostile/program.ts";
import { entry } from "../tls/certificates.ts";
import { httpClient } from "../tls/client.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { eventsIn } from "./event_client.ts";

testOnEngines("events over HTTP/2", async (engine) => {
  const server = serve({
    engine: engine.name,
    port: 0,
    hostname: "127.0.0.1",
    tls: entry("first"),
    http2: true,
    idleTimeout: 1,
    routes: {
      "/": sse({ topic: "t", heartbeat: 1.5, backpressureLimit: 2 ** 24 }),
    },
  });
  using client = httpClient({ http1: false, http2: true });
  const url = `https://localhost:${server.port}/`;
  const ask = async (lastId = "") => {
    const headers = { "last-event-id": lastId };
    const response = await fetch(url, { client, headers });
    assertEquals(response.status, 200);
    const stream = { text: "", isWhole: false };
    const reading = (async () => {
      for await (
        const text of response.body!.pipeThrough(new TextDecoderStream())
      ) {
        stream.text += text;
      }
      stream.isWhole = true;
    })();
    return { stream, reading };
  };
  const one = await ask();
  const other = await ask();
  await eventually("they listen", () => server.subscriberCount("t") === 2);
  // Longer than the idle timeout.
  const beats = ":\n\n".repeat(3);
  await eventually("it beats", () => one.stream.text.startsWith(beats));
  const texts = ["a\nb", "x".repeat(3_000_000), "last"];
  for (const text of texts) server.publish("t", text);
  for (const { stream } of [one, other]) {
    await eventually(
      "all is there",
      () => stream.text.endsWith("data: last\n\n"),
    );
    assertEquals(eventsIn(stream.text).map(({ data }) => data), texts);
  }
  const events = eventsIn(one.stream.text);
  const again = await ask(events[1]!.id);
  await eventually(
    "it gets what it has missed",
    () => again.stream.text.endsWith("data: last\n\n"),
  );
  assertEquals(eventsIn(again.stream.text), [events[2]!]);

  await server.stop();
  for (const { reading, stream } of [one, other, again]) {
    await reading;
    assertEquals(stream.isWhole, true);
  }
  assertEquals(server.subscriberCount("t"), 0);
});
