import { clearTimeout, setTimeout } from "node:timers";
import type {
  TcpAddressPlan,
  TcpConnection,
  TcpListener,
  TcpListenPlan,
  TlsServerPlan,
  UnixAddressPlan,
} from "../engine.ts";
import { SniTable } from "../../options/sni_table.ts";
import { listenError } from "./listen_error.ts";
import { DenoConnection } from "./tcp_connection.ts";

/** Milliseconds to wait when no connection could be accepted. */
const ACCEPT_PAUSE = 100;

/** Codes of errors that concern a single connection. */
const gone = new Set(["ECONNABORTED", "ECONNRESET", "EINVAL", "ENOTCONN"]);

/** Where the platform looks for what chooses a certificate by name. */
const sniResolver = Symbol.for("unstableSniResolver");

/** Listens on a TCP or Unix socket. */
export class DenoTcpListener implements TcpListener {
  readonly address: TcpAddressPlan | UnixAddressPlan;
  readonly #listener: Deno.Listener;
  readonly #accept: (connection: TcpConnection) => void;
  #closed = false;
  #isReferenced = true;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    plan: TcpListenPlan,
    accept: (connection: TcpConnection) => void,
  ) {
    this.#accept = accept;
    try {
      this.#listener = listen(plan);
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

  #acceptNext(): void {
    if (this.#closed) return;
    this.#listener.accept().then((conn) => {
      // One that was accepted just before the listener was closed.
      if (this.#closed) return conn.close();
      this.#accept(new DenoConnection(conn));
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

function listen({ address, tls }: TcpListenPlan): Deno.Listener {
  if (address.transport === "unix") {
    if (tls !== undefined) {
      throw new Error("TLS over Unix sockets is not available on this engine");
    }
    return Deno.listen({ transport: "unix", path: address.path });
  }
  const { hostname, port } = address;
  return tls === undefined
    ? Deno.listen({ hostname, port })
    : Deno.listenTls({ hostname, port, ...tlsOptions(tls) });
}

function tlsOptions(
  { certificates, alpnProtocols }: TlsServerPlan,
): Deno.TlsCertifiedKeyPem & Pick<Deno.ListenTlsOptions, "alpnProtocols"> {
  const [{ cert, key }, ...others] = certificates;
  const options = {
    cert,
    key,
    ...alpnProtocols.length > 0 && { alpnProtocols: [...alpnProtocols] },
  };
  if (others.length === 0) return options;
  const table = new SniTable(
    certificates.map((certificate) => [certificate.serverName, certificate]),
  );
  const resolve = (serverName: string) => {
    const { cert, key } = table.select(serverName);
    return { cert, key };
  };
  // The platform takes either a certificate or this, not both.
  return {
    alpnProtocols: options.alpnProtocols,
    [sniResolver]: resolve,
  } as unknown as typeof options;
}

function boundAddress(
  asked: TcpAddressPlan | UnixAddressPlan,
  bound: Deno.Addr,
): TcpAddressPlan | UnixAddressPlan {
  if (asked.transport === "unix" || !("port" in bound)) return asked;
  return { ...asked, port: (bound as Deno.NetAddr).port };
}
