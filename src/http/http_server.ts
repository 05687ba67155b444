import type { Engine, HttpHandler, HttpListener } from "../engine/engine.ts";
import {
  type HttpServePlan,
  resolveReloadOptions,
} from "../options/http_options.ts";
import type { Serve, SocketAddress } from "../serve_types.ts";
import type { Server } from "../server.ts";
import { DirectExchange } from "./direct_exchange.ts";
import { Dispatcher } from "./dispatch.ts";
import { compileHandlers } from "./handler_set.ts";
import { exchangeOf, fetchRequest } from "./incoming_request.ts";

/** The server behind {@linkcode Server}; everything sits on the prototype. */
export class HttpServer implements Server {
  readonly #plan: HttpServePlan;
  readonly #engine: Engine;
  readonly #dispatcher: Dispatcher;
  readonly #listener: HttpListener;

  /**
   * @param listen Begins to listen with the server's handler.
   */
  constructor(
    plan: HttpServePlan,
    engine: Engine,
    listen: (handler: HttpHandler) => HttpListener,
  ) {
    this.#plan = plan;
    this.#engine = engine;
    this.#dispatcher = new Dispatcher(compileHandlers(plan), {
      server: this,
      development: plan.development,
      openFile: engine.openFile,
    });
    this.#listener = listen(this.#dispatcher.handle);
  }

  get port(): number | undefined {
    const { address } = this.#listener;
    return address.transport === "tcp" ? address.port : undefined;
  }

  get hostname(): string | undefined {
    const { address } = this.#listener;
    return address.transport === "tcp" ? this.#plan.hostname : undefined;
  }

  get address(): SocketAddress | string {
    const { address } = this.#listener;
    if (address.transport === "unix") return address.path;
    const { hostname, port } = address;
    const family = hostname.includes(":") ? "IPv6" : "IPv4";
    return { address: hostname, port, family };
  }

  get url(): URL {
    const { address } = this.#listener;
    if (address.transport === "unix") return unixUrl(address.path);
    const { urlHostname } = this.#plan;
    const host = urlHostname.includes(":") ? `[${urlHostname}]` : urlHostname;
    return new URL(`${this.protocol}://${host}:${address.port}/`);
  }

  get protocol(): "http" | "https" {
    return this.#plan.listen.tls === undefined ? "http" : "https";
  }

  get id(): string {
    return this.#plan.id;
  }

  get development(): boolean {
    return this.#plan.development;
  }

  get engine(): "deno" | "native" {
    return this.#engine.name;
  }

  get pendingRequests(): number {
    return this.#listener.pendingRequests;
  }

  get pendingWebSockets(): number {
    return 0;
  }

  async fetch(request: Request | string): Promise<Response> {
    const { fetch } = this.#dispatcher.handlers;
    if (fetch === undefined) {
      throw new TypeError("Cannot fetch: the server has no fetch handler");
    }
    const incoming = fetchRequest(
      new DirectExchange(
        typeof request === "string"
          ? new Request(new URL(request, this.url))
          : request,
      ),
    );
    const response = await fetch.call(this, incoming, this);
    return response ?? new Response(null, { status: 204 });
  }

  requestIP(request: Request): SocketAddress | null {
    return exchangeOf(request)?.remoteAddress() ?? null;
  }

  timeout(request: Request, seconds: number): void {
    if (typeof seconds !== "number" || !(seconds >= 0)) {
      throw new TypeError(
        `Cannot set timeout: seconds must be a number of 0 or more, not ${seconds}`,
      );
    }
    exchangeOf(request)?.setIdleTimeout(seconds);
  }

  reload<Path extends string>(options: Serve.Handlers<Path>): Server {
    const current = this.#dispatcher.handlers;
    const changes = resolveReloadOptions(options);
    this.#dispatcher.handlers = compileHandlers(changes, current);
    return this;
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  stop(closeActiveConnections: boolean = false): Promise<void> {
    return this.#listener.stop(Boolean(closeActiveConnections));
  }

  closeIdleConnections(): number {
    return this.#listener.closeIdleConnections();
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true).catch(console.error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#listener.stop(false);
  }
}

/** As Bun writes the URLs of Unix sockets. */
function unixUrl(path: string): URL {
  return path.startsWith("\0")
    ? new URL(`abstract://${encodeURIComponent(path.slice(1))}/`)
    : new URL(`unix://${encodeURI(path)}`);
}
