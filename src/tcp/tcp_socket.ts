import { clearTimeout, setTimeout } from "node:timers";
import type {
  PeerAddress,
  TcpConnection,
  TcpEvents,
  TlsClientPlan,
  TlsHandshake,
} from "../engine/engine.ts";
import {
  invalidOption,
  outOfRange,
  wrongType,
} from "../options/option_error.ts";
import { resolveReload, resolveUpgrade } from "../options/tcp_options.ts";
import {
  ParsedPeerCertificate,
  type PeerCertificate,
} from "../tls/peer_certificate.ts";
import { receivedBytes } from "./received_bytes.ts";
import {
  callErrorHandler,
  callHandler,
  type HandlerSlot,
} from "./socket_handlers.ts";
import type {
  Socket,
  SocketListener,
  SocketOptions,
  TLSUpgradeOptions,
} from "./socket_types.ts";
import { writtenBytes } from "./written_bytes.ts";

/** The longest time that timers take, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a socket is made from. */
export interface SocketPlan {
  /** Where it looks up its handlers. */
  readonly slot: HandlerSlot;
  /** What `data` is at first. */
  readonly data: unknown;
  /** Keep it open when the peer has ended. */
  readonly allowHalfOpen: boolean;
  /** What accepted it. */
  readonly listener: SocketListener<unknown> | undefined;
  /** The host that it is connected to, if a client's. */
  readonly hostname?: string;
  /** Set if it speaks TLS: how, if it is a client. */
  readonly tls: TlsClientPlan | "server" | undefined;
  /** Called once, when it is closed. */
  readonly onClose?: (socket: TcpSocket) => void;
}

/** The socket behind {@linkcode Socket}; everything is on the prototype. */
export class TcpSocket implements Socket<unknown> {
  readonly #plan: SocketPlan;
  #data: unknown;
  #connection: TcpConnection | undefined;
  #localAddress: PeerAddress | undefined;
  #remoteAddress: PeerAddress | undefined;
  /** `open` was called, or the program has this socket otherwise. */
  #known = false;
  #canWrite = true;
  #bytesWritten = 0;
  #handshake: TlsHandshake | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #upgraded: TcpSocket | undefined;

  constructor(plan: SocketPlan) {
    this.#plan = plan;
    this.#data = plan.data;
  }

  get data(): unknown {
    return this.#data;
  }

  set data(value: unknown) {
    this.#data = value;
  }

  get readyState(): -1 | 1 {
    return this.#connection === undefined ? -1 : 1;
  }

