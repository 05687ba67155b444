import { assertEquals } from "@std/assert";
import { serve, type Server, sse } from "@jstime/serve";
import { eventually } from "../hostile/program.ts";
import { entry } from "../tls/certificates.ts";
import { httpClient } from "../tls/client.ts";
import { testOnEngines } from "../websocket/engines.ts";
import { eventsIn } from "./event_client.ts";

testOnEngines(
  "events over TLS, and comments while there are none",
  async (engine) => {
    const server: Server = serve({
      engine: engine.name,
      port: 0,
      hostname: "127.0.0.1",
      tls: entry("first"),
      routes: {
        "/": sse({ topic: "t", heartbeat: 0.2, backpressureLimit: 2 ** 24 }),
      },
    });
    using client = httpClient({ http2: false });
    const url = `https://localhost:${server.port}/`;
    const response = await fetch(url, { client });
    assertEquals(response.status, 200);
    await eventually("it listens", () => server.subscriberCount("t") === 1);
    const texts = ["a\nb", "x".repeat(3_000_000), "last"];
    let received = "";
    const reading = (async () => {
      for await (
        const chunk of response.body!.pipeThrough(new TextDecoderStream())
      ) {
        received += chunk;
      }
    })();
    await eventually("it beats", () => received.startsWith(":\n\n".repeat(3)));
    for (const text of texts) server.publish("t", text);
    await eventually("all is there", () => received.includes("data: last\n\n"));
    assertEquals(eventsIn(received).map(({ data }) => data), texts);
    await server.stop();
    await reading;
  },
);
