import type { Buffer } from "node:buffer";
import type { MaybePromise } from "../serve_types.ts";
import type { TLSOptions } from "../options/tls_options.ts";
import type { PeerCertificate } from "../tls/peer_certificate.ts";

/** How received bytes are handed to `data`, by the name of the type. */
export interface BinaryTypeList {
  /** An `ArrayBuffer`. */
  arraybuffer: ArrayBuffer;
  /** A Node `Buffer` that fills its whole `ArrayBuffer`. */
  buffer: Buffer;
  /** A `Uint8Array` that fills its whole `ArrayBuffer`. */
  uint8array: Uint8Array<ArrayBuffer>;
}

/** The name of a type in which bytes are received. */
export type BinaryType = keyof BinaryTypeList;

/**
 * What happens on sockets. One set serves all sockets of a listener; in every
 * handler `this` is the socket.
 *
 * A handler that throws is answered by `error`; without `error`, and when
 * `error` itself throws, the error is dispatched as an `error` event of
 * `globalThis`, and printed unless that is prevented. Promises that reject are
 * unhandled rejections.
 *
 * @typeParam Data What `socket.data` is.
 * @typeParam DataBinaryType How bytes are received.
 */
export interface SocketHandler<
  Data = unknown,
  DataBinaryType extends BinaryType = "buffer",
> {
  /**
   * The connection is open. With TLS and without `handshake`, the handshake
   * has succeeded. If this throws, the socket is closed.
   */
  open?(socket: Socket<Data>): MaybePromise<void>;
  /**
   * Bytes arrived. The buffer belongs to the handler.
   *
   * @param data The bytes, in the type that `binaryType` names.
   */
  data?(
    socket: Socket<Data>,
    data: BinaryTypeList[DataBinaryType],
  ): MaybePromise<void>;
  /** `write` takes bytes again, after it took fewer than it was given. */
  drain?(socket: Socket<Data>): MaybePromise<void>;
  /**
   * The socket is closed; nothing else is called for it. It was open before,
   * or `connect` had resolved.
   *
   * @param error Why, if the connection broke; `code` is for example
   * `ECONNRESET`.
   */
  close?(socket: Socket<Data>, error?: Error): MaybePromise<void>;
  /**
   * The peer has ended its side. Without `allowHalfOpen` the socket is closed
   * after this.
   */
  end?(socket: Socket<Data>): MaybePromise<void>;
  /** Another handler threw this. */
  error?(socket: Socket<Data>, error: Error): MaybePromise<void>;
  /** The time of `socket.timeout` is over. The socket stays open. */
  timeout?(socket: Socket<Data>): MaybePromise<void>;
  /**
   * The TLS handshake ended. With this handler `open` is called before it;
   * after a failure the socket is closed.
   *
   * @param success Whether the connection may be used.
   * @param authorizationError Why the handshake failed, or why the peer's
   * certificate was not verified, if `rejectUnauthorized` is false.
   */
  handshake?(
    socket: Socket<Data>,
    success: boolean,
    authorizationError: Error | null,
  ): MaybePromise<void>;
  /**
   * For `connect`: connecting failed. The promise rejects afterwards, and is
   * not reported as unhandled.
   *
   * @param error Why; `code` is for example `ECONNREFUSED`.
   */
  connectError?(socket: Socket<Data>, error: Error): MaybePromise<void>;
  /**
   * How bytes are handed to `data`.
   *
   * @default {"buffer"}
   */
  binaryType?: DataBinaryType;
}

/** Options of every socket. */
export interface SocketOptions<
  Data = unknown,
  DataBinaryType extends BinaryType = BinaryType,
> {
  /** What happens on sockets. `data` or `drain` is required. */
  readonly socket: SocketHandler<Data, DataBinaryType>;
  /** What `socket.data` is at first; the same object for every socket. */
  readonly data?: Data;
  /**
   * Keep a socket open when the peer has ended, so that it can still be
   * written to. It must be ended by the program then.
   *
   * @default {false}
   */
  readonly allowHalfOpen?: boolean;
  /**
   * The engine to use. "auto" takes the native engine for `listen`, where it is
   * there and can serve the options, otherwise the deno engine.
   *
   * @default {$JSTIME_ENGINE, else "auto"}
   */
  readonly engine?: "auto" | "deno" | "native";
}

/** Options of {@linkcode listen} for TCP. */
export interface TCPSocketListenOptions<
  Data = undefined,
  DataBinaryType extends BinaryType = BinaryType,
> extends SocketOptions<Data, DataBinaryType> {
  /** Host name or IP address to listen on. */
  readonly hostname: string;
  /** Port to listen on; 0 picks a free one. */
  readonly port: number | string;
  /** Not for TCP. */
  readonly unix?: undefined;
  /**
   * Speak TLS: one certificate, or several that clients choose from by
   * `serverName`. `ALPNProtocols` of the first counts for all.
   */
  readonly tls?: TLSOptions | readonly TLSOptions[] | false | null;
  /**
   * Do not share the port with other processes. No engine shares it, so this
   * changes nothing.
   *
   * @default {false}
   */
  readonly exclusive?: boolean;
}

