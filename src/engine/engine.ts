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
  /** HTTPS servers can ask clients for certificates. */
  readonly httpClientCertificates: boolean;
  /** HTTP/2 can be asked for: by ALPN over TLS, else by prior knowledge. */
  readonly http2: boolean;
  /** A certificate that was not given as a list can be replaced, too. */
  readonly replaceSingleCertificate: boolean;
  /** The content of GET requests reaches the handler. */
  readonly getContent: boolean;
  /** A handler's `Connection: close` closes the connection. */
  readonly connectionClose: boolean;
  /** WebSocket messages can be compressed. */
  readonly webSocketDeflate: boolean;
  /** WebSocket pings and pongs can be sent, and are shown. */
  readonly webSocketPings: boolean;
  /** A paused WebSocket is not read from. */
  readonly webSocketPause: boolean;
  /** Every violation of RFC 6455 is found, and answered by a close frame. */
  readonly webSocketStrict: boolean;
  /** A server that stops accepts nobody while it waits for its WebSockets. */
  readonly webSocketStop: boolean;
  /** Static answers, health and metrics are served while JavaScript is busy. */
  readonly stallProof: boolean;
  /** Connections, and the bytes and count of headers, have limits to set. */
  readonly limits: boolean;
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

/** What a TLS server asks its clients for (RFC 8446, section 4.3.2). */
export interface ClientCertificatePlan {
  /** Refuse clients without a certificate that is verified. */
  readonly isRequired: boolean;
  /** PEM certificates of authorities; without any nobody is verified. */
  readonly authorities: readonly string[];
  /** PEM lists of revoked certificates. */
  readonly revocations: readonly string[];
}

/** The certificates that a peer has shown in a TLS handshake. */
export interface ShownCertificate {
  /** In DER form: the peer's own, then its issuers, as far as known. */
  readonly chain: readonly [
    Uint8Array<ArrayBuffer>,
    ...Uint8Array<ArrayBuffer>[],
  ];
  /**
   * Why they were not verified, by a code such as `CERT_HAS_EXPIRED`; undefined
   * if they were.
   */
  readonly objection: string | undefined;
}

/** The certificates of an HTTPS server. */
export interface HttpTlsPlan {
  /**
   * The first also serves clients that ask for no name or an unknown one; of
   * two with the same name the later has it.
   */
  readonly certificates: readonly [NamedCertificate, ...NamedCertificate[]];
  /** They were given as a list, which promises that they can be replaced. */
  readonly isList: boolean;
}

/** Everything an engine needs to listen for HTTP; frozen, already validated. */
export interface HttpListenPlan {
  /** Where to listen. */
  readonly address: TcpAddressPlan | UnixAddressPlan;
  /** Serve HTTPS. */
  readonly tls: HttpTlsPlan | undefined;
  /** HTTP/2 was asked for; engines may speak it without. */
  readonly http2?: boolean;
  /** Request content beyond this many bytes is refused with 413. */
  readonly maxRequestBodySize: number;
  /** Seconds without progress before a connection is cut; 0 is never. */
  readonly idleTimeout: number;
  /** Requests that wait for JavaScript; more are answered 503. */
  readonly maxPendingRequests: number;
  /** What a client may send; engines without the feature have their own. */
  readonly limits: HttpLimits;
  /** Answers whether JavaScript runs. */
  readonly health: HealthPlan | undefined;
  /** Exact path that answers metrics in Prometheus' text format. */
  readonly metricsRoute: string | undefined;
}

/** What a client may send, and how fast it must. */
export interface HttpLimits {
  /** Bytes of a request head; a larger one is refused with 431. */
  readonly headBytes: number;
  /** Header fields; more are refused with 431. */
  readonly headerCount: number;
  /** Bytes of a request target; a longer one is refused with 414. */
  readonly targetBytes: number;
  /** Connections open at a time; more are closed when they are accepted. */
  readonly connections: number;
  /** Seconds from the first byte of a head to its last; 0 is any. */
  readonly headTimeout: number;
  /** Bytes per second that request content must make; 0 is any. */
  readonly contentRate: number;
}

