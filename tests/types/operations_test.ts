import { assertEquals } from "@std/assert";
import { serve, type ServerMetrics, type StallMetrics } from "@jstime/serve";

Deno.test("options for operators have types", async () => {
  await using server = serve({
    hostname: "127.0.0.1",
    port: 0,
    engine: "deno",
    healthRoute: { path: "/healthz", stall: 2.5 },
    metricsRoute: "/metrics",
    maxPendingRequests: Infinity,
    limits: { headTimeout: 30, contentRate: 500 },
    fetch: () => new Response("Hello"),
  });
  const metrics: ServerMetrics = server.metrics();
  const stalls: StallMetrics | undefined = metrics.stalls;
  assertEquals([metrics.requests, stalls], [0, undefined]);
  // @ts-expect-error: the numbers belong to the server
  metrics.requests = 1;
});

/** Never called: what must not compile. */
export function refused(): void {
  const fetch = () => new Response("Hello");
  // @ts-expect-error: a path is a string
  serve({ fetch, healthRoute: 5 });
  // @ts-expect-error: a route has a path
  serve({ fetch, healthRoute: { stall: 5 } });
  // @ts-expect-error: limits are numbers
  serve({ fetch, limits: { headBytes: "64KB" } });
  // @ts-expect-error: there is no such limit
  serve({ fetch, limits: { bytes: 5 } });
}
