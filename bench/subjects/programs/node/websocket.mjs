// WebSockets with the package ws.
import { createServer } from "node:http";
import { sendText } from "./http.mjs";
import { loadWs } from "./load_ws.mjs";

/** Echoes, or publishes to everybody; over HTTP it says hello. */
export function serve(plan) {
  const { WebSocketServer } = loadWs(plan.ws);
  const copies = Number(/^publish-([0-9]+)$/.exec(plan.variant)?.[1] ?? 0);
  const http = createServer((_, response) => sendText(response, "Hello"));
  const server = new WebSocketServer({ server: http });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data, binary) => {
      if (copies === 0) return socket.send(data, { binary });
      for (let copy = 0; copy < copies; copy++) {
        for (const client of server.clients) client.send(data, { binary });
      }
    });
  });
  return http;
}