/** A route that answers 200 or, while JavaScript is stalled, 503. */
export interface HealthPlan {
  /** Exact path. */
  readonly path: string;
  /** Seconds without a sign of JavaScript that count as stalled. */
  readonly stall: number;
}

/** An answer that needs no JavaScript. */
export interface StaticEntry {
  /** Exact path, as a client writes it. */
  readonly path: string;
  /** Request methods; undefined for any. */
  readonly methods: readonly string[] | undefined;
  /** Response status. */
  readonly status: number;
  /** Response headers, framing excepted. */
  readonly headers: Headers;
  /** What is sent. */
  readonly content: StaticContent | StaticFile;
}

/** Content in memory. */
export interface StaticContent {
  /** Discriminates the union. */
  readonly kind: "content";
  /** The content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Headers of the 304 for GET and HEAD requests whose `If-None-Match` matches
   * the `ETag` in `headers`; undefined if there is none.
   */
  readonly notModified: Headers | undefined;
}

/**
 * A file. Only GET and HEAD requests without content, `Range` and `If-*`, and
 * only while it is a regular file that can be opened, are answered by it, with
 * `Last-Modified` added; the handler answers the others.
 */
export interface StaticFile {
  /** Discriminates the union. */
  readonly kind: "file";
  /** Its path in the file system. */
  readonly path: string;
}

/** Counts since a server began to listen; undefined where nobody counts. */
export interface HttpMetrics {
  /** Connections open now. */
  readonly connections: number | undefined;
  /** Connections accepted. */
  readonly connectionsTotal: number | undefined;
  /** Connections closed when they were accepted, because of the limit. */
  readonly connectionsRefused: number | undefined;
  /** Requests with a complete head. */
  readonly requests: number;
  /** Those answered without JavaScript. */
  readonly requestsNative: number;
  /** Those answered 503 because too many were waiting. */
  readonly requestsShed: number;
  /** Requests whose response is not complete. */
  readonly pendingRequests: number;
  /** Requests that wait for JavaScript now. */
  readonly queuedRequests: number;
  /** Bytes read from sockets. */
  readonly bytesRead: number | undefined;
  /** Bytes written to sockets. */
  readonly bytesWritten: number | undefined;
  /** Connections cut at a deadline. */
  readonly timeouts: number | undefined;
  /** How long JavaScript left requests waiting. */
  readonly stalls: StallMetrics | undefined;
  /** Responses by status. */
  readonly statuses: Readonly<Record<number, number>>;
}

/** A histogram of the times for which JavaScript left requests waiting. */
export interface StallMetrics {
  /** Milliseconds that it has not looked for requests, now. */
  readonly now: number;
  /** Sum of all in milliseconds. */
  readonly sum: number;
  /** Upper bounds in milliseconds; the last is Infinity. */
  readonly bounds: readonly number[];
  /** How many were up to each bound and beyond the one before. */
  readonly counts: readonly number[];
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
  /**
   * What the client has shown in the TLS handshake; undefined without, and once
   * it has left. Engines that cannot ask for certificates do without.
   */
  clientCertificate?(): ShownCertificate | undefined;
  /** Replaces the idle timeout of this exchange: seconds, 0 is never. */
  setIdleTimeout(seconds: number): void;
  /**
   * Calls `listener` once if the client leaves before the response is complete;
   * never after a response that was sent whole.
   */
  onClientGone(listener: () => void): void;
  /** The `Host` field as the client sent it; null without one. */
  readonly host: string | null;
  /**
   * The path as the client wrote it, without the query; undefined if the
   * request names none of this server's, which a route answers with 400.
   */
  readonly path: string | undefined;
  /** Whether the request has content; without any, its `body` is null. */
  readonly hasContent: boolean;
  /**
   * The status that answers content which turned out, while it was read, to be
   * malformed (400) or larger than `maxRequestBodySize` (413).
   */
  readonly refusal: 400 | 413 | undefined;
  /** `answerNow` or `upgrade` has answered. */
  readonly answered: boolean;
  /** Answers now: what the handler answers later is dropped. */
  answerNow(answer: Response): void;
  /**
   * Answers now by making the connection a WebSocket. The request's URL, method
   * and headers stay readable.
   *
   * @param headers Sent besides those of the handshake; already validated.
   * @param events Told what happens to the socket, from the next turn of the
   * event loop on.
   * @returns undefined if this exchange cannot be upgraded (any more).
   */
  upgrade(
    plan: WebSocketPlan,
    headers: Headers,
    events: WebSocketEvents,
  ): EngineWebSocket | undefined;
  /**
   * Answers now with 200 and an event stream that the engine keeps alive.
   * Engines for which that is not cheaper than a {@linkcode StreamAnswer} do
   * without.
   *
   * @param headers Of the answer, framing excepted; already validated.
   * @param first Sent at once.
   * @param events Told what happens to the stream, from the next turn of the
   * event loop on.
   * @returns undefined if this exchange cannot become one (any more).
   */
  openEventStream?(
    plan: EventStreamPlan,
    headers: Headers,
    first: string,
    events: EventStreamEvents,
  ): EngineEventStream | undefined;
}

