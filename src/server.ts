import type { HttpMetrics } from "./engine/engine.ts";
import type { Serve, SocketAddress } from "./serve_types.ts";
import type { PeerCertificate } from "./tls/peer_certificate.ts";
import type {
  ServerWebSocketSendStatus,
  WebSocketBytes,
  WebSocketPublishOptions,
} from "./websocket/types.ts";

/**
 * A running HTTP server, as {@linkcode serve} returns it. Handlers receive it
 * as `this` and as their second argument.
 *
 * @typeParam WebSocketData The type of `socket.data`.
 */
export interface Server<WebSocketData = undefined>
  extends Disposable, AsyncDisposable {
  /** Port listened on; undefined on a Unix socket. */
  readonly port: number | undefined;
  /** Host name as given; undefined on a Unix socket. */
  readonly hostname: string | undefined;
  /** Bound address; on a Unix socket its path. */
  readonly address: SocketAddress | string;
  /** Where clients find the server; `href` ends with a slash. */
  readonly url: URL;
  /** `http`, or `https` if `tls` was given. */
  readonly protocol: "http" | "https";
  /** The `id` option, or an empty string. */
  readonly id: string;
  /** Whether errors are shown to clients. */
  readonly development: boolean;
  /** Which engine serves. */
  readonly engine: "deno" | "native";
  /** Requests whose response is not complete. */
  readonly pendingRequests: number;
  /** Open WebSockets. */
  readonly pendingWebSockets: number;

  /**
   * What the server counted since it began to listen. What an engine cannot
   * count is undefined: the deno engine sees neither connections nor bytes.
   *
   * @example
   * ```ts
   * import { serve } from "@jstime/serve";
   *
   * await using server = serve({ port: 0, fetch: () => new Response("Hello") });
   * await (await fetch(server.url)).text();
   * const { requests, statuses } = server.metrics();
   * console.log(requests, statuses[200]); // 1 1
   * ```
   */
  metrics(): HttpMetrics;

  /**
   * Answers a request with the `fetch` handler, without routes and without the
   * network.
   *
   * @param request A request, or a URL relative to the server's.
   * @throws {TypeError} If the server has no `fetch` handler.
   */
  fetch(request: Request | string | URL): Promise<Response>;

  /**
   * The address of the client that sent a request.
   *
   * @returns null for Unix sockets, and once the request was answered.
   */
  requestIP(request: Request): SocketAddress | null;

  /**
   * The certificate of the client that sent a request, if `tls.requestCert`
   * asked for one. An addition to what Bun has.
   *
   * With `rejectUnauthorized: false` anybody may have made it: look at
   * `authorized` before believing what it says. WebSockets have that of their
   * opening handshake: ask for it before `upgrade`.
   *
   * @returns null if the client has shown none, and once the request was
   * answered or the client has left.
   *
   * @example
   * ```ts ignore
   * import { file, serve } from "@jstime/serve";
   *
   * serve({
   *   tls: {
   *     cert: file("cert.pem"),
   *     key: file("key.pem"),
   *     requestCert: true,
   *     ca: file("clients.pem"),
   *   },
   *   fetch: (request, server) => {
   *     const certificate = server.getPeerCertificate(request);
   *     return new Response(`Hello ${certificate?.subject.CN}`);
   *   },
   * });
   * ```
   */
  getPeerCertificate(request: Request): PeerCertificate | null;

  /**
   * Replaces the idle timeout of one request.
   *
   * @param seconds Seconds without progress; 0 is never.
   * @throws {TypeError} If `seconds` is not a number of 0 or more.
   */
  timeout(request: Request, seconds: number): void;

  /**
   * Makes a WebSocket of a request. The `open` handler runs before this
   * returns; what the request's handler answers afterwards is ignored. Requests
   * for another version of the protocol are answered with 426.
   *
   * Browsers send cookies along from any site: check the `Origin` header of
   * clients that cookies identify.
   *
   * @param options Headers for the answer, such as cookies, and what becomes
   * `socket.data`. The first subprotocol that the client offers is accepted,
   * unless there is a `Sec-WebSocket-Protocol` header.
   * @returns Whether it was possible: false if the request is no opening
   * handshake, came to another server, was answered already, or the server
   * stops.
   * @throws {TypeError} If the server has no `websocket` option, or something
   * has the wrong type.
   */
  upgrade(
    request: Request,
    ...options: [WebSocketData] extends [undefined] ? [
        options?: {
          /** Sent with the answer. */
          readonly headers?: HeadersInit | undefined;
          /** Its type comes from `websocket: { data: {} as Data }`. */
          readonly data?: undefined;
        },
      ]
      : [
        options: {
          /** Sent with the answer. */
          readonly headers?: HeadersInit | undefined;
          /** Becomes `socket.data`. */
          readonly data: WebSocketData;
        },
      ]
  ): boolean;

  /**
   * Sends a message to all WebSockets that are subscribed to a topic, and to
   * all clients of its event streams, which {@linkcode sse} makes; with the
   * option `bus`, to those of all servers on it.
   *
   * @param options Whether to compress it for clients that can (the default),
   * and what to do for subscribers that are too slow.
   * @returns Bytes of the message; -1 if they wait for a slow subscriber; 0 if
   * any subscriber's was dropped, or there is none. Of a bus it says what became
   * of the message in this isolate. Without subscribers here, the native engine
   * knows whether its servers in others have some; those of the deno engine are
   * told in any case, and it is 0.
   * @throws {TypeError} If the topic is not a string or is empty, `data` is null
   * or undefined, or there is no such policy.
   */
  publish(
    topic: string,
    data: string | WebSocketBytes,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus;

  /**
   * How many WebSockets are subscribed to a topic, and clients of its event
   * streams. With the option `bus`, those of all servers of this isolate on it,
   * and on the native engine also the WebSockets of native servers in other
   * isolates.
   *
   * @throws {TypeError} If the topic is not a string or is empty.
   */
  subscriberCount(topic: string): number;

  /**
   * Replaces routes, `fetch`, `error` and `websocket`; what is left out stays.
   * Requests in flight finish with the handlers they began with; WebSockets go
   * on with the new ones. Certificates in `tls` are for new connections.
   * Other options are ignored.
   *
   * @throws {TypeError} If a handler, route or certificate is invalid; nothing
   * changes then.
   * @throws {Error} If certificates cannot be replaced: on the deno engine that
   * takes a server that started with a list of them. Or if the engine, chosen
   * for a server without `websocket`, cannot serve that. Nothing changes then.
   */
  reload<Path extends string>(
    options: Serve.Handlers<WebSocketData, Path>,
  ): Server<WebSocketData>;

  /** Keeps the process alive while the server listens (the default). */
  ref(): void;

  /** Lets the process end although the server listens. */
  unref(): void;

  /**
   * Stops accepting connections. While the deno engine waits for WebSockets it
   * still accepts, and answers 503.
   *
   * @param closeActiveConnections Cut requests in flight, and close WebSockets
   * with 1001, instead of waiting.
   * @returns Settles when the last connection is done.
   */
  stop(closeActiveConnections?: boolean): Promise<void>;

  /**
   * Closes keep-alive connections without a request in flight. The deno engine
   * cannot see them and returns 0.
   *
   * @returns How many were closed.
   */
  closeIdleConnections(): number;
}
