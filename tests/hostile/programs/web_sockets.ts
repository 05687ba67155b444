/** A server whose WebSockets can be counted, and JavaScript blocked. */
import { serve, type ServerWebSocket } from "../../../mod.ts";

const counts = {
  opened: 0,
  closed: 0,
  messages: 0,
  bytes: 0,
  published: 0,
  codes: {} as Record<string, number>,
};
let floods = false;

/** Publishes as often as there is a turn, until told otherwise. */
async function flood(): Promise<void> {
  floods = true;
  const filler = "x".repeat(1000);
  while (floods) {
    server.publish("news", `${++counts.published} ${filler}`);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: {
    "/counts": (_, server) =>
      Response.json({
        ...counts,
        subscribers: server.subscriberCount("news"),
        sockets: server.pendingWebSockets,
      }),
    "/flood": () => {
      flood();
      return new Response();
    },
    "/calm": () => {
      floods = false;
      return new Response();
    },
    // Nothing else of this process's JavaScript runs meanwhile.
    "/block/:milliseconds": ({ params }) => {
      console.log("blocked");
      const end = performance.now() + Number(params.milliseconds);
      while (performance.now() < end);
      console.log("went on");
      return new Response("unblocked");
    },
    "/:topic": (request, server) => {
      const { topic } = request.params;
      if (server.upgrade(request, { data: { topic } })) return;
      return new Response(null, { status: 426 });
    },
  },
  websocket: {
    data: {} as { topic: string },
    perMessageDeflate: { compress: "dedicated", decompress: "dedicated" },
    idleTimeout: Number(Deno.env.get("IDLE_TIMEOUT") ?? 120),
    maxPayloadLength: 1024 * 1024,
    open: (socket: ServerWebSocket<{ topic: string }>) => {
      counts.opened++;
      const { topic } = socket.data;
      if (topic === "news") socket.subscribe(topic);
    },
    message: (socket, message) => {
      counts.messages++;
      counts.bytes += message.length;
      if (socket.data.topic === "echo") socket.send(message);
    },
    close: (_, code) => {
      counts.closed++;
      counts.codes[code] = (counts.codes[code] ?? 0) + 1;
    },
  },
});
console.log(`Listening on ${server.url}`);