// Event streams: the facade decides what their parts are, an engine adds them.

/** What an engine needs to know about an event stream; already validated. */
export interface EventStreamPlan {
  /** Seconds of silence until a comment is sent; 0 is never. */
  readonly heartbeat: number;
  /** Whoever has more bytes waiting than this when a part is added is cut. */
  readonly backpressureLimit: number;
}

/** What happens to event streams; it never throws. */
export interface EventStreamEvents {
  /** The client has left or was cut, and not by `end`. Comes once. */
  left(stream: EngineEventStream): void;
}

/** An event stream inside an engine. */
export interface EngineEventStream {
  /** The facade's own; engines never look at it. */
  context: unknown;
  /**
   * Adds a part.
   *
   * @param size The number of its bytes.
   * @returns Whether it has to wait for the client.
   */
  send(text: string, size: number): boolean;
  /** Ends the answer behind everything else. No events follow. */
  end(): void;
}

// WebSockets: the facade decides what they mean and who is subscribed to what,
// an engine moves frames.

/** The memory of a compressor: none, one for all sockets, or its bytes. */
export type DeflateWindow = "disable" | "shared" | number;

/** How messages are compressed. */
export interface DeflatePlan {
  /** For messages to clients. */
  readonly compress: DeflateWindow;
  /** For messages from clients; never "disable". */
  readonly decompress: DeflateWindow;
}

/** What an engine needs to know about WebSockets; frozen, already validated. */
export interface WebSocketPlan {
  /** Longer messages, in bytes, are refused with 1009. */
  readonly maxPayloadLength: number;
  /** While more bytes than this wait, messages are dropped; 0 is never. */
  readonly backpressureLimit: number;
  /** End the connection instead of dropping a message. */
  readonly closeOnBackpressureLimit: boolean;
  /** Seconds of silence until a connection is ended; 0 is never. */
  readonly idleTimeout: number;
  /** Ping silent clients. */
  readonly sendPings: boolean;
  /** Compress; undefined is never. */
  readonly deflate: DeflatePlan | undefined;
}

/**
 * What happens to the WebSockets of a server. One object for all of them; it
 * never throws.
 */
export interface WebSocketEvents {
  /** A message arrived. Bytes are the whole of their buffer. */
  message(socket: EngineWebSocket, data: string | ArrayBuffer): void;
  /** A ping arrived, and was answered. */
  ping(socket: EngineWebSocket, data: ArrayBuffer): void;
  /** A pong arrived. */
  pong(socket: EngineWebSocket, data: ArrayBuffer): void;
  /** After backpressure: everything has been written. */
  drain(socket: EngineWebSocket): void;
  /**
   * The connection is over, and not by `close` or `terminate`. Comes once, and
   * nothing after it.
   *
   * @param code As in the client's close frame; 1005 for an empty one, 1006 if
   * the connection was lost or ended by the engine.
   */
  closed(socket: EngineWebSocket, code: number, reason: string): void;
}

/**
 * What becomes of published messages for a client that is too slow for them:
 * more than `backpressureLimit` bytes wait for it.
 */
export type PublishPolicy =
  | "drop-newest"
  | "drop-oldest"
  | "latest"
  | "disconnect";

