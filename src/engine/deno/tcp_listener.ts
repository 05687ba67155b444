import { clearTimeout, setTimeout } from "node:timers";
import type {
  TcpAddressPlan,
  TcpConnection,
  TcpListener,
  TcpListenPlan,
  TlsServerPlan,
  UnixAddressPlan,
} from "../engine.ts";
import { listenError } from "../listen_error.ts";
import { DenoConnection } from "./tcp_connection.ts";
import { TCP_TIMES, type TcpTimes } from "./tcp_deadline.ts";
import { TlsConnection } from "./tcp_tls_connection.ts";
import { isForPlatform, TlsServer } from "./tcp_tls_server.ts";

/** Milliseconds to wait when no connection could be accepted. */
const ACCEPT_PAUSE = 100;

/** Codes of errors that concern a single connection. */
const gone = new Set(["ECONNABORTED", "ECONNRESET", "EINVAL", "ENOTCONN"]);

/** Listens on a TCP or Unix socket. */
export class DenoTcpListener implements TcpListener {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly #listener: Deno.Listener;
  readonly #accept: (connection: TcpConnection) => void;
  readonly #times: TcpTimes;
  /** Set if the platform's listener does not speak TLS by itself. */
  readonly #tls: TlsServer | undefined;
  #closed = false;
  #isReferenced = true;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    plan: TcpListenPlan,
    accept: (connection: TcpConnection) => void,
    times: TcpTimes = TCP_TIMES,
  ) {
    this.#accept = accept;
    this.#times = times;
    try {
      this.#tls = tlsServer(plan);
      this.#listener = this.#tls === undefined
        ? listen(plan)
        : listen({ ...plan, tls: undefined });
    } catch (error) {
      throw listenError(error, plan.address);
    }
    this.address = boundAddress(plan.address, this.#listener.addr);
    this.#acceptNext();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#listener.close();
  }

  ref(): void {
    this.#isReferenced = true;
    if (!this.#closed) this.#listener.ref();
    this.#pause?.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    if (!this.#closed) this.#listener.unref();
    this.#pause?.unref();
  }

  #connection(conn: Deno.Conn): TcpConnection {
    const connection = new DenoConnection(conn, this.#times);
    return this.#tls === undefined
      ? connection
      : new TlsConnection(connection, this.#tls, this.#times);
  }

  #acceptNext(): void {
    if (this.#closed) return;
    this.#listener.accept().then((conn) => {
      // One that was accepted just before the listener was closed.
      if (this.#closed) return conn.close();
      this.#accept(this.#connection(conn));
      this.#acceptNext();
    }, (error) => {
      if (this.#closed) return;
      // The peer of this one has left already.
      if (gone.has(error?.code)) return this.#acceptNext();
      // Descriptors may have run out; some will be free again later.
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#acceptNext();
      }, ACCEPT_PAUSE);
      if (!this.#isReferenced) this.#pause.unref();
    });
  }
}

function tlsServer({ address, tls }: TcpListenPlan): TlsServer | undefined {
  if (tls === undefined) return undefined;
  const isPlatforms = address.transport === "tcp" && isForPlatform(tls);
  return isPlatforms ? undefined : new TlsServer(tls);
}

function listen({ address, tls }: TcpListenPlan): Deno.Listener {
  if (address.transport === "unix") {
    return Deno.listen({ transport: "unix", path: address.path });
  }
  const { hostname, port } = address;
  return tls === undefined
    ? Deno.listen({ hostname, port })
    : Deno.listenTls({ hostname, port, ...tlsOptions(tls) });
}

function tlsOptions(
  { certificates: [{ cert, key }], alpnProtocols }: TlsServerPlan,
): Deno.TlsCertifiedKeyPem & Pick<Deno.ListenTlsOptions, "alpnProtocols"> {
  return {
    cert,
    key,
    ...alpnProtocols.length > 0 && { alpnProtocols: [...alpnProtocols] },
  };
}

function boundAddress(
  asked: TcpAddressPlan | UnixAddressPlan,
  bound: Deno.Addr,
): TcpAddressPlan | UnixAddressPlan {
  if (asked.transport === "unix" || !("port" in bound)) return asked;
  return { ...asked, port: (bound as Deno.NetAddr).port };
}
