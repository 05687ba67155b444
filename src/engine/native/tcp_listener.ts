import { TCP_TIMES } from "../deno/tcp_deadline.ts";
import { TlsConnection } from "../deno/tcp_tls_connection.ts";
import { TlsServer } from "../deno/tcp_tls_server.ts";
import type {
  HttpListenPlan,
  TcpAddressPlan,
  TcpConnection,
  TcpListener,
  TcpListenPlan,
  UnixAddressPlan,
} from "../engine.ts";
import { listenError } from "../listen_error.ts";
import { LISTEN_OUT_BYTES } from "./abi.ts";
import { requireListenPermission } from "./listen_permission.ts";
import { encodeListenPlan } from "./listen_plan.ts";
import type { Runtime } from "./runtime.ts";
import { systemError } from "./system_error.ts";
import type { NativeTcpConnection, TcpKeeper } from "./tcp_connection.ts";
import { setTls, speaksTls } from "./tcp_tls.ts";
import type { TcpSink } from "./tcp_table.ts";

/** What the helper's plans say about HTTP, where there is none. */
const noHttp: Omit<HttpListenPlan, "address"> = {
  tls: undefined,
  maxRequestBodySize: 0,
  idleTimeout: 0,
  maxPendingRequests: 0,
  limits: {
    headBytes: 0,
    headerCount: 0,
    targetBytes: 0,
    connections: Infinity,
    headTimeout: 0,
    contentRate: 0,
  },
  health: undefined,
  metricsRoute: undefined,
};

/** Listens on a TCP or Unix socket, on I/O threads. */
export class NativeTcpListener implements TcpListener, TcpSink {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly keeper: TcpKeeper;
  readonly #runtime: Runtime;
  readonly #accept: (connection: TcpConnection) => void;
  /** Set if the helper does not speak TLS by itself. */
  readonly #tls: TlsServer | undefined;
  readonly #id: number;
  #isClosed = false;
  #isReferenced = true;

  /** @throws {Error} If it cannot listen; `code` says why. */
  constructor(
    runtime: Runtime,
    keeper: TcpKeeper,
    { address, tls }: TcpListenPlan,
    accept: (connection: TcpConnection) => void,
  ) {
    this.#runtime = runtime;
    this.keeper = keeper;
    this.#accept = accept;
    try {
      const isHelpers = tls !== undefined && speaksTls(runtime.helper, tls);
      this.#tls = tls === undefined || isHelpers
        ? undefined
        : new TlsServer(tls);
      requireListenPermission(address);
      const bound = new Uint8Array(LISTEN_OUT_BYTES);
      this.#id = listen(runtime, address, isHelpers, bound);
      const port = new Uint32Array(bound.buffer, 0, 1)[0]!;
      this.address = address.transport === "tcp"
        ? { ...address, port }
        : address;
    } catch (error) {
      throw listenError(error, address);
    }
    runtime.listenTcp(this.#id, this);
    // Until then it accepts nobody.
    if (tls !== undefined && this.#tls === undefined) {
      setTls(runtime.helper, runtime.handle, this.#id, tls);
    }
    keeper.keep();
    keeper.ref();
  }

  opened(connection: NativeTcpConnection): void {
    if (this.#tls === undefined) return this.#accept(connection);
    connection.settle();
    this.#accept(new TlsConnection(connection, this.#tls, TCP_TIMES));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const runtime = this.#runtime;
    // Nobody else is accepted, also of those who wait for it.
    runtime.helper.jstime_stop(runtime.handle, this.#id, 1);
    runtime.forgetTcp(this.#id);
    if (this.#isReferenced) this.keeper.unref();
    this.keeper.release();
  }

  ref(): void {
    if (this.#isReferenced) return;
    this.#isReferenced = true;
    if (!this.#isClosed) this.keeper.ref();
  }

  unref(): void {
    if (!this.#isReferenced) return;
    this.#isReferenced = false;
    if (!this.#isClosed) this.keeper.unref();
  }
}

function listen(
  { helper, handle }: Runtime,
  address: TcpAddressPlan | UnixAddressPlan,
  isTls: boolean,
  bound: Uint8Array<ArrayBuffer>,
): number {
  const plan = encodeListenPlan({ address, ...noHttp }, isTls);
  const id = helper.jstime_tcp_listen(
    handle,
    plan,
    plan.length,
    bound,
    bound.length,
  );
  if (id < 0) throw systemError(-id);
  return id;
}
