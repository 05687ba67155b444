import type {
  HttpHandler,
  HttpListener,
  HttpListenPlan,
  HttpMetrics,
  HttpTlsPlan,
  TcpAddressPlan,
  UnixAddressPlan,
} from "../engine.ts";
import { DenoHttpService } from "./http_service.ts";
import { listenError } from "../listen_error.ts";
import { unavailable } from "../unavailable.ts";
import { LastingServer } from "./lasting_server.ts";
import { IdleTimeoutError } from "./response.ts";

/** How long a stopping server waits for handshakes, in milliseconds. */
const HANDSHAKE_GRACE = 2_000;
const TICK = 50;

/** HTTP on `Deno.serve`. */
export class DenoHttpListener implements HttpListener {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly #tls: HttpTlsPlan | undefined;
  readonly #service: DenoHttpService;
  readonly #server: LastingServer;
  readonly #abort: AbortController = new AbortController();
  #draining: Promise<void> | undefined;

  constructor(plan: HttpListenPlan, handler: HttpHandler) {
    this.#tls = plan.tls;
    this.#service = new DenoHttpService(plan, handler);
    try {
      this.#server = new LastingServer((bound) => this.#listen(plan, bound));
    } catch (error) {
      throw listenError(error, plan.address);
    }
    this.address = boundAddress(plan.address, this.#server.address);
  }

  get pendingRequests(): number {
    return this.#service.pendingRequests;
  }

  async stop(force: boolean): Promise<void> {
    const { webSockets } = this.#service;
    webSockets.stop();
    this.#server.stop();
    if (force) {
      // Without any, it must be aborted before others can make it drain.
      if (webSockets.size > 0) await this.#service.endWebSockets();
      // Once it drains, Deno's server can no longer be aborted.
      if (this.#draining === undefined) this.#abort.abort();
      this.#service.cutAll();
    }
    this.#draining ??= this.#drain();
    await this.#draining;
    this.#service.close();
  }

  async #drain(): Promise<void> {
    const { webSockets } = this.#service;
    if (webSockets.size > 0) {
      // Deno cannot stop accepting without closing all WebSockets.
      this.#service.refuseAll();
      await webSockets.empty();
    }
    const done = this.#server.shutdown();
    if (this.#tls === undefined && !webSockets.hasLost) return await done;
    // Deno also waits for clients that never finish their TLS handshake, and
    // for those that left in the middle of that of a WebSocket.
    for (let quiet = 0; quiet < HANDSHAKE_GRACE; quiet += TICK) {
      if (await settlesWithin(done, TICK)) return;
      if (this.pendingRequests > 0) quiet = 0;
    }
    this.#server.unref();
  }

  /** Deno does not show its connections. */
  closeIdleConnections(): number {
    return 0;
  }

  replaceTls(tls: HttpTlsPlan): void {
    const current = this.#tls;
    if (current !== undefined && isSameTls(current, tls)) return;
    throw unavailable(
      current === undefined
        ? "Cannot reload tls: the server started without"
        : "Cannot reload tls: the deno engine can if the server started with a list, such as `tls: [{ key, cert }]`",
    );
  }

  /** Every answer needs JavaScript here. */
  setStatic(): void {}

  metrics(): HttpMetrics {
    return this.#service.metrics();
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }

  #listen(
    { address, tls }: HttpListenPlan,
    bound: Deno.Addr | undefined,
  ): Deno.HttpServer<Deno.Addr> {
    const service = this.#service;
    const handler: Deno.ServeHandler<Deno.Addr> = (request, info) =>
      service.serve(request, info);
    const options = {
      signal: this.#abort.signal,
      onListen: () => {},
      onError: reportError,
    };
    if (address.transport === "unix") {
      return Deno.serve({ ...options, path: address.path }, handler);
    }
    const [certificate] = tls?.certificates ?? [];
    const { cert, key } = certificate ?? {};
    const { port } = bound as Deno.NetAddr | undefined ?? address;
    return Deno.serve(
      { ...options, ...tcpListenOptions({ ...address, port }), cert, key },
      handler,
    );
  }
}

function settlesWithin(
  promise: Promise<void>,
  milliseconds: number,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  return Promise.race([promise.then(() => true), late])
    .finally(() => clearTimeout(timer));
}

/** Options for the platform; warns about what it cannot do. */
export function tcpListenOptions(
  { hostname, port, reusePort, ipv6Only }: TcpAddressPlan,
): { hostname: string; port: number; reusePort: boolean } {
  if (ipv6Only) {
    console.warn("The deno engine cannot honour ipv6Only: listening without");
  }
  return { hostname, port, reusePort: reusePort && canReusePort() };
}

/** Whether both hold the same certificates for the same names. */
function isSameTls(one: HttpTlsPlan, other: HttpTlsPlan): boolean {
  return JSON.stringify(one.certificates) ===
    JSON.stringify(other.certificates);
}

/** Errors of streams whose head was sent: all that is left is to tell. */
export function reportError(error: unknown): Response {
  if (!(error instanceof IdleTimeoutError)) console.error(error);
  return new Response(null, { status: 500 });
}

/** Without its unstable flag, asking for it ends the process. */
function canReusePort(): boolean {
  if ("listenDatagram" in Deno) return true;
  console.warn(
    "reusePort needs `deno run --unstable-net` on the deno engine: listening without it",
  );
  return false;
}

/** The address that was asked for, with what it turned out to be. */
export function boundAddress(
  asked: TcpAddressPlan | UnixAddressPlan,
  bound: Deno.Addr,
): TcpAddressPlan | UnixAddressPlan {
  if (asked.transport === "unix" || !("port" in bound)) return asked;
  const { hostname, port } = bound as Deno.NetAddr;
  return { ...asked, hostname, port };
}
