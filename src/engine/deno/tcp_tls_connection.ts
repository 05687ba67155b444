import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import type {
  PeerAddress,
  TcpConnection,
  TcpEvents,
  TlsClientPlan,
} from "../engine.ts";
import { Deadline, type TcpTimes } from "./tcp_deadline.ts";
import type { SystemError } from "./tcp_error.ts";
import { TlsClient } from "./tcp_tls_client.ts";
import { noHandshake, type TlsSide } from "./tcp_tls_side.ts";
import { WRITE_LIMIT } from "./tcp_write_queue.ts";

/** TLS over another connection. */
export class TlsConnection implements TcpConnection {
  readonly #carrier: TcpConnection;
  readonly #side: TlsSide;
  readonly #times: TcpTimes;
  readonly #ciphertext: Duplex;
  readonly #tls: TLSSocket;
  #events: TcpEvents | undefined;
  #done = false;
  #secure = false;
  #error: Error | undefined;
  #endReached = false;
  #endTold = false;
  /** The connection has ended, but TLS on it had not. */
  #cutOff = false;
  #paused = false;
  /** What arrived while paused. */
  #held: Uint8Array<ArrayBuffer>[] = [];
  #discarding = false;
  #refused = false;
  /** The program has written something. */
  #hasWritten = false;
  /** The peer was sent something. */
  #hasSent = false;
  /** The carrier has taken the last byte. */
  #sent = false;
  /** What the carrier did not take yet. */
  #unsent: { bytes: Uint8Array; done: () => void } | undefined;
  /** For the handshake, and later for sending what is left. */
  readonly #deadline: Deadline = new Deadline(() => this.#expire());

  /** @throws {Error} If a certificate cannot be used. */
  constructor(carrier: TcpConnection, side: TlsSide, times: TcpTimes) {
    this.#carrier = carrier;
    this.#side = side;
    this.#times = times;
    this.#ciphertext = this.#createCiphertext();
    // Before anything is read: nothing of it may go to the old events.
    carrier.start({
      handshake() {},
      // What it returns does not matter: see pause.
      data: (bytes) => void this.#ciphertext.push(bytes.slice()),
      end: () => this.#carrierEnded(),
      drain: () => this.#sendRest(),
      close: (error) => this.#carrierClosed(error),
    });
    // It may have been paused before it was upgraded.
    carrier.resume();
    try {
      this.#tls = side.open(this.#ciphertext);
    } catch (error) {
      carrier.terminate();
      throw error;
    }
    this.#listen();
    this.#deadline.start(times.handshake);
  }

  get localAddress(): PeerAddress | undefined {
    return this.#carrier.localAddress;
  }

  get remoteAddress(): PeerAddress | undefined {
    return this.#carrier.remoteAddress;
  }