  get listener(): SocketListener | undefined {
    if (this.#connection === undefined) return undefined;
    return this.#plan.listener as SocketListener | undefined;
  }

  // The types promise an address, as Bun's do, although Unix sockets have none.

  get remoteAddress(): string {
    return this.#remoteAddress?.address as string;
  }

  get remotePort(): number {
    return this.#remoteAddress?.port as number;
  }

  get remoteFamily(): "IPv4" | "IPv6" {
    return this.#remoteAddress?.family as "IPv4" | "IPv6";
  }

  get localAddress(): string {
    return this.#localAddress?.address as string;
  }

  get localPort(): number {
    return this.#localAddress?.port as number;
  }

  get localFamily(): "IPv4" | "IPv6" {
    return this.#localAddress?.family as "IPv4" | "IPv6";
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get authorized(): boolean {
    return this.#handshake?.authorized ?? false;
  }

  getAuthorizationError(): Error | null {
    return this.#handshake?.authorizationError ?? null;
  }

  getPeerCertificate(): PeerCertificate | undefined {
    const shown = this.#handshake?.certificate;
    return shown && new ParsedPeerCertificate(shown);
  }

  get alpnProtocol(): string | false | null {
    if (this.#plan.tls === undefined) return false;
    if (this.#handshake === undefined) return null;
    return this.#handshake.alpnProtocol ?? false;
  }

  getServername(): string | undefined {
    const { tls } = this.#plan;
    return typeof tls === "object"
      ? tls.serverName
      : this.#handshake?.serverName;
  }

  write(
    data: string | ArrayBufferLike | ArrayBufferView,
    byteOffset?: number,
    byteLength?: number,
  ): number {
    const connection = this.#connection;
    if (connection === undefined || !this.#canWrite) return -1;
    const bytes = writtenBytes(data, byteOffset, byteLength);
    if (bytes.length === 0) return 0;
    const taken = connection.write(bytes);
    this.#bytesWritten += taken;
    return taken;
  }

  end(
    data?: string | ArrayBufferLike | ArrayBufferView,
    byteOffset?: number,
    byteLength?: number,
  ): number {
    if (this.#connection === undefined || !this.#canWrite) return -1;
    if (data === undefined) {
      this.close();
      return 0;
    }
    const bytes = writtenBytes(data, byteOffset, byteLength);
    this.#bytesWritten += bytes.length;
    this.#close(bytes);
    return bytes.length;
  }

  flush(): void {
    this.#connection?.flush();
  }

  close(): void {
    this.#close();
  }

  terminate(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.terminate();
    this.#closed(undefined);
  }

  shutdown(halfClose: boolean = false): void {
    if (halfClose) return this.#connection?.shutdownRead();
    this.#canWrite = false;
    this.#connection?.shutdown();
  }

  timeout(seconds: number): void {
    if (typeof seconds !== "number") {
      throw wrongType("timeout", seconds, "a number of seconds");
    }
    if (!(seconds >= 0)) {
      throw outOfRange(
        `Cannot set timeout ${seconds}: expected 0 or more seconds`,
      );
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (seconds === 0 || this.#connection === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      callHandler(this.#slot, this.#slot.handlers.timeout, this);
    }, Math.min(seconds * 1_000, LONGEST_TIMER));
    // Only the connection keeps the process alive.
    this.#timer.unref();
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  ref(): void {
    this.#connection?.ref();
  }

  unref(): void {
    this.#connection?.unref();
  }

  reload(options: Pick<SocketOptions<unknown>, "socket">): void {
    this.#slot.handlers = resolveReload(options);
  }

  setNoDelay(noDelay: boolean = true): boolean {
    return this.#connection?.setNoDelay(Boolean(noDelay)) ?? false;
  }

  setKeepAlive(enable: boolean = false, initialDelay: number = 0): boolean {
    return this.#connection?.setKeepAlive(Boolean(enable), initialDelay) ??
      false;
  }

  upgradeTLS<UpgradedData = undefined>(
    options: TLSUpgradeOptions<UpgradedData>,
  ): [raw: Socket<unknown>, tls: Socket<UpgradedData>] {
    const plan = resolveUpgrade(options, this.#plan.hostname);
    const connection = this.#connection;
    if (connection === undefined || !this.#canWrite) {
      throw invalidOption("Cannot upgrade to TLS: the socket is closed");
    }
    if (this.#plan.listener !== undefined) {
      throw invalidOption(
        "Cannot upgrade to TLS: the socket was accepted, and only clients can upgrade",
      );
    }
    const upgraded = new TcpSocket({
      slot: { handlers: plan.handlers },
      data: plan.data,
      allowHalfOpen: this.#plan.allowHalfOpen,
      listener: undefined,
      hostname: this.#plan.hostname,
      tls: plan.tls,
      onClose: () => this.#closed(undefined),
    });
    let secured: TcpConnection;
    try {
      secured = connection.startTls(plan.tls);
    } catch (error) {
      this.#closed(error as Error);
      throw error;
    }
    this.timeout(0);
    this.#connection = undefined;
    this.#upgraded = upgraded;
    upgraded.start(secured);
    return [this, upgraded as unknown as Socket<UpgradedData>];
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  // For this folder only; the interface does not show what follows.

  /** Begins to use a connection. */
  start(connection: TcpConnection): void {
    this.#connection = connection;
    this.#localAddress = connection.localAddress;
    this.#remoteAddress = connection.remoteAddress;
    connection.start(this.#events());
    const { tls, listener } = this.#plan;
    // A client has the socket from `connect`, whether or not `open` is called.
    if (listener === undefined) this.#known = true;
    if (tls === undefined || this.#slot.handlers.handshake !== undefined) {
      this.#opened();
    }
  }

  /** Connecting failed. */
  failed(error: Error): void {
    const { handlers } = this.#slot;
    handlers.connectError?.call(this, this, error);
  }

  get #slot(): HandlerSlot {
    return this.#plan.slot;
  }

  #events(): TcpEvents {
    const slot = this.#slot;
    return {
      handshake: (result) => this.#handshakeEnded(result),
      data: (bytes, isOwn) => {
        const { data, binaryType } = slot.handlers;
        if (data === undefined) return;
        // As callHandler does, for what happens most.
        try {
          data.call(this, this, receivedBytes(bytes, binaryType, isOwn));
        } catch (error) {
          callErrorHandler(slot, this, error as Error);
        }
      },
      end: () => {
        callHandler(slot, slot.handlers.end, this);
        if (!this.#plan.allowHalfOpen) this.#close();
      },
      drain: () => void callHandler(slot, slot.handlers.drain, this),
      close: (error) => this.#closed(error),
    };
  }

  #opened(): void {
    this.#known = true;
    if (!callHandler(this.#slot, this.#slot.handlers.open, this)) {
      this.#close();
    }
  }

  #handshakeEnded(result: TlsHandshake): void {
    this.#handshake = result;
    const { error, authorizationError } = result;
    const { handshake } = this.#slot.handlers;
    if (handshake === undefined) {
      if (error === undefined) this.#opened();
      return;
    }
    callHandler(
      this.#slot,
      handshake,
      this,
      error === undefined,
      error ?? authorizationError ?? null,
    );
  }

  #close(last?: Uint8Array): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.close(last);
    this.#closed(undefined);
  }

  #closed(error: Error | undefined): void {
    if (this.#connection === undefined && this.#upgraded === undefined) return;
    this.#connection = undefined;
    this.#upgraded = undefined;
    this.#canWrite = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#plan.onClose?.(this);
    // A peer that failed the handshake was never shown to the program.
    if (!this.#known) return;
    callHandler(this.#slot, this.#slot.handlers.close, this, error);
  }
}
