/**
 * The HTTP server under test.
 *
 * @module
 */

import type { Serve } from "../../../../mod.ts";
import type { ServerPlan } from "../server_plan.ts";
import type { Api, RunningServer } from "./api.ts";

const tenHeaders = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`x-field-${index}`, `${index}`]),
);
const chunk = new Uint8Array(1024).fill(0x61);

/** Serves one variant of HTTP. */
export function serveHttp(api: Api, plan: ServerPlan): RunningServer {
  return api.serve({
    hostname: "127.0.0.1",
    port: plan.port,
    development: false,
    idleTimeout: 255,
    tls: plan.tls,
    ...handlersFor(api, plan),
  });
}

function handlersFor(
  { file }: Api,
  plan: ServerPlan,
): Pick<Serve.Options, "fetch" | "routes"> {
  switch (plan.variant) {
    case "hello":
      return { fetch: () => new Response("Hello") };
    case "async":
      return {
        fetch: async () => {
          await Promise.resolve();
          return new Response("Hello");
        },
      };
    case "static":
      return { routes: { "/static": new Response("Hello") } };
    case "params":
      return {
        routes: {
          "/users/:user/posts/:post": ({ params }) =>
            new Response(`${params.user} ${params.post}`),
        },
      };
    case "routes":
      return { routes: thousandRoutes() };
    case "json":
      return {
        routes: {
          "/orders": {
            async POST(request) {
              const { customer, items } = await request.json();
              return Response.json({ customer, items: items.length });
            },
          },
        },
      };
    case "headers":
      return { fetch: () => new Response("Hello", { headers: tenHeaders }) };
    case "stream":
      return { fetch: () => new Response(sixteenChunks()) };
    case "upload":
      return {
        fetch: async (request) => {
          const content = await request.bytes();
          return new Response(String(content.length));
        },
      };
    case "file":
      return { routes: { "/file": file(plan.file) } };
    default:
      throw new Error(`Cannot serve "${plan.variant}"`);
  }
}

function thousandRoutes(): Serve.Routes {
  const answer: Serve.RouteValue = ({ params }) => new Response(params.id);
  return Object.fromEntries(
    Array.from(
      { length: 1000 },
      (_, index) => [`/group-${index % 40}/kind-${index}/:id`, answer],
    ),
  );
}

function sixteenChunks(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = 16;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(chunk);
      if (--left === 0) controller.close();
    },
  });
}
