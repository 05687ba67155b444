/**
 * A server of a Worker, which does as it is told.
 *
 * @module
 */

import { serve, type Server, type ServerWebSocket, sse } from "@jstime/serve";

/** What to do; the answer is posted back. */
export type BusCommand =
  | {
    readonly kind: "start";
    readonly engine: "deno" | "native";
    readonly bus: string;
    readonly backpressureLimit: number;
  }
  | {
    readonly kind: "publish";
    readonly topic: string;
    readonly messages: readonly (string | Uint8Array<ArrayBuffer>)[];
  }
  | { readonly kind: "count"; readonly topic: string }
  | { readonly kind: "send"; readonly message: string }
  | { readonly kind: "buffered" }
  | { readonly kind: "unsubscribe"; readonly topic: string }
  | { readonly kind: "block"; readonly until: SharedArrayBuffer }
  | { readonly kind: "stop" };

const parent = globalThis as unknown as {
  postMessage(message: unknown): void;
};
let server: Server;
const sockets: ServerWebSocket[] = [];

async function carryOut(command: BusCommand): Promise<unknown> {
  switch (command.kind) {
    case "start": {
      const { engine, bus, backpressureLimit } = command;
      server = serve({
        engine,
        bus,
        port: 0,
        hostname: "127.0.0.1",
        routes: { "/events": sse({ topic: "t" }) },
        fetch: (request, server) =>
          server.upgrade(request) ? undefined : new Response("plain"),
        websocket: {
          backpressureLimit,
          open: (socket) => {
            sockets.push(socket);
            socket.subscribe("t");
          },
          message: (socket, topic) => {
            if (typeof topic === "string") socket.subscribe(topic);
          },
        },
      });
      return server.port;
    }
    case "publish":
      return command.messages.map((message) =>
        server.publish(command.topic, message)
      );
    case "count":
      return server.subscriberCount(command.topic);
    case "send":
      return sockets[0]!.send(command.message);
    case "buffered":
      return sockets[0]!.getBufferedAmount();
    case "unsubscribe":
      return sockets[0]!.unsubscribe(command.topic);
    case "block": {
      parent.postMessage("blocks");
      Atomics.wait(new Int32Array(command.until), 0, 0);
      return;
    }
    case "stop":
      return await server.stop(true);
  }
}

addEventListener("message", async (event) => {
  const { data } = event as MessageEvent<BusCommand>;
  parent.postMessage(await carryOut(data));
});
