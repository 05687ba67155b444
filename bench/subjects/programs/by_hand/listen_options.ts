import type { ServerPlan } from "../server_plan.ts";

/** Options of `Deno.serve` that say where; it prints where it listens. */
export function listenOptions(plan: ServerPlan): Deno.ServeTcpOptions {
  return {
    hostname: "127.0.0.1",
    port: plan.port,
    onListen: ({ port }) => console.log(JSON.stringify({ port })),
    ...plan.tls,
  };
}
