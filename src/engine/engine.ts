/**
 * The contract between the facade and its engines, in one file.
 *
 * The facade decides *what* is answered: options, routes, conditionals, ranges,
 * cookies, errors. An engine decides *how* bytes move: sockets, deadlines, body
 * limits, files. Every engine passes the same conformance suite.
 *
 * @module
 */

/** The name of an engine. */
export type EngineName = "deno" | "native";

/** What an engine can do; a `false` is a row of README's compatibility table. */
export interface EngineFeatures {
  /** Idle keep-alive connections can be found and closed. */
  readonly closeIdleConnections: boolean;
  /** A connection without a complete request head is cut at a deadline. */
  readonly headDeadline: boolean;
  /** A pending request can be cut without sending a response head. */
  readonly silentAbort: boolean;
  /** `SO_REUSEPORT` can be set. */
  readonly reusePort: boolean;
  /** `IPV6_V6ONLY` can be set. */
  readonly ipv6Only: boolean;
  /** Over TLS, clients that offer `h2` get HTTP/2. */
  readonly http2: boolean;
  /** The content of GET requests reaches the handler. */
  readonly getContent: boolean;
  /** A handler's `Connection: close` closes the connection. */
  readonly connectionClose: boolean;
}

/** Where to listen for TCP connections. */
export interface TcpAddressPlan {
  /** Discriminates the union. */
  readonly transport: "tcp";
  /** Host name or IP literal, without brackets. */
  readonly hostname: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Share the port with other processes. */
  readonly reusePort: boolean;
  /** Do not accept IPv4 on an IPv6 wildcard address. */
  readonly ipv6Only: boolean;
}

/** Where to listen for Unix-domain connections. */
export interface UnixAddressPlan {
  /** Discriminates the union. */
  readonly transport: "unix";
  /** A file-system path, or an abstract name that begins with a NUL. */
  readonly path: string;
}

/** One certificate chain and its private key, ready for an engine. */
export interface TlsPlan {
  /** Certificate chain, PEM. */
  readonly cert: string;
  /** Unencrypted private key, PEM. */
  readonly key: string;
}

/** Everything an engine needs to listen for HTTP; frozen, already validated. */
export interface HttpListenPlan {
  /** Where to listen. */
  readonly address: TcpAddressPlan | UnixAddressPlan;
  /** Serve HTTPS with this certificate. */
  readonly tls: TlsPlan | undefined;
  /** Request content beyond this many bytes is refused with 413. */
  readonly maxRequestBodySize: number;
  /** Seconds without progress before a connection is cut; 0 is never. */
  readonly idleTimeout: number;
}

/** The address of a peer. */
export interface PeerAddress {
  /** IP address in text form. */
  readonly address: string;
  /** TCP port. */
  readonly port: number;
  /** Address family. */
  readonly family: "IPv4" | "IPv6";
}

/**
 * One request on its way through an engine. It outlives the handler: a
 * streamed response belongs to it until its last byte is sent.
 */
export interface Exchange {
  /**
   * The request for user code: the engine's own, or a copy of it whose content
   * is held to `maxRequestBodySize` while it is read.
   */
  readonly request: Request;
  /** The client's address; null over Unix sockets and once the exchange ended. */
  remoteAddress(): PeerAddress | null;
  /** Replaces the idle timeout of this exchange: seconds, 0 is never. */
  setIdleTimeout(seconds: number): void;
  /**
   * Calls `listener` once if the client leaves before the response is complete;
   * never after a response that was sent whole.
   */
  onClientGone(listener: () => void): void;
  /** Whether the request has content; without any, its `body` is null. */
  readonly hasContent: boolean;
  /**
   * The status that answers content which turned out, while it was read, to be
   * malformed (400) or larger than `maxRequestBodySize` (413).
   */
  readonly refusal: 400 | 413 | undefined;
}

