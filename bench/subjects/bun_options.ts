/**
 * The server under test written for Bun's API. Ours and Bun run this very
 * text, so that a difference between them is not one between two programs.
 *
 * @module
 */

import type { JSTimeFile, Serve } from "../../mod.ts";

/** The parts of Bun's API that the workloads need. */
export interface BunApi {
  /** Names a file. */
  file(path: string): JSTimeFile;
}

/**
 * Options for `serve()`.
 *
 * @param workload The workload to answer.
 * @param variant `handler`, or `route` for files as routes.
 * @param path The file to serve.
 */
export function bunOptions(
  { file }: BunApi,
  workload: string,
  variant: string,
  path: string,
): Serve.Options {
  const common = { hostname: "127.0.0.1", port: 0, development: false };
  switch (workload) {
    case "hello":
      return { ...common, fetch: () => new Response("Hello") };
    case "static":
      return { ...common, routes: { "/static": new Response("Hello") } };
    case "params":
      return {
        ...common,
        routes: {
          "/users/:user/posts/:post": ({ params }) =>
            new Response(`${params.user} ${params.post}`),
        },
      };
    case "json":
      return {
        ...common,
        routes: {
          "/orders": {
            async POST(request) {
              const { customer, items } = await request.json();
              return Response.json({ customer, items: items.length });
            },
          },
        },
      };
    default:
      return variant === "route"
        ? { ...common, routes: { "/file": file(path) } }
        : { ...common, fetch: () => new Response(file(path)) };
  }
}
