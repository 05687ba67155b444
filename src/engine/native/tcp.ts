/**
 * TCP on I/O threads.
 *
 * @module
 */

import { connectError } from "../deno/tcp_error.ts";
import type {
  TcpConnection,
  TcpConnectPlan,
  TcpEngine,
  TcpFeatures,
  TcpListener,
  TcpListenPlan,
} from "../engine.ts";
import { requireConnectPermission } from "./listen_permission.ts";
import type { Runtime } from "./runtime.ts";
import type { SharedRuntime } from "./shared_runtime.ts";
import type { NativeTcpConnection, TcpKeeper } from "./tcp_connection.ts";
import { NativeTcpListener } from "./tcp_listener.ts";
import { speaksTls } from "./tcp_tls.ts";

const TCP = 1;
const UNIX = 2;

/** The TCP engine that has its sockets on threads of its own. */
export class NativeTcp implements TcpEngine {
  readonly name = "native";
  readonly tcpFeatures: TcpFeatures = {
    reset: true,
    keepAliveDelay: true,
    clientCertificates: true,
    revocationLists: true,
    requestedServerName: true,
    tlsSocketOptions: true,
  };
  readonly #shared: SharedRuntime;

  /** @param shared The threads. */
  constructor(shared: SharedRuntime) {
    this.#shared = shared;
  }

  /**
   * Whether the I/O threads do everything for a listener, so that it costs less
   * here than elsewhere. Otherwise TLS is the platform's, over connections that
   * are not, which costs more.
   */
  suits({ tls }: TcpListenPlan): boolean {
    return tls === undefined ||
      this.#shared.withHelper((helper) => speaksTls(helper, tls));
  }

  listenTcp(
    plan: TcpListenPlan,
    accept: (connection: TcpConnection) => void,
  ): TcpListener {
    return this.#use((runtime) =>
      new NativeTcpListener(runtime, this.#keeper(runtime), plan, accept)
    );
  }

  async connectTcp({ address, tls }: TcpConnectPlan): Promise<TcpConnection> {
    let connection: TcpConnection;
    try {
      connection = await this.#use((runtime) =>
        this.#connect(runtime, address)
      );
    } catch (error) {
      throw connectError(error, address);
    }
    return tls === undefined ? connection : connection.startTls(tls);
  }

  async #connect(
    runtime: Runtime,
    address: TcpConnectPlan["address"],
  ): Promise<TcpConnection> {
    requireConnectPermission(address);
    const keeper = this.#keeper(runtime);
    let connection: NativeTcpConnection | undefined;
    const opened = (open: NativeTcpConnection) => void (connection = open);
    keeper.keep();
    keeper.ref();
    try {
      await runtime.connectTcp(encodeTarget(address), { keeper, opened });
    } finally {
      keeper.unref();
      keeper.release();
    }
    return connection!;
  }

  /** Runs something that needs the threads, and keeps them if it still does. */
  #use<Result>(run: (runtime: Runtime) => Result): Result {
    const runtime = this.#shared.acquire();
    try {
      return run(runtime);
    } finally {
      this.#release();
    }
  }

  #keeper(runtime: Runtime): TcpKeeper {
    return {
      keep: () => void this.#shared.acquire(),
      release: () => this.#release(),
      ref: () => runtime.ref(),
      unref: () => runtime.unref(),
    };
  }

  /** Events may be being handled, during which the threads must not go. */
  #release(): void {
    queueMicrotask(() => void this.#shared.release());
  }
}

/** What `jstime_tcp_connect` takes. */
function encodeTarget(
  address: TcpConnectPlan["address"],
): Uint8Array<ArrayBuffer> {
  const isTcp = address.transport === "tcp";
  const text = new TextEncoder().encode(
    isTcp ? address.hostname : address.path,
  );
  const bytes = new Uint8Array(8 + text.length);
  const words = new Uint32Array(bytes.buffer, 0, 2);
  words[0] = isTcp ? TCP : UNIX;
  words[1] = isTcp ? address.port : 0;
  bytes.set(text, 8);
  return bytes;
}
