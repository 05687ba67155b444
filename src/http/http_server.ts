import type {
  Engine,
  HttpHandler,
  HttpListener,
  HttpMetrics,
} from "../engine/engine.ts";
import {
  type HttpServePlan,
  resolveReloadOptions,
} from "../options/http_options.ts";
import type { SocketAddress } from "../serve_types.ts";
import type { Server } from "../server.ts";
import {
  ParsedPeerCertificate,
  type PeerCertificate,
} from "../tls/peer_certificate.ts";
import { DirectExchange } from "./direct_exchange.ts";
import { Dispatcher } from "./dispatch.ts";
import { compileHandlers } from "./handler_set.ts";
import { warnOfIgnoredLimits } from "./features.ts";
import { exchangeOf, fetchRequest } from "./incoming_request.ts";
import { EventStream } from "../sse/event_stream.ts";
import { StaticPublisher } from "./static_publisher.ts";
import { warnOfMissingFeatures } from "../websocket/features.ts";
import { WebSocketHub } from "../websocket/hub.ts";
import { toPayload } from "../websocket/payload.ts";
import { checkTopic } from "../websocket/server_web_socket.ts";
import { publishOptions } from "../options/publish_options.ts";
import type {
  WebSocketBytes,
  WebSocketPublishOptions,
} from "../websocket/types.ts";
import { upgrade, type UpgradeOptions } from "../websocket/upgrade.ts";

/** The server behind {@linkcode Server}; everything sits on the prototype. */
export class HttpServer implements Server {
  readonly #plan: HttpServePlan;
  readonly #engine: Engine;
  readonly #dispatcher: Dispatcher;
  readonly #hub: WebSocketHub;
  readonly #listener: HttpListener;
  readonly #publisher: StaticPublisher | undefined;

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
    this.#hub = new WebSocketHub(plan.webSocket, engine);
    const { eventStreams } = this.#hub;
    const handlers = compileHandlers(plan);
    eventStreams.pin(handlers.eventStreams);
    this.#dispatcher = new Dispatcher(handlers, {
      server: this,
      development: plan.development,
      openFile: engine.openFile,
      eventStreams,
    });
    warnOfMissingFeatures(plan.webSocket, engine);
    warnOfIgnoredLimits(plan.listen.limits, engine);
    this.#listener = listen(this.#dispatcher.handle);
    if (plan.bus !== undefined) this.#hub.joinBus(plan.bus);
    if (engine.features.stallProof) {
      this.#publisher = new StaticPublisher(this.#listener);
      this.#publisher.publish(this.#dispatcher.handlers.router);
    }
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
    return this.#hub.size;
  }

  metrics(): HttpMetrics {
    return this.#listener.metrics();
  }

  async fetch(request: Request | string | URL): Promise<Response> {
    const { fetch } = this.#dispatcher.handlers;
    if (fetch === undefined) {
      throw new TypeError("Cannot fetch: the server has no fetch handler");
    }
    const incoming = fetchRequest(
      new DirectExchange(
        request instanceof Request
          ? request
          : new Request(new URL(request, this.url)),
      ),
      this,
    );
    const response = await fetch.call(this, incoming, this);
    if (response instanceof EventStream) {
      throw new TypeError(
        "Cannot fetch: the handler answered an event stream, which needs a connection",
      );
    }
    return response ?? new Response(null, { status: 204 });
  }

  requestIP(request: Request): SocketAddress | null {
    return exchangeOf(request)?.remoteAddress() ?? null;
  }

  getPeerCertificate(request: Request): PeerCertificate | null {
    const shown = exchangeOf(request)?.clientCertificate?.();
    return shown === undefined ? null : new ParsedPeerCertificate(shown);
  }

  timeout(request: Request, seconds: number): void {
    if (typeof seconds !== "number" || !(seconds >= 0)) {
      throw new TypeError(
        `Cannot set timeout: seconds must be a number of 0 or more, not ${seconds}`,
      );
    }
    exchangeOf(request)?.setIdleTimeout(seconds);
  }

  upgrade(request: Request, options?: UpgradeOptions): boolean {
    return upgrade(this, this.#hub, request, options);
  }

  publish(
    topic: string,
    data: string | WebSocketBytes,
    options: boolean | WebSocketPublishOptions = true,
  ): number {
    checkTopic(topic);
    const payload = toPayload(data);
    if (typeof options !== "object" || options === null) {
      return this.#hub.publish(topic, payload, options);
    }
    const { compress, policy } = publishOptions(options, true);
    return this.#hub.publish(topic, payload, compress, undefined, policy);
  }

  subscriberCount(topic: string): number {
    checkTopic(topic);
    return this.#hub.subscriberCount(topic);
  }

  reload(options: object): this {
    const current = this.#dispatcher.handlers;
    const { webSocket, tls, ...changes } = resolveReloadOptions(options);
    const handlers = compileHandlers(changes, current);
    if (tls !== undefined) this.#listener.replaceTls(tls);
    this.#hub.eventStreams.pin(handlers.eventStreams);
    this.#dispatcher.handlers = handlers;
    this.#publisher?.publish(handlers.router);
    if (webSocket !== undefined) {
      this.#hub.plan = webSocket;
      warnOfMissingFeatures(webSocket, this.#engine);
    }
    return this;
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }

  stop(closeActiveConnections: boolean = false): Promise<void> {
    this.#hub.eventStreams.stop(closeActiveConnections);
    this.#publisher?.stop();
    if (closeActiveConnections) this.#hub.closeAll(1001, "The server stops");
    return this.#stopListening(closeActiveConnections);
  }

  /** WebSockets that are still open share their topics until the end. */
  async #stopListening(force: boolean): Promise<void> {
    try {
      await this.#listener.stop(force);
    } finally {
      this.#hub.leaveBus();
    }
  }

  closeIdleConnections(): number {
    return this.#listener.closeIdleConnections();
  }

  [Symbol.dispose](): void {
    this.stop(true).catch(console.error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** As Bun writes the URLs of Unix sockets. */
function unixUrl(path: string): URL {
  return path.startsWith("\0")
    ? new URL(`abstract://${encodeURIComponent(path.slice(1))}/`)
    : new URL(`unix://${encodeURI(path)}`);
}
