import type { IdleSweep, Sweepable } from "./idle_sweep.ts";
import type { TlsBackend } from "./tls_backend.ts";
import { LONGEST_HELLO, requestedServerName } from "./tls_client_hello.ts";
import { TlsRelayBuffer } from "./tls_relay_buffer.ts";

/** A connection with addresses, halves to close, and a reference. */
export type RelayedConn = Deno.TcpConn | Deno.UnixConn;

/** How long a relay waits for its client, in milliseconds. */
export interface TlsRelayLimits {
  /** For the first request, from the connection's first moment on. */
  readonly firstRequest: number;
  /** For a client that takes nothing of what it is sent. */
  readonly stalledWrite: number;
  /** For a client to close after everything was sent. */
  readonly linger: number;
}

/** The first bytes of a client, and the server name in them. */
interface Hello {
  readonly serverName: string;
  readonly bytes: Uint8Array;
}

/**
 * One client's connection, and one to the backend that has the certificate for
 * it. Bytes go through as they are, still encrypted; each side is read from
 * only as fast as the other takes it.
 */
export class TlsRelay implements Sweepable {
  readonly #client: RelayedConn;
  readonly #sweep: IdleSweep;
  readonly #limits: TlsRelayLimits;
  readonly #onFirstRequest: () => void;
  #server: Deno.TcpConn | undefined;
  #isCut = false;
  #isReferenced = true;
  #firstRequestBy: number;
  #stalledWrite: number;
  #writtenBy = Infinity;
  #closedBy = Infinity;

  /**
   * @param onFirstRequest Called when the client's first request has arrived.
   */
  constructor(
    client: RelayedConn,
    sweep: IdleSweep,
    limits: TlsRelayLimits,
    onFirstRequest: () => void,
  ) {
    this.#client = client;
    this.#sweep = sweep;
    this.#limits = limits;
    this.#onFirstRequest = onFirstRequest;
    this.#firstRequestBy = sweep.now + limits.firstRequest;
    this.#stalledWrite = limits.stalledWrite;
  }

  /** Address of the client. */
  get peer(): Deno.Addr {
    return this.#client.remoteAddr;
  }

  get deadline(): number {
    return Math.min(this.#firstRequestBy, this.#writtenBy, this.#closedBy);
  }

  expire(): void {
    this.cut();
  }

  /**
   * Relays until both ends have closed, or the connection is cut. Never
   * rejects: trouble with one client is nobody else's.
   *
   * @param choose Chooses the backend by the name that the client asks for.
   */
  async run(choose: (serverName: string) => TlsBackend): Promise<void> {
    try {
      const hello = await this.#readHello();
      if (hello === undefined) return;
      const backend = choose(hello.serverName);
      await backend.use(this, (server) => this.#relay(server, hello.bytes));
    } catch {
      // The client left, or was cut, before there was anything to relay.
    } finally {
      this.cut();
    }
  }

  /** A request of this connection has arrived. */
  requestArrived(): void {
    if (this.#firstRequestBy === Infinity) return;
    this.#firstRequestBy = Infinity;
    this.#onFirstRequest();
  }

  /**
   * Lets the client take nothing of what it is sent for at least so many
   * seconds, as long as the connection lasts; 0 is for ever.
   */
  allowStall(seconds: number): void {
    this.#stalledWrite = seconds === 0
      ? Infinity
      : Math.max(this.#stalledWrite, seconds * 1_000);
    const isWriting = this.#writtenBy !== Infinity;
    if (isWriting) this.#writtenBy = this.#sweep.now + this.#stalledWrite;
  }

  /** Leaves a client without a request little time for it. */
  hurry(milliseconds: number): void {
    if (this.#firstRequestBy === Infinity) return;
    if (this.#server === undefined) this.cut();
    else this.#firstRequestBy = this.#sweep.now + milliseconds;
  }

  /** Closes both connections, whatever they are doing. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#client.close();
    this.#server?.close();
  }

  /** Keeps the process alive (the default). */
  ref(): void {
    this.#isReferenced = true;
    this.#client.ref();
    this.#server?.ref();
  }

  /** Lets the process end. */
  unref(): void {
    this.#isReferenced = false;
    this.#client.unref();
    this.#server?.unref();
  }

  /** What the client sends until its server name is known. */
  async #readHello(): Promise<Hello | undefined> {
    let buffer = new Uint8Array(1024);
    let filled = 0;
    for (;;) {
      const count = await this.#client.read(buffer.subarray(filled));
      if (count === null) return undefined;
      filled += count;
      const bytes = buffer.subarray(0, filled);
      const serverName = requestedServerName(bytes);
      if (serverName !== undefined) return { serverName, bytes };
      if (filled < buffer.length) continue;
      buffer = new Uint8Array(LONGEST_HELLO);
      buffer.set(bytes);
    }
  }

  async #relay(server: Deno.TcpConn, hello: Uint8Array): Promise<void> {
    if (this.#isCut) return server.close();
    this.#server = server;
    if (!this.#isReferenced) server.unref();
    // Bytes that wait for more to come with them would be a delay twice over.
    server.setNoDelay();
    if ("setNoDelay" in this.#client) this.#client.setNoDelay();
    const cut = () => this.cut();
    await Promise.all([
      this.#toServer(server, hello).catch(cut),
      this.#toClient(server).catch(cut),
    ]);
  }

  /** Rejects when the client is gone. */
  async #toServer(server: Deno.TcpConn, hello: Uint8Array): Promise<void> {
    const client = this.#client;
    const buffer = new TlsRelayBuffer();
    let bytes = hello;
    let isOpen = true;
    for (;;) {
      try {
        for (let sent = 0; isOpen && sent < bytes.length;) {
          sent += await server.write(sent === 0 ? bytes : bytes.subarray(sent));
        }
      } catch {
        // It closed. A client that is still sending would lose the answer to a
        // reset: take what it sends until it has read that.
        isOpen = false;
      }
      const count = await client.read(buffer.space);
      if (count === null) break;
      bytes = buffer.filled(count);
    }
    if (isOpen) await server.closeWrite().catch(() => {});
  }

  /** Rejects when the client is gone. */
  async #toClient(server: Deno.TcpConn): Promise<void> {
    const client = this.#client;
    const sweep = this.#sweep;
    const buffer = new TlsRelayBuffer();
    for (;;) {
      const count = await readOrEnd(server, buffer.space);
      if (count === null) break;
      const bytes = buffer.filled(count);
      for (let sent = 0; sent < bytes.length;) {
        this.#writtenBy = sweep.now + this.#stalledWrite;
        sent += await client.write(sent === 0 ? bytes : bytes.subarray(sent));
      }
      this.#writtenBy = Infinity;
    }
    this.#closedBy = sweep.now + this.#limits.linger;
    await client.closeWrite();
  }
}

/** Reads; a reset is an end, too. What was sent before it has been read. */
function readOrEnd(
  conn: Deno.Conn,
  buffer: Uint8Array,
): Promise<number | null> {
  return conn.read(buffer).catch(() => null);
}
