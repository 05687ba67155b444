// Run as a Worker by Deno, for servers that have a bus.
import type { Api } from "./bun_api/api.ts";
import { BUS } from "./publishing.ts";

addEventListener("message", async (event) => {
  const { data: module } = event as MessageEvent<string>;
  const { serve }: Api = await import(module);
  const server = serve({
    port: 0,
    hostname: "127.0.0.1",
    bus: BUS,
    fetch: () => new Response("Nobody comes here"),
    websocket: {},
  });
  setInterval(() => {
    const milliseconds = performance.timeOrigin + performance.now();
    server.publish("news", String(Math.round(milliseconds * 1000)));
  }, 20);
});
