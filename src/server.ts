import type { Serve, SocketAddress } from "./serve_types.ts";

/**
 * A running HTTP server, as {@linkcode serve} returns it. Handlers receive it
 * as `this` and as their second argument.
 */
export interface Server extends Disposable, AsyncDisposable {
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
   * Answers a request with the `fetch` handler, without routes and without the
   * network.
   *
   * @param request A request, or a URL relative to the server's.
   * @throws {TypeError} If the server has no `fetch` handler.
   */
  fetch(request: Request | string): Promise<Response>;

  /**
   * The address of the client that sent a request.
   *
   * @returns null for Unix sockets, and once the request was answered.
   */
  requestIP(request: Request): SocketAddress | null;

  /**
   * Replaces the idle timeout of one request.
   *
   * @param seconds Seconds without progress; 0 is never.
   * @throws {TypeError} If `seconds` is not a number of 0 or more.
   */
  timeout(request: Request, seconds: number): void;

  /**
   * Replaces routes, `fetch` and `error`; what is left out stays. Requests in
   * flight finish with the handlers they began with. Other options are ignored.
   *
   * @throws {TypeError} If a handler or route is invalid; nothing changes then.
   */
  reload<Path extends string>(options: Serve.Handlers<Path>): Server;

  /** Keeps the process alive while the server listens (the default). */
  ref(): void;

  /** Lets the process end although the server listens. */
  unref(): void;

  /**
   * Stops accepting connections.
   *
   * @param closeActiveConnections Cut requests in flight instead of waiting.
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
