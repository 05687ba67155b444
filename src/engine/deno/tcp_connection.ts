import type {
  PeerAddress,
  TcpConnection,
  TcpEvents,
  TlsClientPlan,
} from "../engine.ts";
import { Deadline, TCP_TIMES, type TcpTimes } from "./tcp_deadline.ts";
import { connectionError, type SystemError } from "./tcp_error.ts";
import { ReadBuffer } from "./tcp_read_buffer.ts";
import { TlsClient } from "./tcp_tls_client.ts";
import { TlsConnection } from "./tcp_tls_connection.ts";
import { noHandshake } from "./tcp_tls_side.ts";
import { WriteQueue } from "./tcp_write_queue.ts";

/** Hears nothing. */
export const silent: TcpEvents = {
  handshake() {},
  data() {},
  end() {},
  drain() {},
  close() {},
};

/**
 * One connection of the platform. There is at most one read and one write
 * under way at any time.
 */
export class DenoConnection implements TcpConnection {
  readonly localAddress: PeerAddress | undefined;
  readonly remoteAddress: PeerAddress | undefined;
  readonly #conn: Deno.Conn;
  readonly #times: TcpTimes;
  readonly #queue: WriteQueue = new WriteQueue();
  readonly #buffer: ReadBuffer = new ReadBuffer();
  #events: TcpEvents = silent;
  #started = false;
  /** Freed: nothing is called or sent any more. */
  #freed = false;
  /** Closed by us; what was taken is still being sent. */
  #closing = false;
  #deadline: Deadline | undefined;
  #lingerEnd = 0;

  #handshaking = false;
  #reading = false;
  #paused = false;
  /** What arrived while paused. */
  #held: Uint8Array<ArrayBuffer> | undefined;
  /** The peer has ended. */
  #endReached = false;
  /** That was told, or reading was shut down. */
  #endTold = false;
  #discarding = false;

  #writing = false;
  #flushScheduled = false;
  #delivering = false;
  #shutdown: "no" | "asked" | "under way" | "done" = "no";
  #writeError: SystemError | undefined;

  constructor(conn: Deno.Conn, times: TcpTimes = TCP_TIMES) {
    this.#conn = conn;
    this.#times = times;
    this.localAddress = peerAddress(conn.localAddr);
    this.remoteAddress = peerAddress(conn.remoteAddr);
    // Otherwise a small write may wait for the acknowledgement of another.
    this.setNoDelay(true);
  }

