/**
 * The WebSocket server under test: it echoes, or publishes to everybody.
 *
 * @module
 */

import type { ServerPlan } from "../server_plan.ts";
import type { Api, RunningServer } from "./api.ts";

/** Serves one variant of WebSockets; over HTTP it says hello. */
export function serveWebSocket(api: Api, plan: ServerPlan): RunningServer {
  const copies = Number(/^publish-([0-9]+)$/.exec(plan.variant)?.[1] ?? 0);
  const server = api.serve({
    hostname: "127.0.0.1",
    port: plan.port,
    development: false,
    fetch(request, server) {
      if (server.upgrade(request)) return;
      return new Response("Hello");
    },
    websocket: copies === 0
      ? {
        message(socket, message) {
          socket.send(message);
        },
      }
      : {
        open(socket) {
          socket.subscribe("news");
        },
        message(_, message) {
          for (let copy = 0; copy < copies; copy++) {
            server.publish("news", message);
          }
        },
      },
  });
  return server;
}
