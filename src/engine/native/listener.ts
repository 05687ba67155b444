import { listenError } from "../listen_error.ts";
import { unavailable } from "../unavailable.ts";
import type {
  HttpHandler,
  HttpListener,
  HttpListenPlan,
  HttpMetrics,
  HttpTlsPlan,
  StaticEntry,
  TcpAddressPlan,
  UnixAddressPlan,
} from "../engine.ts";
import {
  LISTEN_OUT_BYTES,
  METRIC_CONNECTIONS,
  METRIC_COUNT,
  METRIC_PENDING,
  METRIC_QUEUE,
} from "./abi.ts";
import { encodeListenPlan } from "./listen_plan.ts";
import { requireListenPermission } from "./listen_permission.ts";
import { decodeMetrics } from "./metrics.ts";
import type { RequestSink } from "./pump.ts";
import type { Runtime } from "./runtime.ts";
import { encodeStaticTable } from "./static_table.ts";
import { describeErrno } from "./system_error.ts";
import { encodeCertificates, unusableIn } from "./tls_certificates.ts";

/** What there is nothing of when a listener has ended. */
const OPEN = [METRIC_CONNECTIONS, METRIC_PENDING, METRIC_QUEUE];

/** HTTP on I/O threads. */
export class NativeHttpListener implements HttpListener, RequestSink {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly handler: HttpHandler;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly maxRequestBodySize: number;
  readonly #runtime: Runtime;
  readonly #id: number;
  readonly #onStop: () => Promise<void>;
  readonly #allEnded: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #metrics: Float64Array<ArrayBuffer> = new Float64Array(METRIC_COUNT);
  #isReferenced = true;
  #hasEnded = false;
  #stopping: Promise<void> | undefined;

  /**
   * @param onStop Called when it has stopped, and everything of it has ended.
   * @throws {Error} If it cannot listen; `code` says why.
   */
  constructor(
    runtime: Runtime,
    plan: HttpListenPlan,
    handler: HttpHandler,
    onStop: () => Promise<void>,
  ) {
    this.#runtime = runtime;
    this.handler = handler;
    this.maxRequestBodySize = plan.maxRequestBodySize;
    this.#onStop = onStop;
    try {
      requireListenPermission(plan.address);
      const bound = new Uint8Array(LISTEN_OUT_BYTES);
      this.#id = this.#listen(plan, bound);
      this.address = boundAddress(plan.address, bound);
    } catch (error) {
      throw listenError(error, plan.address);
    }
    this.scheme = plan.tls === undefined ? "http" : "https";
    this.authority = authorityOf(this.address);
    runtime.listen(this.#id, this);
    // Until then it accepts nobody.
    if (plan.tls !== undefined) this.#setCertificates(plan.tls);
    runtime.ref();
  }

  get pendingRequests(): number {
    this.#readMetrics();
    return this.#metrics[METRIC_PENDING]!;
  }

  async stop(force: boolean): Promise<void> {
    if (this.#hasEnded) return await this.#stopping;
    const { helper, handle } = this.#runtime;
    this.#readMetrics();
    // Close frames come before the end.
    this.#runtime.show();
    helper.jstime_stop(handle, this.#id, force ? 1 : 0);
    await (this.#stopping ??= this.#end());
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  stopped(): void {
    this.#allEnded.resolve();
  }

  closeIdleConnections(): number {
    if (this.#hasEnded) return 0;
    const { helper, handle } = this.#runtime;
    return Math.max(0, helper.jstime_close_idle(handle, this.#id));
  }

  replaceTls(tls: HttpTlsPlan): void {
    if (this.#hasEnded) return;
    if (this.scheme === "http") {
      throw unavailable("Cannot reload tls: the server started without");
    }
    if (!this.#setCertificates(tls)) {
      const what = unusableIn(this.#runtime.helper, tls);
      throw unavailable(
        `Cannot reload tls: ${what} is of a kind that this engine does not support`,
      );
    }
  }

  setStatic(entries: readonly StaticEntry[]): void {
    if (this.#hasEnded) return;
    const table = encodeStaticTable(entries);
    const { helper, handle } = this.#runtime;
    helper.jstime_static(handle, this.#id, table, table.length);
  }

  metrics(): HttpMetrics {
    this.#readMetrics();
    return decodeMetrics(this.#metrics);
  }

  ref(): void {
    if (this.#isReferenced || this.#hasEnded) return;
    this.#isReferenced = true;
    this.#runtime.ref();
  }

  unref(): void {
    if (!this.#isReferenced || this.#hasEnded) return;
    this.#isReferenced = false;
    this.#runtime.unref();
  }

  #listen(plan: HttpListenPlan, bound: Uint8Array<ArrayBuffer>): number {
    const { helper, handle } = this.#runtime;
    const encoded = encodeListenPlan(plan);
    const id = helper.jstime_listen(
      handle,
      encoded,
      encoded.length,
      bound,
      bound.length,
    );
    if (id >= 0) return id;
    const { code, description } = describeErrno(-id);
    throw Object.assign(new Error(description), { code });
  }

  /** Whether all of them can be used; if not, nothing changes. */
  #setCertificates(tls: HttpTlsPlan): boolean {
    const { helper, handle } = this.#runtime;
    const bytes = encodeCertificates(tls);
    return helper.jstime_tls(handle, this.#id, bytes, bytes.length) === 0;
  }

  async #end(): Promise<void> {
    // Whoever waits for the end keeps the process alive.
    this.#runtime.ref();
    await this.#allEnded.promise;
    // What was counted last stays to be asked for, and nothing is open.
    this.#readMetrics();
    for (const index of OPEN) this.#metrics[index] = 0;
    this.#runtime.unref();
    this.unref();
    this.#hasEnded = true;
    await this.#onStop();
  }

  /** The values stay as they are when the helper has forgotten the listener. */
  #readMetrics(): void {
    if (this.#hasEnded) return;
    const { helper, handle } = this.#runtime;
    const bytes = new Uint8Array(this.#metrics.buffer);
    helper.jstime_metrics(handle, this.#id, bytes, bytes.length);
  }
}

/** The address that was asked for, with what it turned out to be. */
function boundAddress(
  asked: TcpAddressPlan | UnixAddressPlan,
  bound: Uint8Array<ArrayBuffer>,
): TcpAddressPlan | UnixAddressPlan {
  if (asked.transport === "unix") return asked;
  const port = new Uint32Array(bound.buffer, 0, 1)[0]!;
  const end = bound.indexOf(0, 4);
  const hostname = new TextDecoder().decode(bound.subarray(4, end));
  return { ...asked, hostname, port };
}

/** Host and port of the server for clients that do not say (RFC 9112, 3.3). */
function authorityOf(address: TcpAddressPlan | UnixAddressPlan): string {
  if (address.transport === "unix") return "localhost";
  const { hostname, port } = address;
  const isAny = hostname === "0.0.0.0" || hostname === "::";
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${isAny ? "localhost" : host}:${port}`;
}
