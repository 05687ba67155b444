/** A server with one route for each thing that the tests do to it. */
import { file, serve } from "../../../mod.ts";

const numberOf = (name: string) => Number(Deno.env.get(name) ?? 0) || undefined;

let entered = 0;

const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  idleTimeout: numberOf("IDLE_TIMEOUT") ?? 10,
  maxPendingRequests: numberOf("MAX_PENDING"),
  limits: {
    headTimeout: numberOf("HEAD_TIMEOUT"),
    contentRate: numberOf("CONTENT_RATE"),
  },
  healthRoute: { path: "/healthz", stall: 1 },
  metricsRoute: "/metrics",
  routes: {
    "/static": new Response("static"),
    "/large": new Response(new Uint8Array(32 * 1024 * 1024)),
    "/file": Deno.env.has("FILE") ? file(Deno.env.get("FILE")!) : false,
    "/number/:number": ({ params }) => new Response(params.number),
    "/kilobytes/:number": ({ params }) =>
      new Response(params.number.padEnd(10 * 1024, ".")),
    "/handler-file": () => new Response(file(Deno.env.get("FILE")!)),
    "/echo": async (request) => new Response(await request.bytes()),
    "/entered": () => new Response(String(entered)),
    "/enter": () => {
      entered++;
      return new Response("entered");
    },
    // Nothing else of this process's JavaScript runs meanwhile.
    "/block/:milliseconds": ({ params }) => {
      console.log("blocked");
      const end = performance.now() + Number(params.milliseconds);
      while (performance.now() < end);
      console.log("went on");
      return new Response("unblocked");
    },
  },
  fetch: () => new Response("fetch"),
});
console.log(`Listening on ${server.url}`);
