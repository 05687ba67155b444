import type {
  HttpHandler,
  HttpListener,
  HttpListenPlan,
  HttpMetrics,
  HttpTlsPlan,
  TcpAddressPlan,
  UnixAddressPlan,
} from "../engine.ts";
import { boundAddress, tcpListenOptions } from "./http_listener.ts";
import { DenoHttpService } from "./http_service.ts";
import { IdleSweep } from "./idle_sweep.ts";
import { unavailable } from "../unavailable.ts";
import { listenError } from "../listen_error.ts";
import { TlsBackend } from "./tls_backend.ts";
import { TlsBackends } from "./tls_backends.ts";
import {
  type RelayedConn,
  TlsRelay,
  type TlsRelayLimits,
} from "./tls_relay.ts";

/** What strangers may use up; times in milliseconds. */
export interface TlsHttpLimits extends TlsRelayLimits {
  /**
   * Connections that have not made a request yet. One more, and the oldest of
   * them is cut.
   */
  readonly waiting: number;
}

const LIMITS: TlsHttpLimits = {
  firstRequest: 30_000,
  stalledWrite: 120_000,
  linger: 2_000,
  waiting: 4_096,
};

/** Time for clients that are about to make their first request when we stop. */
const LAST_REQUEST = 1_000;
/** Time for connections to a backend that are not ours when we stop. */
const STRANGERS = 1_000;
/** Pause when the system has no more descriptors. */
const ACCEPT_PAUSE = 50;

/**
 * HTTPS with certificates that clients choose among by name, and that can be
 * replaced while it runs.
 *
 * `Deno.serve` takes one certificate and keeps it, so each certificate has a
 * `Deno.serve` of its own on the loopback interface. This class accepts the
 * clients' connections, reads which name they ask for, and relays their bytes,
 * still encrypted, to the one that has it. (`Deno.listenTls` has an
 * undocumented resolver of server names. It remembers every name that a client
 * ever sent, and the first certificate for it, for as long as it listens.)
 */
export class DenoTlsHttpListener implements HttpListener {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly #service: DenoHttpService;
  readonly #limits: TlsHttpLimits;
  readonly #listener: Deno.TcpListener | Deno.UnixListener;
  readonly #backends: TlsBackends;
  readonly #sweep: IdleSweep = new IdleSweep();
  readonly #relays: Map<TlsRelay, Promise<void>> = new Map();
  /** Relays without a request so far, the oldest first. */
  readonly #waiting: Set<TlsRelay> = new Set();
  readonly #accepting: Promise<void>;
  #isReferenced = true;
  #isStopped = false;
  #draining: Promise<void> | undefined;

  constructor(
    plan: HttpListenPlan,
    tls: HttpTlsPlan,
    handler: HttpHandler,
    limits: TlsHttpLimits = limitsFor(plan.idleTimeout),
  ) {
    this.#limits = limits;
    this.#service = new DenoHttpService(plan, handler);
    try {
      this.#listener = listen(plan.address);
    } catch (error) {
      throw listenError(error, plan.address);
    }
    this.address = boundAddress(plan.address, this.#listener.addr);
    const origin = this.address.transport === "tcp"
      ? `https://localhost:${this.address.port}`
      : "https://localhost";
    try {
      this.#backends = new TlsBackends(
        tls.certificates,
        (certificate, onUnused) =>
          new TlsBackend(certificate, this.#service, origin, onUnused),
      );
    } catch (error) {
      this.#listener.close();
      throw listenError(error, plan.address);
    }
    this.#accepting = this.#accept();
  }

  get pendingRequests(): number {
    return this.#service.pendingRequests;
  }

  async stop(force: boolean): Promise<void> {
    this.#stopAccepting();
    if (force) await this.#cutAll();
    this.#draining ??= this.#drain();
    await this.#draining;
  }

  /** Which connections are idle is known to the backends alone. */
  closeIdleConnections(): number {
    return 0;
  }

  replaceTls(tls: HttpTlsPlan): void {
    if (this.#isStopped) return;
    if (tls.certificates.some(({ clients }) => clients !== undefined)) {
      throw unavailable(
        "Cannot reload tls: the deno engine cannot ask clients for certificates (tls.requestCert)",
      );
    }
    this.#backends.replace(tls.certificates);
    if (!this.#isReferenced) this.unref();
  }

  /** Every answer needs JavaScript here. */
  setStatic(): void {}

  metrics(): HttpMetrics {
    return this.#service.metrics();
  }

  ref(): void {
    this.#isReferenced = true;
    for (const one of this.#everything()) one.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    for (const one of this.#everything()) one.unref();
  }

  async #accept(): Promise<void> {
    while (!this.#isStopped) {
      try {
        this.#admit(await this.#listener.accept());
      } catch {
        if (this.#isStopped) return;
        // Out of descriptors, most likely: some will be free again.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  }

  #admit(client: RelayedConn): void {
    const relay = new TlsRelay(client, this.#sweep, this.#limits, () => {
      this.#waiting.delete(relay);
    });
    if (!this.#isReferenced) relay.unref();
    this.#sweep.add(relay);
    this.#waiting.add(relay);
    if (this.#waiting.size > this.#limits.waiting) {
      const [oldest] = this.#waiting;
      oldest?.cut();
    }
    this.#relays.set(relay, this.#run(relay));
  }

  async #run(relay: TlsRelay): Promise<void> {
    await relay.run((serverName) => this.#backends.select(serverName));
    this.#sweep.remove(relay);
    this.#waiting.delete(relay);
    this.#relays.delete(relay);
  }

  #stopAccepting(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#service.webSockets.stop();
    this.#listener.close();
  }

  async #cutAll(): Promise<void> {
    const { webSockets } = this.#service;
    if (webSockets.size > 0) await this.#service.endWebSockets();
    for (const backend of this.#backends) backend.cut();
    for (const relay of this.#relays.keys()) relay.cut();
    this.#service.cutAll();
  }

  async #drain(): Promise<void> {
    await this.#accepting;
    for (const relay of this.#waiting) relay.hurry(LAST_REQUEST);
    const { webSockets } = this.#service;
    if (webSockets.size > 0) {
      // A backend that stops closes all WebSockets.
      this.#service.refuseAll();
      await webSockets.empty();
    }
    const stopped = Promise.all(
      Array.from(this.#backends, (backend) => backend.stop()),
    );
    await Promise.all(this.#relays.values());
    await settledWithin(STRANGERS, stopped);
    this.#sweep.stop();
    this.#service.close();
  }

  *#everything(): Iterable<{ ref(): void; unref(): void }> {
    yield this.#listener;
    yield* this.#backends;
    yield* this.#relays.keys();
  }
}

/** A client may take nothing for as long as its request may do nothing. */
function limitsFor(idleTimeout: number): TlsHttpLimits {
  const stalledWrite = idleTimeout === 0
    ? Infinity
    : Math.max(LIMITS.stalledWrite, idleTimeout * 1_000);
  return { ...LIMITS, stalledWrite };
}

function listen(
  address: TcpAddressPlan | UnixAddressPlan,
): Deno.TcpListener | Deno.UnixListener {
  return address.transport === "unix"
    ? Deno.listen({ transport: "unix", path: address.path })
    : Deno.listen(tcpListenOptions(address));
}

/** Waits for a promise, but not longer than so many milliseconds. */
async function settledWithin(
  milliseconds: number,
  promise: Promise<unknown>,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