  start(events: TcpEvents): void {
    this.#events = events;
    if (this.#started) return;
    this.#started = true;
    if (isTls(this.#conn)) this.#handshake(this.#conn);
    else this.#read();
  }

  write(bytes: Uint8Array): number {
    if (!this.#canWrite()) return 0;
    const taken = this.#queue.take(bytes);
    if (taken > 0) this.#scheduleFlush();
    return taken;
  }

  flush(): void {
    this.#flush();
  }

  shutdown(): void {
    if (this.#shutdown !== "no") return;
    this.#shutdown = "asked";
    this.#scheduleFlush();
  }

  shutdownRead(): void {
    if (this.#discarding || this.#freed) return;
    this.#discarding = true;
    this.#held = undefined;
    this.#paused = false;
    queueMicrotask(() => {
      this.#tellEnd();
      this.#read();
    });
  }

  close(last?: Uint8Array): void {
    if (this.#freed || this.#closing) return;
    if (last !== undefined && this.#canWrite()) this.#queue.takeAll(last);
    this.#events = silent;
    // There is nothing to deliver, so there is nobody to wait for.
    if (this.#handshaking && this.#queue.size === 0) return this.terminate();
    this.#closing = true;
    this.#discarding = true;
    this.#paused = false;
    this.#held = undefined;
    this.#endTold = true;
    this.#deadline ??= new Deadline(() => this.#free(undefined));
    this.#deadline.start(this.#times.flush);
    if (this.#shutdown === "done") this.#finishSending();
    else if (this.#shutdown === "no") this.#shutdown = "asked";
    this.#flush();
    // Unread bytes would turn the end into a reset, which destroys what the
    // peer has not read yet (RFC 9112 section 9.6 describes the same trouble).
    if (this.#started) this.#read();
  }

  terminate(): void {
    this.#events = silent;
    this.#free(undefined);
  }

  pause(): void {
    if (this.#discarding) return;
    this.#paused = true;
    if (this.#writeError === undefined) return;
    // Nobody reads what the peer has left. Not from inside this command.
    queueMicrotask(() => {
      if (this.#paused) this.#free(this.#writeError);
    });
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Not from inside this command.
    queueMicrotask(() => {
      if (this.#paused || this.#freed) return;
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) this.#deliver(held);
      if (this.#endReached && !this.#paused) this.#tellEnd();
      this.#read();
    });
  }

  ref(): void {
    if (!this.#freed) this.#conn.ref();
  }

  unref(): void {
    if (!this.#freed) this.#conn.unref();
  }

  setNoDelay(noDelay: boolean): boolean {
    return this.#setOption((conn) => conn.setNoDelay(noDelay));
  }

  setKeepAlive(enable: boolean, initialDelay: number): boolean {
    const isSet = this.#setOption((conn) => conn.setKeepAlive(enable));
    // The platform leaves the delay to the system.
    return isSet && !(enable && initialDelay > 0);
  }

  startTls(plan: TlsClientPlan): TcpConnection {
    const upgraded = new TlsConnection(this, new TlsClient(plan), this.#times);
    // An end of this is none of TLS, which has to know.
    if (this.#endTold && !this.#discarding) {
      this.#endTold = false;
      queueMicrotask(() => this.#tellEnd());
    }
    return upgraded;
  }

  #setOption(set: (conn: Deno.TcpConn) => void): boolean {
    if (this.#freed || !("setNoDelay" in this.#conn)) return false;
    try {
      set(this.#conn as Deno.TcpConn);
      return true;
    } catch {
      // The peer may be gone already.
      return false;
    }
  }

  // Reading

  #handshake(conn: Deno.TlsConn): void {
    this.#handshaking = true;
    let late = false;
    const deadline = new Deadline(() => {
      late = true;
      // This frees everything but the system's socket: the platform's TLS goes
      // on waiting for the client before it closes that.
      conn.close();
    });
    deadline.start(this.#times.handshake);
    conn.handshake().then(({ alpnProtocol }) => {
      deadline.stop();
      this.#handshaking = false;
      if (this.#freed) return;
      this.#events.handshake({
        ...noHandshake,
        alpnProtocol: alpnProtocol ?? undefined,
      });
      this.#read();
    }, (cause) => {
      deadline.stop();
      if (this.#freed) return;
      if (late) cause = new Deno.errors.TimedOut("the peer took too long");
      const error = connectionError(cause, "handshake");
      this.#events.handshake({ ...noHandshake, error });
      this.#free(error);
    });
  }

  #read(): void {
    if (this.#canRead()) this.#readOn();
  }

  #canRead(): boolean {
    return !this.#reading && !this.#paused && !this.#endReached &&
      !this.#handshaking && !this.#freed;
  }

  async #readOn(): Promise<void> {
    do {
      this.#reading = true;
      let count: number | null;
      try {
        count = await this.#conn.read(this.#buffer.bytes);
      } catch (error) {
        this.#reading = false;
        return this.#readFailed(error);
      }
      this.#reading = false;
      if (this.#freed) return;
      if (count === null) return this.#reachEnd();
      this.#readDone(this.#buffer.filled(count));
    } while (this.#canRead());
  }

  #readDone(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#discarding) return this.#linger();
    if (!this.#paused) return this.#deliver(bytes);
    this.#held = bytes.slice();
    if (this.#writeError !== undefined) this.#free(this.#writeError);
  }

  #reachEnd(): void {
    this.#endReached = true;
    if (this.#writeError !== undefined) this.#free(this.#writeError);
    else if (!this.#paused) this.#tellEnd();
  }

  #readFailed(error: unknown): void {
    if (this.#closing && error instanceof Deno.errors.UnexpectedEof) {
      // A TLS peer that ends without telling may still be reading.
      this.#endReached = true;
      return this.#freeIfDone();
    }
    this.#free(this.#writeError ?? connectionError(error, "read"));
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>): void {
    this.#delivering = true;
    this.#events.data(bytes);
    this.#delivering = false;
    this.#flush();
  }

  #tellEnd(): void {
    if (this.#freed) return;
    if (!this.#endTold) {
      this.#endTold = true;
      this.#delivering = true;
      this.#events.end();
      this.#delivering = false;
      this.#flush();
    }
    this.#freeIfDone();
  }

  // Writing

  #canWrite(): boolean {
    return this.#shutdown === "no" && !this.#freed &&
      this.#writeError === undefined;
  }

  /** Joins all writes of this turn into one. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#delivering) return;
    if (this.#writing) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#writing || this.#freed) return;
    const bytes = this.#queue.next();
    if (bytes !== undefined) this.#writeOn(bytes);
    else if (this.#shutdown === "asked") this.#shutDown();
  }

  async #writeOn(first: Uint8Array): Promise<void> {
    this.#writing = true;
    let bytes: Uint8Array | undefined = first;
    while (bytes !== undefined) {
      let count: number;
      try {
        count = await this.#conn.write(bytes);
      } catch (error) {
        this.#writing = false;
        return this.#writeFailed(error);
      }
      if (this.#freed) return;
      this.#queue.sent(count);
      if (this.#closing) this.#deadline!.start(this.#times.flush);
      bytes = count < bytes.length ? bytes.subarray(count) : this.#queue.next();
    }
    this.#writing = false;
    this.#written();
  }

  #written(): void {
    if (this.#shutdown === "asked") return this.#shutDown();
    if (this.#shutdown !== "no" || !this.#queue.hasDrained()) return;
    this.#delivering = true;
    this.#events.drain();
    this.#delivering = false;
    this.#flush();
  }

  #writeFailed(cause: unknown): void {
    if (this.#freed) return;
    const error = connectionError(cause, "write");
    this.#queue.clear();
    this.#writeError = error;
    // The peer may have sent something before it went away. Reading ends
    // promptly then; if nobody reads, there is nothing to wait for.
    if (!this.#reading && !this.#handshaking) this.#free(error);
  }

  #shutDown(): void {
    this.#shutdown = "under way";
    this.#conn.closeWrite().then(() => this.#finishSending(), (error) => {
      this.#free(connectionError(error, "write"));
    });
  }

  #finishSending(): void {
    if (this.#freed) return;
    this.#shutdown = "done";
    this.#freeIfDone();
    if (!this.#closing || this.#freed) return;
    const { linger, longestLinger } = this.#times;
    this.#lingerEnd = performance.now() + longestLinger * 1_000;
    this.#deadline!.start(linger);
  }

  /** The peer goes on sending although nobody listens any more. */
  #linger(): void {
    if (!this.#closing || this.#shutdown !== "done") return;
    if (performance.now() >= this.#lingerEnd) return;
    this.#deadline!.start(this.#times.linger);
  }

  #freeIfDone(): void {
    if (this.#endReached && this.#endTold && this.#shutdown === "done") {
      this.#free(undefined);
    }
  }

  #free(error: Error | undefined): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#deadline?.stop();
    this.#queue.clear();
    this.#held = undefined;
    try {
      this.#conn.close();
    } catch {
      // A handshake that took too long has closed it.
    }
    this.#events.close(error);
    this.#events = silent;
  }
}

function isTls(conn: Deno.Conn): conn is Deno.TlsConn {
  return "handshake" in conn;
}

function peerAddress(address: Deno.Addr): PeerAddress | undefined {
  if (!("port" in address)) return undefined;
  const { hostname, port } = address as Deno.NetAddr;
  const family = hostname.includes(":") ? "IPv6" : "IPv4";
  return { address: hostname, port, family };
}