/** Options of {@linkcode connect} for TCP. */
export interface TCPSocketConnectOptions<
  Data = undefined,
  DataBinaryType extends BinaryType = BinaryType,
> extends SocketOptions<Data, DataBinaryType> {
  /** Host name or IP address to connect to. */
  readonly hostname: string;
  /** Port to connect to. */
  readonly port: number | string;
  /** Not for TCP. */
  readonly unix?: undefined;
  /** Speak TLS; `true` is with the usual options. */
  readonly tls?: TLSOptions | boolean | null;
  /** Has no effect on connecting. */
  readonly exclusive?: boolean;
}

/** Options of {@linkcode listen} and {@linkcode connect} for Unix sockets. */
export interface UnixSocketOptions<
  Data = undefined,
  DataBinaryType extends BinaryType = BinaryType,
> extends SocketOptions<Data, DataBinaryType> {
  /**
   * The socket: a path, or on Linux an abstract name that begins with a NUL.
   */
  readonly unix: string;
  /** Speak TLS over the connection; `true` is only for `connect`. */
  readonly tls?: TLSOptions | boolean | null;
}

/** Options of {@linkcode Socket.upgradeTLS}. */
export interface TLSUpgradeOptions<
  Data = undefined,
  DataBinaryType extends BinaryType = BinaryType,
> {
  /** What `data` of the new socket is. */
  readonly data?: Data;
  /** Options of TLS; `true` is the usual ones. Give `serverName`. */
  readonly tls: TLSOptions | boolean;
  /** What happens on the new socket. */
  readonly socket: SocketHandler<Data, DataBinaryType>;
}

/**
 * One connection, accepted by {@linkcode listen} or made by
 * {@linkcode connect}.
 *
 * @typeParam Data What `data` is.
 *
 * @example
 * ```ts
 * import { connect, listen, type Socket } from "@jstime/serve";
 *
 * function greet(socket: Socket<{ visits: number }>): void {
 *   socket.data.visits += 1;
 *   socket.end(`Visit ${socket.data.visits}`);
 * }
 * using server = listen({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   data: { visits: 0 },
 *   socket: { open: greet, data() {} },
 * });
 * const { promise, resolve } = Promise.withResolvers<string>();
 * await connect({
 *   hostname: server.hostname,
 *   port: server.port,
 *   socket: { data: (_, bytes) => resolve(bytes.toString()) },
 * });
 * console.log(await promise); // Visit 1
 * ```
 */
