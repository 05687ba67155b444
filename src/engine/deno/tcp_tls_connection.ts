import { Duplex } from "node:stream";
import { isIP } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type {
  PeerAddress,
  TcpConnection,
  TcpEvents,
  TlsClientPlan,
  TlsHandshake,
} from "../engine.ts";
import { Deadline } from "./tcp_deadline.ts";
import type { SystemError } from "./tcp_error.ts";
import { WRITE_LIMIT } from "./tcp_write_queue.ts";

/** Seconds without progress before a closed connection gives up its bytes. */
const FLUSH_TIME = 60;

/**
 * TLS as a client over another connection.
 *
 * `Deno.startTls` would be shorter. But it breaks a connection that has a read
 * under way, trusts the platform's authorities besides the given ones, and
 * cannot be told to accept a certificate that it cannot verify.
 */
export class TlsConnection implements TcpConnection {
  readonly #carrier: TcpConnection;
  readonly #ciphertext: Duplex;
  readonly #tls: TLSSocket;
  #events: TcpEvents | undefined;
  #done = false;
  #secure = false;
  #error: Error | undefined;
  #endReached = false;
  #endTold = false;
  #paused = false;
  /** What arrived while paused. */
  #held: Uint8Array[] = [];
  #discarding = false;
  #refused = false;
  /** The carrier has taken the last byte. */
  #sent = false;
  /** What the carrier did not take yet. */
  #unsent: { bytes: Uint8Array; done: () => void } | undefined;
  #deadline: Deadline | undefined;

  constructor(carrier: TcpConnection, plan: TlsClientPlan) {
    this.#carrier = carrier;
    this.#ciphertext = this.#createCiphertext();
    // Before anything is read: nothing of it may go to the old events.
    carrier.start({
      handshake() {},
      // What it returns does not matter: see pause.
      data: (bytes) => void this.#ciphertext.push(bytes.slice()),
      end: () => void this.#ciphertext.push(null),
      drain: () => this.#sendRest(),
      close: (error) => this.#carrierClosed(error),
    });
    // It may have been paused before it was upgraded.
    carrier.resume();
    try {
      this.#tls = connect({ ...tlsOptions(plan), socket: this.#ciphertext });
    } catch (error) {
      carrier.terminate();
      throw error;
    }
    this.#listen();
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
    this.#done = true;
    this.#events = undefined;
    this.#held = [];
    const tls = this.#tls;
    if (this.#sent || tls.destroyed) return this.#closeCarrier();
    this.#deadline = new Deadline(() => this.terminate());
    this.#deadline.start(FLUSH_TIME);
    // What is still arriving must not hold up what is being sent.
    this.#carrier.resume();
    if (!tls.writable) return;
    if (last !== undefined) tls.write(last.slice());
    tls.end();
  }

  terminate(): void {
    this.#done = true;
    this.#events = undefined;
    this.#deadline?.stop();
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
    return new TlsConnection(this, plan);
  }

  #listen(): void {
    const tls = this.#tls;
    tls.on("secureConnect", () => {
      this.#secure = true;
      if (this.#paused) this.#carrier.pause();
      this.#events?.handshake({
        error: undefined,
        alpnProtocol: tls.alpnProtocol || undefined,
        serverName: undefined,
        authorized: tls.authorized,
        authorizationError: asError(tls.authorizationError),
      });
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
      if (!this.#paused) this.#tellEnd();
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
    if (this.#endTold) return;
    this.#endTold = true;
    this.#events?.end();
  }

  #closed(): void {
    const isHeld = this.#paused && this.#error === undefined && !this.#done;
    if (isHeld) return;
    const events = this.#events;
    this.#done = true;
    this.#events = undefined;
    if (this.#error === undefined) this.#closeCarrier();
    else this.terminate();
    if (events === undefined) return;
    if (!this.#secure) {
      this.#error = handshakeError(this.#error);
      events.handshake({ ...handshakeFailed, error: this.#error });
    }
    events.close(this.#error);
  }

  /** Everything is with the carrier, or will not come any more. */
  #closeCarrier(): void {
    this.#deadline?.stop();
    this.#carrier.close(this.#unsent?.bytes);
    this.#unsent = undefined;
    this.#tls.destroy();
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
    if (taken > 0) this.#deadline?.start(FLUSH_TIME);
    if (taken < unsent.bytes.length) {
      unsent.bytes = unsent.bytes.subarray(taken);
      return;
    }
    this.#unsent = undefined;
    unsent.done();
  }
}

const handshakeFailed: TlsHandshake = {
  error: undefined,
  alpnProtocol: undefined,
  serverName: undefined,
  authorized: false,
  authorizationError: undefined,
};

function tlsOptions(
  plan: TlsClientPlan,
): ConnectionOptions & { allowHalfOpen: boolean } {
  const { serverName, authorities, certificate, alpnProtocols } = plan;
  return {
    host: serverName,
    // An address is never sent as a name.
    servername: isIP(serverName) === 0 ? serverName : "",
    rejectUnauthorized: plan.rejectUnauthorized,
    allowHalfOpen: true,
    ...authorities && { ca: [...authorities] },
    ...certificate && { cert: certificate.cert, key: certificate.key },
    ...alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] },
  };
}

function asError(value: unknown): Error | undefined {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Error) return value;
  const code = String(value);
  return Object.assign(
    new Error(`Cannot verify the certificate of the server: ${code}`),
    { code },
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
