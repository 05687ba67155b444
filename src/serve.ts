import { chooseEngine } from "./engine/choose.ts";
import { HttpServer } from "./http/http_server.ts";
import { resolveHttpOptions } from "./options/http_options.ts";
import type { Serve } from "./serve_types.ts";
import type { Server } from "./server.ts";

/**
 * Starts an HTTP server. It listens when this returns.
 *
 * @typeParam WebSocketData The type of `socket.data`; write
 * `websocket: { data: {} as Data }` instead of giving it here.
 * @typeParam Path The routes' patterns, from which `params` is typed.
 * @param options Where to listen and what to answer.
 * @returns The running server.
 * @throws {TypeError} If an option has the wrong type, or neither `fetch` nor
 * `routes` is given.
 * @throws {RangeError} If a number is out of range.
 * @throws {Error} If listening fails; `code` says why, such as `EADDRINUSE`.
 *
 * @example
 * ```ts
 * import { serve } from "@jstime/serve";
 *
 * const server = serve({
 *   port: 0,
 *   routes: {
 *     "/": new Response("Hello"),
 *     "/users/:id": (request) => new Response(`User ${request.params.id}`),
 *   },
 * });
 * console.log(`Listening on ${server.url}`);
 * await server.stop();
 * ```
 */
export function serve<
  WebSocketData = undefined,
  const Path extends string = string,
>(
  options: Serve.Options<WebSocketData, Path>,
): Server<WebSocketData> {
  const plan = resolveHttpOptions(options);
  const engine = chooseEngine(plan.engine, plan.listen);
  return new HttpServer(
    plan,
    engine,
    (handler) => engine.listenHttp(plan.listen, handler),
  );
}
