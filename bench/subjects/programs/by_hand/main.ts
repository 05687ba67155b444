/**
 * The same servers written by hand for Deno, as well as is reasonable: no
 * `new URL`, no router, nothing that the one workload does not need.
 *
 * @module
 */

import type { ServerPlan } from "../server_plan.ts";

const plan: ServerPlan = JSON.parse(Deno.args[0]!);

switch (plan.service) {
  case "http":
    (await import("./http.ts")).serveHttp(plan);
    break;
  case "websocket":
    (await import("./websocket.ts")).serveWebSocket(plan);
    break;
  case "tcp":
    await (await import("./tcp.ts")).serveTcp(plan);
    break;
  case "stall":
    (await import("./stall.ts")).serveStall(plan);
    break;
}