/** How a message was published, unless that is "drop-newest". */
export interface Publication {
  /** The topic; `latest` keeps the last message of each. */
  readonly topic: string;
  /** What to do for a client that is too slow. */
  readonly policy: Exclude<PublishPolicy, "drop-newest">;
}

/**
 * A server's membership of a bus, as far as its engine connects isolates by
 * itself. Servers of this isolate are not concerned.
 */
export interface EngineBus {
  /** A socket is subscribed, until it is over. */
  subscribe(socket: EngineWebSocket, topic: string): void;
  /** It is not any more. */
  unsubscribe(socket: EngineWebSocket, topic: string): void;
  /**
   * Sends to the subscribers in other isolates whose servers are of this engine
   * and name the same bus.
   *
   * @returns Above 0 if there are any, 0 if not, -1 if it was dropped for some,
   * since too much waits to be sent.
   */
  publish(
    topic: string,
    data: string | Uint8Array<ArrayBuffer>,
    compress: boolean,
    policy: PublishPolicy,
  ): number;
  /** How many sockets such a message would be sent to. */
  subscriberCount(topic: string): number;
  /** Ends the membership. */
  leave(): void;
}

/** A WebSocket inside an engine. */
export interface EngineWebSocket {
  /** The facade's own; engines never look at it. */
  context: unknown;
  /** Bytes that were sent and are not written yet. */
  readonly bufferedAmount: number;
  /**
   * Sends a message; the bytes may change when this returns.
   *
   * @param size The number of its bytes, where the caller knows it.
   * @param publication How it was published; undefined for all that is just
   * dropped if the client is too slow.
   * @returns The number of its bytes; -1 if they wait for the client, in which
   * case `drain` follows; 0 if it was dropped.
   */
  send(
    data: string | Uint8Array<ArrayBuffer>,
    compress: boolean,
    size?: number,
    publication?: Publication,
  ): number;
  /** Sends a ping of at most 125 bytes; returns as `send`. */
  ping(data: Uint8Array<ArrayBuffer>): number;
  /** Sends a pong of at most 125 bytes; returns as `send`. */
  pong(data: Uint8Array<ArrayBuffer>): number;
  /**
   * Sends a close frame behind everything else, and ends the connection soon,
   * whether or not the client answers. No events follow.
   *
   * @param code undefined for an empty frame.
   */
  close(code: number | undefined, reason: string): void;
  /** Ends the connection when everything is written. No events follow. */
  terminate(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads again. */
  resume(): void;
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
   * Stops accepting. Resolves when the last connection is done, WebSockets
   * included; `force` cuts connections instead of waiting. May be called again
   * to force.
   */
  stop(force: boolean): Promise<void>;
  /** Closes keep-alive connections without a request; returns how many. */
  closeIdleConnections(): number;
  /**
   * Uses other certificates for connections from now on; those that are open
   * stay as they are. With the certificates it has, it does nothing.
   *
   * @throws {Error} If this listener cannot; nothing changes then.
   */
  replaceTls(tls: HttpTlsPlan): void;
  /**
   * Replaces the answers that need no JavaScript. The handler answers these
   * paths as well: engines may leave them all, or some requests, to it.
   */
  setStatic(entries: readonly StaticEntry[]): void;
  /** What was counted until now. */
  metrics(): HttpMetrics;
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
   * Why this engine cannot serve by a plan, as a reason to put after "Cannot
   * use engine …:"; undefined if it can.
   */
  unable(plan: HttpListenPlan): string | undefined;
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
  /**
   * Adds one part to many open event streams of this engine, as `send` would to
   * each of them. Engines that open event streams have it.
   *
   * @param streams None of them twice; not changed afterwards.
   * @param size The number of bytes of `text`.
   * @returns Whether any has to wait for its client.
   */
  sendEvent?(
    streams: readonly EngineEventStream[],
    text: string,
    size: number,
  ): boolean;
  /**
   * Sends one message to many open sockets of this engine, as `send` would to
   * each of them. Engines for which that is not cheaper do without.
   *
   * @param sockets None of them twice; not changed afterwards.
   * @param size The number of bytes of `data`.
   * @param publication As for `send`.
   * @returns 0 if any was not sent it, else -1 if any has to wait for its
   * client, else `size`.
   */
  broadcast?(
    sockets: readonly EngineWebSocket[],
    data: string | Uint8Array<ArrayBuffer>,
    compress: boolean,
    size: number,
    publication?: Publication,
  ): number;
  /**
   * Makes a server a member of a bus, while it listens. Engines that cannot
   * reach other isolates by themselves do without.
   */
  joinBus?(name: string): EngineBus;
}

// ---------------------------------------------------------------------------
// TCP: listen and connect
// ---------------------------------------------------------------------------

/** What an engine can do with TCP; a `false` is a row of README's table. */
export interface TcpFeatures {
  /** `terminate` resets the connection; if not, the peer may see its end. */
  readonly reset: boolean;
  /** The delay of keep-alive probes can be set. */
  readonly keepAliveDelay: boolean;
  /** Servers can ask clients for certificates. */
  readonly clientCertificates: boolean;
  /** Servers can look for revoked certificates of clients. */
  readonly revocationLists: boolean;
  /** Servers know which name a TLS client asked for. */
  readonly requestedServerName: boolean;
  /** Socket options of accepted TLS connections can be set. */
  readonly tlsSocketOptions: boolean;
}

/** A certificate of a TLS server and the name that selects it. */
export interface NamedCertificate extends TlsPlan {
  /** Host name, also `*.example.com`; only the first may do without. */
  readonly serverName: string | undefined;
  /** What clients are asked for; undefined if for nothing. */
  readonly clients?: ClientCertificatePlan | undefined;
}

/** How a server speaks TLS. */
export interface TlsServerPlan {
  /**
   * The certificates were given as a list: what an engine can do with several
   * is worth more than speed.
   */
  readonly isList?: boolean;
  /** The first also serves clients that ask for no name or an unknown one. */
  readonly certificates: readonly [NamedCertificate, ...NamedCertificate[]];
  /** Application protocols (ALPN), the preferred first; empty for none. */
  readonly alpnProtocols: readonly string[];
}

/** How a client speaks TLS. */
export interface TlsClientPlan {
  /**
   * Name to ask for and to find in the certificate; an IP address is only
   * looked for there (RFC 6066 section 3).
   */
  readonly serverName: string;
  /** PEM certificates to trust instead of the platform's. */
  readonly authorities: readonly string[] | undefined;
  /** The client's own certificate. */
  readonly certificate: TlsPlan | undefined;
  /** Refuse servers whose certificate cannot be verified. */
  readonly rejectUnauthorized: boolean;
  /** Application protocols (ALPN), the preferred first; empty for none. */
  readonly alpnProtocols: readonly string[];
}

/** Everything an engine needs to listen for TCP; frozen, already validated. */
export interface TcpListenPlan {
  /** Where to listen. */
  readonly address: TcpAddressPlan | UnixAddressPlan;
  /** Speak TLS on every connection. */
  readonly tls: TlsServerPlan | undefined;
}

/** Everything an engine needs to connect; frozen, already validated. */
export interface TcpConnectPlan {
  /** Where to connect to. */
  readonly address:
    | UnixAddressPlan
    | Pick<TcpAddressPlan, "transport" | "hostname" | "port">;
  /** Speak TLS. */
  readonly tls: TlsClientPlan | undefined;
}

/** How a TLS handshake ended. */
export interface TlsHandshake {
  /** Why it failed; then {@linkcode TcpEvents.close} follows. */
  readonly error: Error | undefined;
  /** The protocol that was agreed on (ALPN). */
  readonly alpnProtocol: string | undefined;
  /** The name that the client asked for, as far as the engine knows. */
  readonly serverName: string | undefined;
  /** Whether the peer showed a certificate that was verified. */
  readonly authorized: boolean;
  /** Why the peer's certificate was not verified, if it was looked at. */
  readonly authorizationError: Error | undefined;
  /** What the peer has shown, if anything. */
  readonly certificate?: ShownCertificate | undefined;
}

/**
 * What happens on a connection. An engine calls these in order, one at a time,
 * and never from inside a command of {@linkcode TcpConnection}. They never
 * throw.
 */
export interface TcpEvents {
  /** The TLS handshake ended. Once, before `data`; only with TLS. */
  handshake(result: TlsHandshake): void;
  /**
   * Bytes arrived.
   *
   * @param isOwn They are a whole buffer that nobody else uses. Otherwise they
   * may change as soon as this returns.
   */
  data(bytes: Uint8Array<ArrayBuffer>, isOwn?: boolean): void;
  /** The peer will send nothing more. Once. */
  end(): void;
  /** `write` takes bytes again, after it has refused some. */
  drain(): void;
  /**
   * The connection is gone and its resources are freed. Once, and last; never
   * after `close()` or `terminate()`.
   *
   * @param error Why, unless both sides had ended; with `code` such as
   * `ECONNRESET`.
   */
  close(error: Error | undefined): void;
}

/** One connection inside an engine. Commands never throw, but `startTls` may. */
export interface TcpConnection {
  /** This side's address; undefined over Unix sockets. */
  readonly localAddress: PeerAddress | undefined;
  /** The peer's address; undefined over Unix sockets. */
  readonly remoteAddress: PeerAddress | undefined;
  /** Begins to read, and to call `events`. A later call replaces them. */
  start(events: TcpEvents): void;
  /**
   * Queues bytes, up to a bound; they may change when this returns.
   *
   * @returns How many bytes were taken. Each of them is delivered as long as
   * the peer makes progress; after fewer than given, `drain` follows.
   */
  write(bytes: Uint8Array): number;
  /** Sends what is queued now instead of at the end of this turn. */
  flush(): void;
  /** Sends everything taken, then the end of the stream. */
  shutdown(): void;
  /** Reads nothing more; what still arrives is thrown away. */
  shutdownRead(): void;
  /**
   * Ends both directions. Everything taken is still delivered, in the
   * background, as long as the peer makes progress.
   *
   * @param last Bytes to send first; taken whole, whatever the bound. They may
   * change when this returns.
   */
  close(last?: Uint8Array): void;
  /** Cuts the connection at once; what was not sent is lost. */
  terminate(): void;
  /** Stops reading, so that the peer runs into backpressure. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Keeps the process alive while open (the default). */
  ref(): void;
  /** Lets the process end while open. */
  unref(): void;
  /** Sets `TCP_NODELAY`; whether that worked. */
  setNoDelay(noDelay: boolean): boolean;
  /** Sets `SO_KEEPALIVE` and the delay in milliseconds; whether that worked. */
  setKeepAlive(enable: boolean, initialDelay: number): boolean;
  /**
   * Becomes a TLS client. This connection is used up: its events go silent,
   * and the one returned takes over, which may be the same object.
   *
   * @throws {Error} If a certificate in the plan cannot be used; the connection
   * is cut then.
   */
  startTls(plan: TlsClientPlan): TcpConnection;
}

/** A listening TCP or Unix socket inside an engine. */
export interface TcpListener {
  /** The bound address, with the real port. */
  readonly address: TcpAddressPlan | UnixAddressPlan;
  /** Stops accepting; connections stay. Safe to call twice. */
  close(): void;
  /** Keeps the process alive while listening (the default). */
  ref(): void;
  /** Lets the process end while listening. */
  unref(): void;
}

/** What the TCP facade needs from an engine. */
export interface TcpEngine {
  /** Which engine this is. */
  readonly name: EngineName;
  /** What it can do with TCP. */
  readonly tcpFeatures: TcpFeatures;
  /**
   * Listens at once and synchronously.
   *
   * @param accept Is given every connection when it is accepted, before a TLS
   * handshake, and must start it. It never throws.
   * @throws {Error} with `code` such as `EADDRINUSE` and `syscall` "listen".
   */
  listenTcp(
    plan: TcpListenPlan,
    accept: (connection: TcpConnection) => void,
  ): TcpListener;
  /**
   * Connects; resolves before a TLS handshake.
   *
   * @throws {Error} with `code` such as `ECONNREFUSED` and `syscall`.
   */
  connectTcp(plan: TcpConnectPlan): Promise<TcpConnection>;
}