  start(events: TcpEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): number {
    const tls = this.#tls;
    if (this.#done || !tls.writable) return 0;
    const taken = Math.min(bytes.length, WRITE_LIMIT - tls.writableLength);
    if (taken < bytes.length) this.#refused = true;
    if (taken <= 0) return 0;
    this.#hasWritten = true;
    tls.write(bytes.slice(0, taken));
    return taken;
  }

  flush(): void {
    this.#carrier.flush();
  }

  shutdown(): void {
    if (!this.#done && this.#tls.writable) this.#tls.end();
  }

  shutdownRead(): void {
    if (this.#discarding || this.#done) return;
    this.#discarding = true;
    this.#paused = false;
    this.#held = [];
    this.#carrier.resume();
    queueMicrotask(() => this.#tellEnd());
  }

  close(last?: Uint8Array): void {
    if (this.#done) return;
    const hasContent = this.#hasWritten || last !== undefined;
    // There is nothing to deliver, so there is nobody to wait for.
    if (!this.#secure && !hasContent) return this.terminate();
    this.#done = true;
    this.#events = undefined;
    this.#held = [];
    const tls = this.#tls;
    if (this.#sent || tls.destroyed) return this.#closeCarrier();
    this.#deadline.start(this.#times.flush);
    // What is still arriving must not hold up what is being sent.
    this.#carrier.resume();
    if (!tls.writable) return;
    if (last !== undefined) tls.write(last.slice());
    tls.end();
  }

  terminate(): void {
    this.#done = true;
    this.#events = undefined;
    this.#deadline.stop();
    this.#carrier.terminate();
    this.#tls.destroy();
  }

  /**
   * Pauses the carrier: the platform's TLS socket loses the end of the stream
   * if it comes while that is paused itself.
   */
  pause(): void {
    if (this.#discarding || this.#done) return;
    this.#paused = true;
    // The handshake goes on.
    if (this.#secure) this.#carrier.pause();
  }

  resume(): void {
    if (!this.#paused || this.#done) return;
    this.#paused = false;
    // Not from inside this command.
    queueMicrotask(() => this.#deliverHeld());
  }

  ref(): void {
    this.#carrier.ref();
  }

  unref(): void {
    this.#carrier.unref();
  }

  setNoDelay(noDelay: boolean): boolean {
    return !this.#done && this.#carrier.setNoDelay(noDelay);
  }

  setKeepAlive(enable: boolean, initialDelay: number): boolean {
    return !this.#done && this.#carrier.setKeepAlive(enable, initialDelay);
  }

  startTls(plan: TlsClientPlan): TcpConnection {
    return new TlsConnection(this, new TlsClient(plan), this.#times);
  }

  #listen(): void {
    const tls = this.#tls;
    tls.on(this.#side.securedEvent, () => {
      const result = this.#side.result(tls);
      if (result.error !== undefined) return this.#fail(result.error);
      this.#secure = true;
      if (!this.#done) this.#deadline.stop();
      if (this.#paused) this.#carrier.pause();
      this.#events?.handshake(result);
    });
    tls.on("data", (chunk) => {
      if (this.#discarding || this.#done) return;
      if (this.#paused) this.#held.push(chunk);
      else this.#events?.data(chunk);
    });
    tls.on("drain", () => {
      if (!this.#refused) return;
      this.#refused = false;
      this.#events?.drain();
    });
    tls.on("end", () => {
      this.#endReached = true;
      if (!this.#secure) tls.destroy();
      else if (!this.#paused) this.#tellEnd();
    });
    tls.on("finish", () => this.#ciphertext.end());
    tls.on("error", (error) => {
      this.#error ??= error;
    });
    tls.on("close", () => this.#closed());
  }

  #deliverHeld(): void {
    while (!this.#paused && !this.#done) {
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      this.#events?.data(bytes);
    }
    if (this.#paused || this.#done) return;
    if (this.#endReached) this.#tellEnd();
    if (this.#tls.destroyed) this.#closed();
    else this.#carrier.resume();
  }

  #tellEnd(): void {
    if (this.#cutOff) return this.#fail(cutOffError());
    if (this.#endTold) return;
    this.#endTold = true;
    this.#events?.end();
  }

  #closed(): void {
    const isHeld = this.#paused && this.#secure && !this.#done &&
      this.#error === undefined;
    if (isHeld) return;
    const events = this.#events;
    this.#done = true;
    this.#events = undefined;
    this.#endCarrier();
    if (events === undefined) return;
    if (!this.#secure) {
      this.#error = handshakeError(this.#error);
      events.handshake({ ...noHandshake, error: this.#error });
    }
    events.close(this.#secure ? streamError(this.#error) : this.#error);
  }

  #endCarrier(): void {
    const error = this.#error;
    if (error === undefined) return this.#closeCarrier();
    const alert = this.#secure || this.#hasSent
      ? undefined
      : this.#side.alert(error);
    if (alert === undefined) return this.terminate();
    this.#deadline.stop();
    this.#carrier.close(alert);
  }

  #expire(): void {
    if (this.#done) return this.terminate();
    this.#fail(
      Object.assign(new Error("the peer took too long"), { code: "ETIMEDOUT" }),
    );
  }

  /** Leads to `#closed`. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.#tls.destroy();
  }

  /** Everything is with the carrier, or will not come any more. */
  #closeCarrier(): void {
    this.#deadline.stop();
    this.#carrier.close(this.#unsent?.bytes);
    this.#unsent = undefined;
    this.#tls.destroy();
  }

  /**
   * The platform takes this for an end of TLS, too, which an attacker could
   * feign (RFC 8446 section 6.1). One that the peer has announced over TLS is
   * known by now, or will be when what has arrived is decrypted.
   */
  #carrierEnded(): void {
    setImmediate(() => {
      this.#cutOff = !this.#endReached && this.#secure;
      this.#ciphertext.push(null);
    });
  }

  #carrierClosed(error: Error | undefined): void {
    this.#error ??= error;
    this.#unsent = undefined;
    this.#ciphertext.destroy(error);
    this.#tls.destroy();
  }

  #createCiphertext(): Duplex {
    const ciphertext = new Duplex({
      read() {},
      write: (chunk: Uint8Array, _encoding, callback) => {
        this.#hasSent = true;
        this.#unsent = { bytes: chunk, done: callback };
        this.#sendRest();
      },
      final: (callback) => {
        this.#sent = true;
        if (this.#done) this.#closeCarrier();
        else this.#carrier.shutdown();
        callback();
      },
    });
    // The carrier has told already, or it is too late to matter.
    ciphertext.on("error", () => {});
    return ciphertext;
  }

  #sendRest(): void {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    const taken = this.#carrier.write(unsent.bytes);
    if (taken > 0 && this.#done) this.#deadline.start(this.#times.flush);
    if (taken < unsent.bytes.length) {
      unsent.bytes = unsent.bytes.subarray(taken);
      return;
    }
    this.#unsent = undefined;
    unsent.done();
  }
}

function cutOffError(): SystemError {
  return Object.assign(
    new Error(
      "Cannot read from the connection: it has ended, but TLS on it had not",
    ),
    { code: "ECONNRESET", syscall: "read" },
  );
}

/** What is wrong with TLS has one code here; the message says more. */
function streamError(cause: Error | undefined): Error | undefined {
  const { code } = (cause ?? {}) as SystemError;
  if (!code?.startsWith("ERR_SSL_")) return cause;
  return Object.assign(
    new Error(`Cannot read from the connection: ${cause!.message}`, { cause }),
    { code: "EPROTO", syscall: "read" },
  );
}

/** Certificates keep the codes that Node gives them. */
function handshakeError(cause: Error | undefined): SystemError {
  if (cause === undefined) {
    return Object.assign(
      new Error("Cannot complete the TLS handshake: the connection ended"),
      { code: "ECONNRESET", syscall: "handshake" },
    );
  }
  const { code } = cause as SystemError;
  return Object.assign(
    new Error(`Cannot complete the TLS handshake: ${cause.message}`, { cause }),
    {
      code: code?.startsWith("ERR_SSL_") ? "EPROTO" : code,
      syscall: "handshake",
    },
  );
}
