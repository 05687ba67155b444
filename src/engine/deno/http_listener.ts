import type {
  HttpHandler,
  HttpListener,
  HttpListenPlan,
  TcpAddressPlan,
  UnixAddressPlan,
} from "../engine.ts";
import { DenoHttpService } from "./http_service.ts";
import { listenError } from "./listen_error.ts";
import { IdleTimeoutError } from "./response.ts";

/** HTTP on `Deno.serve`. */
export class DenoHttpListener implements HttpListener {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly #service: DenoHttpService;
  readonly #server: Deno.HttpServer<Deno.Addr>;
  readonly #abort: AbortController = new AbortController();
  #draining: Promise<void> | undefined;

  constructor(plan: HttpListenPlan, handler: HttpHandler) {
    this.#service = new DenoHttpService(plan, handler);
    try {
      this.#server = this.#listen(plan);
    } catch (error) {
      throw listenError(error, plan.address);
    }
    this.address = boundAddress(plan.address, this.#server.addr);
  }

  get pendingRequests(): number {
    return this.#service.pendingRequests;
  }

  async stop(force: boolean): Promise<void> {
    if (force) {
      // Once it drains, Deno's server can no longer be aborted.
      if (this.#draining === undefined) this.#abort.abort();
      this.#service.cutAll();
    }
    this.#draining ??= this.#server.shutdown();
    await this.#draining;
    await this.#server.finished;
    this.#service.close();
  }

  /** Deno does not show its connections. */
  closeIdleConnections(): number {
    return 0;
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }

  #listen({ address, tls }: HttpListenPlan): Deno.HttpServer<Deno.Addr> {
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
    const { hostname, port, ipv6Only } = address;
    if (ipv6Only) {
      console.warn("The deno engine cannot honour ipv6Only: listening without");
    }
    const reusePort = address.reusePort && canReusePort();
    return Deno.serve(
      { ...options, hostname, port, reusePort, ...tls },
      handler,
    );
  }
}

/** Errors of streams whose head was sent: all that is left is to tell. */
function reportError(error: unknown): Response {
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

function boundAddress(
  asked: TcpAddressPlan | UnixAddressPlan,
  bound: Deno.Addr,
): TcpAddressPlan | UnixAddressPlan {
  if (asked.transport === "unix" || !("port" in bound)) return asked;
  const { hostname, port } = bound as Deno.NetAddr;
  return { ...asked, hostname, port };
}
