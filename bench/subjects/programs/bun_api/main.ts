/**
 * Serves what the plan says; only that part of the program is loaded.
 *
 * @module
 */

import type { ServerPlan } from "../server_plan.ts";
import type { Api, RunningServer } from "./api.ts";

/** Serves and says where. */
export async function run(api: Api, plan: ServerPlan): Promise<void> {
  const { port, engine } = await start(api, plan);
  console.log(JSON.stringify({ port, engine }));
}

async function start(api: Api, plan: ServerPlan): Promise<RunningServer> {
  switch (plan.service) {
    case "http":
      return (await import("./http.ts")).serveHttp(api, plan);
    case "websocket":
      return (await import("./websocket.ts")).serveWebSocket(api, plan);
    case "tcp":
      return (await import("./tcp.ts")).serveTcp(api, plan);
    case "stall":
      return (await import("./stall.ts")).serveStall(api, plan);
  }
}
