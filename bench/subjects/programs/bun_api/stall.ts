/**
 * The server under test whose JavaScript is blocked now and then: `/block`
 * does that; a static route, a file and WebSockets are what is measured.
 *
 * @module
 */

import type { Serve } from "../../../../mod.ts";
import { BUS, publishFromWorker, publishOnBus } from "../publishing.ts";
import type { ServerPlan } from "../server_plan.ts";
import { block } from "../block.ts";
import type { Api, RunningServer } from "./api.ts";

const webSockets: Pick<Serve.Options, "fetch" | "websocket"> = {
  fetch(request, server) {
    if (server.upgrade(request)) return;
    return new Response("Hello");
  },
  websocket: {
    open(socket) {
      socket.subscribe("news");
    },
    message() {},
  },
};

/** Serves everything that is measured meanwhile. */
export function serveStall(api: Api, plan: ServerPlan): RunningServer {
  const server = api.serve({
    hostname: "127.0.0.1",
    port: plan.port,
    development: false,
    idleTimeout: 255,
    routes: {
      "/static": new Response("Hello"),
      "/file": api.file(plan.file),
      "/block": () => {
        block(plan.blockMilliseconds);
        return new Response("Blocked");
      },
    },
    // What is not measured is not there: an engine may lack it.
    ...(plan.variant === "http" ? {} : webSockets),
    ...(plan.variant === "publish" ? { bus: BUS } : {}),
  });
  if (plan.variant === "publish") {
    // Bun has no bus.
    if (plan.module === undefined) {
      publishFromWorker((message) => void server.publish("news", message));
    } else {
      publishOnBus(plan.module);
    }
  }
  return server;
}
