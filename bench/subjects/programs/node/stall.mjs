// The server whose JavaScript is blocked now and then, with node:http and ws.
import { createServer } from "node:http";
import { Worker } from "node:worker_threads";
import { sendFile } from "./file.mjs";
import { sendText } from "./http.mjs";
import { loadWs } from "./load_ws.mjs";

/** Serves everything that is measured meanwhile. */
export function serve(plan) {
  const { WebSocketServer } = loadWs(plan.ws);
  const http = createServer((request, response) => {
    switch (request.url) {
      case "/file":
        return sendFile(plan.file, request, response);
      case "/block":
        block(plan.blockMilliseconds);
        return sendText(response, "Blocked");
      default:
        return sendText(response, "Hello");
    }
  });
  const server = new WebSocketServer({ server: http });
  server.on("connection", (socket) => socket.on("error", () => {}));
  if (plan.variant === "publish") {
    const url = new URL("./publishing_worker.mjs", import.meta.url);
    new Worker(url).on("message", (message) => {
      for (const client of server.clients) client.send(message);
    });
  }
  return http;
}

function block(milliseconds) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    // Nothing else runs meanwhile.
  }
}
