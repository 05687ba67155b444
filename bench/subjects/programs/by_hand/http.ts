/**
 * HTTP with `Deno.serve`.
 *
 * @module
 */

import type { ServerPlan } from "../server_plan.ts";
import { fileHandler } from "./file.ts";
import { listenOptions } from "./listen_options.ts";
import { pathOf } from "./path.ts";

const tenHeaders = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`x-field-${index}`, `${index}`]),
);
const chunk = new Uint8Array(1024).fill(0x61);

/** Serves one variant of HTTP. */
export function serveHttp(plan: ServerPlan): void {
  Deno.serve(listenOptions(plan), handlerFor(plan));
}

function handlerFor(plan: ServerPlan): Deno.ServeHandler {
  switch (plan.variant) {
    case "hello":
      return () => new Response("Hello");
    case "async":
      return async () => {
        await Promise.resolve();
        return new Response("Hello");
      };
    case "static":
      return (request) =>
        pathOf(request) === "/static" ? new Response("Hello") : notFound();
    case "params":
      return params;
    case "routes":
      return thousandRoutes();
    case "json":
      return json;
    case "headers":
      return () => new Response("Hello", { headers: tenHeaders });
    case "stream":
      return () => new Response(sixteenChunks());
    case "upload":
      return async (request) => {
        const content = await request.bytes();
        return new Response(String(content.length));
      };
    case "file":
      return fileHandler(plan.file);
    default:
      throw new Error(`Cannot serve "${plan.variant}"`);
  }
}

function params(request: Request): Response {
  const parts = pathOf(request).split("/");
  if (parts.length !== 5 || parts[1] !== "users" || parts[3] !== "posts") {
    return notFound();
  }
  const user = decodeURIComponent(parts[2]!);
  const post = decodeURIComponent(parts[4]!);
  return new Response(`${user} ${post}`);
}

function thousandRoutes(): Deno.ServeHandler {
  const answer = (id: string) => new Response(id);
  const routes = new Map(
    Array.from(
      { length: 1000 },
      (_, index) => [`/group-${index % 40}/kind-${index}`, answer],
    ),
  );
  return (request) => {
    const path = pathOf(request);
    const end = path.lastIndexOf("/");
    const route = routes.get(path.slice(0, end));
    return route?.(decodeURIComponent(path.slice(end + 1))) ?? notFound();
  };
}

async function json(request: Request): Promise<Response> {
  if (request.method !== "POST" || pathOf(request) !== "/orders") {
    return notFound();
  }
  const { customer, items } = await request.json();
  return Response.json({ customer, items: items.length });
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

function notFound(): Response {
  return new Response("Not found", { status: 404 });
}
