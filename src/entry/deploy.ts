/**
 * Serves the same options on Deno Deploy, or wherever a platform listens and
 * calls `fetch`: no listening, no FFI, no file system beyond reading.
 *
 * @example A module for `export default`
 * ```ts
 * import { deploy } from "@jstime/serve/deploy";
 *
 * export default deploy({
 *   routes: {
 *     "/hello/:name": (request) => new Response(`Hello ${request.params.name}`),
 *   },
 * });
 * ```
 *
 * @module
 */

import { denoEngine } from "../engine/deno/engine.ts";
import { DenoHttpService } from "../engine/deno/http_service.ts";
import type {
  HttpHandler,
  HttpListener,
  HttpListenPlan,
  HttpMetrics,
  TcpAddressPlan,
  UnixAddressPlan,
} from "../engine/engine.ts";
import { HttpServer } from "../http/http_server.ts";
import { resolveHttpOptions } from "../options/http_options.ts";
import type { Serve } from "../serve_types.ts";

/** What a platform calls: `export default` it, or pass it to `Deno.serve`. */
export interface Deployment {
  /**
   * Answers one request.
   *
   * @param request The request.
   * @param info Who sent it, where the platform tells.
   */
  fetch(
    request: Request,
    info?: Deno.ServeHandlerInfo<Deno.Addr>,
  ): Response | Promise<Response>;
}

/** A listener in name only: the platform has the sockets. */
class PlatformListener implements HttpListener {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly service: DenoHttpService;

  constructor(plan: HttpListenPlan, handler: HttpHandler) {
    this.address = plan.address;
    this.service = new DenoHttpService(plan, handler);
  }

  get pendingRequests(): number {
    return this.service.pendingRequests;
  }

  /** Requests in flight end when they end: the platform waits for them. */
  stop(force: boolean): Promise<void> {
    if (force) this.service.cutAll();
    return Promise.resolve();
  }

  closeIdleConnections(): number {
    return 0;
  }

  /** The platform has the certificates, too. */
  replaceTls(): void {}

  /** Every answer needs JavaScript here. */
  setStatic(): void {}

  metrics(): HttpMetrics {
    return this.service.metrics();
  }

  ref(): void {}

  unref(): void {}
}

/**
 * Turns the options of `serve` into what a platform calls. Where to listen is
 * the platform's affair: `port`, `hostname`, `unix`, `tls` and the like are
 * checked and otherwise ignored.
 *
 * @typeParam WebSocketData The type of `socket.data`.
 * @typeParam Path The routes' patterns, from which `params` is typed.
 * @param options What to answer.
 * @throws {TypeError} As `serve` does.
 * @throws {RangeError} As `serve` does.
 */
export function deploy<
  WebSocketData = undefined,
  const Path extends string = string,
>(
  options: Serve.Options<WebSocketData, Path>,
): Deployment {
  const plan = resolveHttpOptions(options);
  let listener: PlatformListener;
  new HttpServer(
    plan,
    denoEngine,
    (handler) => listener = new PlatformListener(plan.listen, handler),
  );
  return {
    fetch: (request, info) => listener.service.serve(request, info),
  };
}

export default deploy;
