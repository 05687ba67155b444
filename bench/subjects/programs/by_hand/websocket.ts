/**
 * WebSockets with `Deno.upgradeWebSocket`.
 *
 * @module
 */

import type { ServerPlan } from "../server_plan.ts";
import { listenOptions } from "./listen_options.ts";

// The idle timeout is the one that the others have.
const IDLE_SECONDS = 120;

/** Serves echo, or publishes to everybody; over HTTP it says hello. */
export function serveWebSocket(plan: ServerPlan): void {
  const copies = Number(/^publish-([0-9]+)$/.exec(plan.variant)?.[1] ?? 0);
  const subscribers = new Set<WebSocket>();

  function open(socket: WebSocket): void {
    if (copies === 0) {
      socket.onmessage = ({ data }) => socket.send(data);
      return;
    }
    socket.onopen = () => subscribers.add(socket);
    socket.onclose = () => subscribers.delete(socket);
    socket.onmessage = ({ data }) => {
      for (let copy = 0; copy < copies; copy++) {
        for (const subscriber of subscribers) subscriber.send(data);
      }
    };
  }

  Deno.serve(listenOptions(plan), (request) => {
    if (request.headers.get("upgrade") !== "websocket") {
      return new Response("Hello");
    }
    const { socket, response } = Deno.upgradeWebSocket(request, {
      idleTimeout: IDLE_SECONDS,
    });
    socket.binaryType = "arraybuffer";
    open(socket);
    return response;
  });
}