export interface Socket<Data = undefined> extends Disposable {
  /**
   * Sends bytes. What is written in one turn is sent together.
   *
   * @param data Text is sent as UTF-8. Bytes are copied.
   * @param byteOffset First byte to send; 0 by default.
   * @param byteLength How many bytes to send; all that follow by default.
   * @returns How many bytes were taken, each of which will arrive as long as
   * the peer makes progress. Fewer than given is backpressure: the rest is to
   * be written again, after `drain` was called. -1 if the socket is closed or
   * its sending side is.
   * @throws {TypeError} If `data` is neither text nor bytes.
   * @throws {RangeError} If offset or length lie outside of `data`.
   */
  write(
    data: string | ArrayBufferLike | ArrayBufferView,
    byteOffset?: number,
    byteLength?: number,
  ): number;
  /**
   * Closes the socket, after sending the last bytes. `close` is called before
   * this returns; everything that was taken still arrives, in the background,
   * as long as the peer makes progress. What arrives from now on is discarded;
   * to receive more use {@linkcode Socket.shutdown}.
   *
   * @returns How many bytes of `data` were taken: all of them, whatever the
   * backpressure; -1 if the sending side was closed already, and then nothing
   * else is done.
   * @throws {TypeError} If `data` is neither text nor bytes.
   * @throws {RangeError} If offset or length lie outside of `data`.
   */
  end(
    data?: string | ArrayBufferLike | ArrayBufferView,
    byteOffset?: number,
    byteLength?: number,
  ): number;
  /** Sends what was written now instead of at the end of this turn. */
  flush(): void;
  /** As `end()`, also if the sending side was closed already. */
  close(): void;
  /**
   * Cuts the connection at once; what was not sent is lost. The deno engine
   * cannot reset the connection, so the peer may see an orderly end.
   */
  terminate(): void;
  /**
   * Ends the sending side after everything taken was sent. The socket goes on
   * receiving.
   *
   * @param halfClose True ends the receiving side instead: `end` is called,
   * and what still arrives is discarded.
   */
  shutdown(halfClose?: boolean): void;
  /**
   * Calls the `timeout` handler once, that many seconds from now, whatever
   * happens on the socket meanwhile; replaces an earlier time.
   *
   * @param seconds 0 is never.
   * @throws {TypeError} If it is no number.
   * @throws {RangeError} If it is negative.
   */
  timeout(seconds: number): void;
  /** Stops receiving, so that the peer runs into backpressure. */
  pause(): void;
  /** Receives again. */
  resume(): void;
  /** Keeps the process alive while the socket is open (the default). */
  ref(): void;
  /** Lets the process end while the socket is open. */
  unref(): void;
  /**
   * Replaces all handlers: of this socket if `connect` made it, else of all
   * sockets of the listener.
   *
   * @throws {TypeError} If the handlers are wrong.
   */
  reload(options: Pick<SocketOptions<Data>, "socket">): void;
  /**
   * Sets whether small writes are sent without waiting for others; sockets
   * start with true.
   *
   * @returns Whether that worked. Not on Unix sockets, and on the deno engine
   * not on TLS connections that were accepted with a single certificate.
   */
  setNoDelay(noDelay?: boolean): boolean;
  /**
   * Sets whether the system probes an idle connection.
   *
   * @param enable False by default.
   * @param initialDelay Milliseconds without traffic before the first probe; 0
   * is the system's choice.
   * @returns Whether that worked. The deno engine cannot set the delay: it
   * enables the probes and returns false.
   */
  setKeepAlive(enable?: boolean, initialDelay?: number): boolean;
  /** Anything that belongs to this socket. */
  data: Data;
  /** 1 while the socket is open, else -1. */
  readonly readyState: -2 | -1 | 0 | 1 | 2;
  /** The listener that accepted this socket, while it is open. */
  readonly listener?: SocketListener;
  /** The peer's IP address; undefined over Unix sockets. */
  readonly remoteAddress: string;
  /** The peer's port; undefined over Unix sockets. */
  readonly remotePort: number;
  /** The peer's address family; undefined over Unix sockets. */
  readonly remoteFamily: "IPv4" | "IPv6";
  /** This side's IP address; undefined over Unix sockets. */
  readonly localAddress: string;
  /** This side's port; undefined over Unix sockets. */
  readonly localPort: number;
  /** This side's address family; undefined over Unix sockets. */
  readonly localFamily: "IPv4" | "IPv6";
  /** How many bytes were taken so far. */
  readonly bytesWritten: number;
  /** Whether the peer showed a certificate that was verified. */
  readonly authorized: boolean;
  /** Why it was not, if it was asked for one; null otherwise. */
  getAuthorizationError(): Error | null;
  /**
   * The certificate that the peer has shown, on connections of clients and of
   * listeners with `requestCert`; undefined without, and before the handshake.
   * Look at its `authorized` before believing what it says.
   */
  getPeerCertificate(): PeerCertificate | undefined;
  /**
   * The application protocol that was agreed on (ALPN); false if there is
   * none, null before the handshake has ended.
   */
  readonly alpnProtocol: string | false | null;
  /**
   * The name that the client asks for, in lower case on accepted sockets;
   * undefined if it asks for none. On accepted sockets the deno engine knows it
   * only if `tls` is a list or has `requestCert`, or over Unix sockets.
   */
  getServername(): string | undefined;
  /**
   * Goes on with TLS, as a client, for protocols that begin without it
   * (STARTTLS). Call it when the peer is ready for it.
   *
   * @returns This socket, which cannot be used any more and of which only
   * `close` will be called, and the new one.
   * @throws {TypeError} If an option is wrong or the socket is accepted or
   * closed.
   */
  upgradeTLS<UpgradedData = undefined>(
    options: TLSUpgradeOptions<UpgradedData>,
  ): [raw: Socket<Data>, tls: Socket<UpgradedData>];
  /** As `end()`. */
  [Symbol.dispose](): void;
}

/** What is common to the listeners of TCP and Unix sockets. */
export interface SocketListener<Data = undefined> extends Disposable {
  /**
   * Stops accepting.
   *
   * @param closeActiveConnections Also close all sockets, as `end()` does.
   */
  stop(closeActiveConnections?: boolean): void;
  /** Keeps the process alive while listening (the default). */
  ref(): void;
  /** Lets the process end while listening. */
  unref(): void;
  /**
   * Replaces the handlers of all sockets, open ones included.
   *
   * @throws {TypeError} If the handlers are wrong.
   */
  reload(options: Pick<SocketOptions<Data>, "socket">): void;
  /** What `data` of new sockets is. */
  data: Data;
  /** As `stop(true)`. */
  [Symbol.dispose](): void;
}

/** A listening TCP socket. */
export interface TCPSocketListener<Data = unknown>
  extends SocketListener<Data> {
  /** The port listened on. */
  readonly port: number;
  /** The host name or address listened on, as given. */
  readonly hostname: string;
  /** Undefined: this is no Unix socket. */
  readonly unix?: undefined;
}

/** A listening Unix socket. */
export interface UnixSocketListener<Data = unknown>
  extends SocketListener<Data> {
  /** The path or abstract name, as given. */
  readonly unix: string;
  /** Undefined: this is no TCP socket. */
  readonly port?: undefined;
  /** Undefined: this is no TCP socket. */
  readonly hostname?: undefined;
}
