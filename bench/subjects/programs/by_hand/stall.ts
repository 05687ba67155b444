/**
 * The server whose JavaScript is blocked now and then, with `Deno.serve`.
 *
 * @module
 */

import { block } from "../block.ts";
import { publishFromWorker } from "../publishing.ts";
import type { ServerPlan } from "../server_plan.ts";
import { fileHandler } from "./file.ts";
import { listenOptions } from "./listen_options.ts";
import { pathOf } from "./path.ts";

/** Serves everything that is measured meanwhile. */
export function serveStall(plan: ServerPlan): void {
  const subscribers = new Set<WebSocket>();
  const sendFile = fileHandler(plan.file);
  Deno.serve(listenOptions(plan), (request, info) => {
    switch (pathOf(request)) {
      case "/static":
        return new Response("Hello");
      case "/file":
        return sendFile(request, info);
      case "/block":
        block(plan.blockMilliseconds);
        return new Response("Blocked");
      case "/ws": {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onopen = () => subscribers.add(socket);
        socket.onclose = () => subscribers.delete(socket);
        return response;
      }
      default:
        return new Response("Hello");
    }
  });
  if (plan.variant === "publish") {
    publishFromWorker((message) => {
      for (const subscriber of subscribers) subscriber.send(message);
    });
  }
}
