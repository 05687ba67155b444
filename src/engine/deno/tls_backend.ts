import type { TlsPlan } from "../engine.ts";
import type { HandlerInfo } from "./exchange.ts";
import { reportError } from "./http_listener.ts";
import type { DenoHttpService } from "./http_service.ts";
import type { TlsRelay } from "./tls_relay.ts";

const LOOPBACK = "127.0.0.1";

/**
 * HTTPS with one certificate on a port of the loopback interface. It answers
 * relays of this process and nobody else.
 */
export class TlsBackend {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #service: DenoHttpService;
  readonly #abort: AbortController = new AbortController();
  /** By the port that the relay's connection comes from. */
  readonly #relays: Map<number, TlsRelay> = new Map();
  readonly #origin: string;
  readonly #onUnused: (backend: TlsBackend) => void;
  /** Where requests seem to go that do not say where. */
  readonly #innerOrigin: string;
  #users = 0;
  #draining: Promise<void> | undefined;

  /**
   * @param origin For the URL of requests that do not say where they go.
   * @param onUnused Called each time the last relay has gone.
   * @throws {Error} If the platform cannot use the certificate, or listen.
   */
  constructor(
    certificate: TlsPlan,
    service: DenoHttpService,
    origin: string,
    onUnused: (backend: TlsBackend) => void,
  ) {
    this.#service = service;
    this.#origin = origin;
    this.#onUnused = onUnused;
    this.#server = Deno.serve({
      hostname: LOOPBACK,
      port: 0,
      cert: certificate.cert,
      key: certificate.key,
      signal: this.#abort.signal,
      onListen: () => {},
      onError: reportError,
    }, (request, info) => this.#serve(request, info));
    this.#innerOrigin = `https://localhost:${this.#server.addr.port}`;
  }

  /** Whether no relay uses it. */
  get isUnused(): boolean {
    return this.#users === 0;
  }

  /** Connects for a relay and lends it the connection until `relay` is done. */
  async use(
    user: TlsRelay,
    relay: (server: Deno.TcpConn) => Promise<void>,
  ): Promise<void> {
    this.#users++;
    let port: number | undefined;
    try {
      const server = await this.#connect();
      ({ port } = server.localAddr as Deno.NetAddr);
      // Before the first byte, and so before any request, goes through it.
      this.#relays.set(port, user);
      await relay(server);
    } finally {
      if (port !== undefined) this.#relays.delete(port);
      this.#users--;
      if (this.isUnused) this.#onUnused(this);
    }
  }

  /** Keeps the process alive (the default). */
  ref(): void {
    this.#server.ref();
  }

  /** Lets the process end. */
  unref(): void {
    this.#server.unref();
  }

  /** Cuts all connections, if it does not drain yet. */
  cut(): void {
    // Once it drains, Deno's server can no longer be aborted.
    if (this.#draining === undefined) this.#abort.abort();
  }

  /**
   * Stops. Resolves when the last connection is done, even one that is not of
   * a relay.
   */
  stop(): Promise<void> {
    this.#draining ??= this.#server.shutdown();
    return this.#draining.then(() => this.#server.finished);
  }

  async #connect(): Promise<Deno.TcpConn> {
    const { port } = this.#server.addr;
    try {
      return await Deno.connect({ hostname: LOOPBACK, port });
    } catch (error) {
      console.error("Cannot hand over a TLS connection:", error);
      throw error;
    }
  }

  #serve(
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Response | Promise<Response> {
    const { hostname, port } = info.remoteAddr;
    const relay = hostname === LOOPBACK ? this.#relays.get(port) : undefined;
    if (relay === undefined) return misdirected();
    relay.requestArrived();
    return this.#service.serve(
      this.#withOuterUrl(request),
      new RelayedInfo(info, relay),
    );
  }

  /** Without a `Host`, the platform puts its own port into the URL. */
  #withOuterUrl(request: Request): Request {
    const { url } = request;
    if (!url.startsWith(this.#innerOrigin)) return request;
    const target = url.slice(this.#innerOrigin.length);
    const { method, headers, body, signal } = request;
    return new Request(this.#origin + target, {
      method,
      headers,
      body,
      signal,
    });
  }
}

/** For other programs on this machine that found the port. */
function misdirected(): Response {
  return new Response(null, { status: 421, headers: { connection: "close" } });
}

/** Facts of a request with the client's address instead of the relay's. */
class RelayedInfo implements NonNullable<HandlerInfo> {
  readonly remoteAddr: Deno.Addr;
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;
  readonly #relay: TlsRelay;

  constructor(info: Deno.ServeHandlerInfo<Deno.NetAddr>, relay: TlsRelay) {
    this.#info = info;
    this.#relay = relay;
    this.remoteAddr = relay.peer;
  }

  onIdleTimeout(seconds: number): void {
    this.#relay.allowStall(seconds);
  }

  get completed(): Promise<void> {
    return this.#info.completed;
  }
}