/** An open regular file or directory. Whoever holds it last closes it. */
export interface OpenFile {
  /** Facts of the open descriptor, so they cannot change under a request. */
  readonly info: OpenFileInfo;
  /** Reads at most `buffer.length` bytes at `position`; 0 at the end. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** As `read`, but blocks: for files small enough to read in one go. */
  readSync(buffer: Uint8Array, position: number): number;
  /** Whether size or modification time differ from `info` by now. */
  hasChanged(): boolean;
  /** Closes the descriptor; safe to call twice. */
  close(): void;
}

/** What is known about an open file. */
export interface OpenFileInfo {
  /** Length in bytes. */
  readonly size: number;
  /** Last modification, milliseconds since the epoch. */
  readonly modified: number;
  /** Whether this is a regular file; if not, it is a directory. */
  readonly isFile: boolean;
  /** Number of the device that holds it; undefined where there is none. */
  readonly device?: number;
  /** Number of it on that device; with `device` it tells files apart. */
  readonly inode?: number;
}

/** A file to send. The engine reads it and closes it, whatever happens. */
export interface FileAnswer {
  /** Discriminates the union. */
  readonly kind: "file";
  /** Response status. */
  readonly status: number;
  /** Response headers, framing excepted. */
  readonly headers: Headers;
  /** The open file. */
  readonly file: OpenFile;
  /** First byte to send. */
  readonly start: number;
  /** One past the last byte to send; content length is `end - start`. */
  readonly end: number;
  /** Send the head only (HEAD requests). */
  readonly headOnly: boolean;
}

/** Content that is produced while it is sent. */
export interface StreamAnswer {
  /** Discriminates the union. */
  readonly kind: "stream";
  /** Response status. */
  readonly status: number;
  /** Response headers, framing excepted. */
  readonly headers: Headers;
  /** The content. */
  readonly source: ByteSource;
}

/** Bytes on demand: the engine asks for the next chunk when it can send it. */
export interface ByteSource {
  /** The next chunk; undefined at the end; rejects when the producer failed. */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Tells the producer that nobody wants the rest. Never throws. */
  cancel(reason: unknown): void;
}

/**
 * What the facade answers. A `Response` is one whose content is in memory or
 * absent; anything else arrives in one of the other shapes.
 */
export type Answer = Response | FileAnswer | StreamAnswer;

/**
 * Answers one request; it never throws and never rejects. The `url` of
 * `request` has the request target as the client wrote it; `exchange.request`
 * is the one to hand to user code.
 */
export type HttpHandler = (
  request: Request,
  exchange: Exchange,
) => Answer | Promise<Answer>;

/** A listening HTTP server inside an engine. */
export interface HttpListener {
  /** The bound address, with the real port. */
  readonly address: TcpAddressPlan | UnixAddressPlan;
  /** Requests whose response is not complete. */
  readonly pendingRequests: number;
  /**
   * Stops accepting. Resolves when the last connection is done; `force` cuts
   * connections instead of waiting. May be called again to force.
   */
  stop(force: boolean): Promise<void>;
  /** Closes keep-alive connections without a request; returns how many. */
  closeIdleConnections(): number;
  /** Keeps the process alive while listening (the default). */
  ref(): void;
  /** Lets the process end while listening. */
  unref(): void;
}

/** Everything the facade needs from an engine. */
export interface Engine {
  /** Which engine this is. */
  readonly name: EngineName;
  /** What it can do. */
  readonly features: EngineFeatures;
  /**
   * Listens at once and synchronously.
   *
   * @throws {Error} with `code` such as `EADDRINUSE` and `syscall` "listen".
   */
  listenHttp(plan: HttpListenPlan, handler: HttpHandler): HttpListener;
  /**
   * Opens a regular file or directory for reading, without following it into
   * devices or pipes.
   *
   * @throws {Error} with `code` such as `ENOENT` or `EACCES`.
   */
  openFile(path: string): OpenFile;
}
