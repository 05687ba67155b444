import type { CookieMap } from "./http/cookies/cookie_map.ts";
import type { JSTimeFile } from "./file/jstime_file.ts";
import type { TLSOptions } from "./options/tls_options.ts";
import type { Server } from "./server.ts";
import type { EventStream } from "./sse/event_stream.ts";
import type { WebSocketHandler } from "./websocket/types.ts";

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * The request that a route handler receives: a real `Request` with `params`
 * and `cookies`.
 *
 * @typeParam Path The route's pattern; `params` is typed from its literal.
 *
 * @example
 * ```ts
 * import type { JSTimeRequest } from "@jstime/serve";
 *
 * function show(request: JSTimeRequest<"/users/:id">): Response {
 *   return new Response(`User ${request.params.id}`);
 * }
 * ```
 */
export interface JSTimeRequest<Path extends string = string> extends Request {
  /**
   * Values of the `:name` segments, percent-decoded; bytes that are not UTF-8
   * become U+FFFD. Read-only.
   */
  readonly params: Readonly<
    {
      [Name in keyof Serve.RouteParams<Path>]: Serve.RouteParams<Path>[Name];
    }
  >;
  /**
   * The request's cookies. Changes are sent with the response, whatever the
   * handler answers.
   */
  readonly cookies: CookieMap;
  /** A copy that keeps `params` and the cookies that arrived. */
  clone(): JSTimeRequest<Path>;
}

/**
 * A function that answers requests. `this` is the server; returning nothing
 * answers 204.
 *
 * @typeParam Path The route's pattern.
 * @typeParam WebSocketData The type of `socket.data` after `server.upgrade`.
 */
export type RouteHandler<
  Path extends string = string,
  WebSocketData = undefined,
> = (
  this: Server<WebSocketData>,
  request: JSTimeRequest<Path>,
  server: Server<WebSocketData>,
) => MaybePromise<Response | EventStream | void>;

/** The address of a peer. */
export interface SocketAddress {
  /** IP address in text form. */
  readonly address: string;
  /** TCP port. */
  readonly port: number;
  /** Address family. */
  readonly family: "IPv4" | "IPv6";
}

/** The types of {@linkcode serve}'s options. */
// deno-lint-ignore no-namespace -- types only; programs written for Bun name them so
export namespace Serve {
  /** Methods that a method table may name; others reach functions and `fetch`. */
  export type HTTPMethod =
    | "GET"
    | "HEAD"
    | "OPTIONS"
    | "POST"
    | "PUT"
    | "PATCH"
    | "DELETE";

  /** The names and types of a pattern's `:name` segments. */
  export type RouteParams<Path extends string> = string extends Path
    ? Record<string, string>
    : Path extends `${string}/:${infer Name}/${infer Rest}`
      ? { [Key in Name]: string } & RouteParams<`/${Rest}`>
    : Path extends `${string}/:${infer Name}` ? { [Key in Name]: string }
    // deno-lint-ignore ban-types -- the type of an object without parameters
    : {};

  /** Serves the files below a directory; the route must end in `/*`. */
  export interface DirectoryRoute {
    /** The directory, absolute or relative to the working directory. */
    readonly dir: string;
    /** Accepted for compatibility; file facts are always read anew. */
    readonly statCache?: boolean;
  }

  /** Handlers or fixed responses by method. HEAD falls back to GET. */
  export type MethodTable<
    Path extends string = string,
    WebSocketData = undefined,
  > = {
    readonly [Method in HTTPMethod]?:
      | RouteHandler<Path, WebSocketData>
      | Response
      | EventStream;
  };

  /** What a route may be; `false` leaves the path to `fetch`. */
  export type RouteValue<
    Path extends string = string,
    WebSocketData = undefined,
  > =
    | Response
    | RouteHandler<Path, WebSocketData>
    | MethodTable<Path, WebSocketData>
    | JSTimeFile
    | DirectoryRoute
    | EventStream
    | false;

  /** Routes by pattern: exact, `:name` segments, or a trailing `*`. */
  export type Routes<WebSocketData = undefined, Path extends string = string> =
    {
      readonly [Pattern in Path]: RouteValue<Pattern, WebSocketData>;
    };

  /** Answers what no route matched. */
  export type FetchHandler<WebSocketData = undefined> = (
    this: Server<WebSocketData>,
    request: Request,
    server: Server<WebSocketData>,
  ) => MaybePromise<Response | EventStream | void>;

  /**
   * Answers for a handler that failed. Returning nothing leaves the answer to
   * the server: an error page in development, a bare 500 in production.
   */
  export type ErrorHandler<WebSocketData = undefined> = (
    this: Server<WebSocketData>,
    error: Error & { code?: string },
  ) => MaybePromise<Response | void>;

  /** Development mode; the object form is accepted for compatibility. */
  export type Development = boolean | {
    /** Accepted and ignored: there is no bundler here. */
    readonly hmr?: boolean;
    /** Accepted and ignored. */
    readonly console?: boolean;
  };

  /** What a client may send, and how fast it must. */
  export interface Limits {
    /**
     * Bytes of a request head, 1024 to 262144; a larger one is refused with
     * 431.
     *
     * @default {65536}
     */
    readonly headBytes?: number;
    /**
     * Header fields of a request, 1 to 1024; more are refused with 431.
     *
     * @default {128}
     */
    readonly headerCount?: number;
    /**
     * Bytes of a request target, 1 to 65535; a longer one is refused with 414.
     *
     * @default {16384}
     */
    readonly targetBytes?: number;
    /**
     * Connections open at a time, 1 to 262144; more are closed when they are
     * accepted.
     *
     * @default {65536}
     */
    readonly connections?: number;
    /**
     * Seconds from the first byte of a request head to its last; 0 is any.
     *
     * @default {30}
     */
    readonly headTimeout?: number;
    /**
     * Bytes per second that request content must make on average; 0 is any.
     *
     * @default {500}
     */
    readonly contentRate?: number;
  }

  /** A health route, and when JavaScript counts as stalled. */
  export interface HealthRoute {
    /** Exact path. */
    readonly path: string;
    /**
     * Seconds without a sign of JavaScript from which the route answers 503.
     *
     * @default {5}
     */
    readonly stall?: number;
  }

  /** What `reload` can replace. */
  export interface Handlers<
    WebSocketData = undefined,
    Path extends string = string,
  > {
    /** Routes by pattern. */
    readonly routes?: Routes<WebSocketData, Path>;
    /** Older name of `routes`. */
    readonly static?: Routes<WebSocketData, Path>;
    /** Answers what no route matched; without it that is 404. */
    readonly fetch?: FetchHandler<WebSocketData>;
    /** Answers for handlers that failed. */
    readonly error?: ErrorHandler<WebSocketData>;
    /** Handlers of WebSockets, which `server.upgrade` makes of requests. */
    readonly websocket?: WebSocketHandler<WebSocketData>;
    /**
     * Serve HTTPS. In a list, clients choose by `serverName`. `reload` uses
     * these for new connections; on the deno engine it can only if the server
     * started with a list, and throws if not.
     */
    readonly tls?: TLSOptions | readonly TLSOptions[];
  }

  /** Options of {@linkcode serve}. `routes` or `fetch` is required. */
  export interface Options<
    WebSocketData = undefined,
    Path extends string = string,
  > extends Handlers<WebSocketData, Path> {
    /**
     * Port to listen on; 0 picks a free one.
     *
     * @default {$JSTIME_PORT, $BUN_PORT, $PORT, $NODE_PORT, else 3000}
     */
    readonly port?: number | string;
    /**
     * Host name or IP address to listen on.
     *
     * @default {"0.0.0.0"}
     */
    readonly hostname?: string;
    /**
     * Unix-domain socket to listen on instead: a path, or on Linux an abstract
     * name that begins with a NUL.
     */
    readonly unix?: string;
    /**
     * Share the port with other processes. The deno engine needs
     * `--unstable-net` for it and otherwise warns and listens without.
     *
     * @default {false}
     */
    readonly reusePort?: boolean;
    /**
     * Refuse IPv4 on an IPv6 wildcard address. The deno engine cannot and
     * warns.
     *
     * @default {false}
     */
    readonly ipv6Only?: boolean;
    /**
     * Show errors to the client: on by default unless `NODE_ENV` is
     * `production`.
     */
    readonly development?: Development;
    /**
     * Content beyond this many bytes is refused with 413.
     *
     * @default {134217728}
     */
    readonly maxRequestBodySize?: number;
    /**
     * Seconds without progress before a request is cut, 0 to 255; 0 is never.
     *
     * @default {10}
     */
    readonly idleTimeout?: number;
    /**
     * Requests that may wait for JavaScript; more are answered 503 with
     * `Retry-After`, so that those who wait are answered in time. The native
     * engine counts requests that JavaScript has not looked at yet; the deno
     * engine, which cannot see them, those whose handler has not answered.
     *
     * @default {10000}
     */
    readonly maxPendingRequests?: number;
    /**
     * What a client may send. The deno engine has limits of its own and warns
     * about others.
     */
    readonly limits?: Limits;
    /**
     * Path that answers 200 while JavaScript runs, and 503 once it is stalled
     * for 5 seconds or what `stall` says. It comes before all routes. The deno
     * engine needs JavaScript to answer, so it never says 503: nothing at all
     * is answered instead.
     */
    readonly healthRoute?: string | HealthRoute;
    /**
     * Path that answers with {@linkcode Server.metrics} in Prometheus' text
     * format, to everybody. It comes before all routes.
     */
    readonly metricsRoute?: string;
    /** A name for this server, readable as `server.id`. */
    readonly id?: string | null;
    /**
     * Name of a bus: all servers of this process that name the same one share
     * the topics of their WebSockets, be they of one isolate or in different
     * Workers. On the native engine subscribers of an isolate whose JavaScript
     * is busy are served as well.
     *
     * @example
     * ```ts
     * import { serve } from "@jstime/serve";
     *
     * await using server = serve({
     *   port: 0,
     *   bus: "chat",
     *   fetch: (request, server) => void server.upgrade(request),
     *   websocket: { open: (socket) => void socket.subscribe("news") },
     * });
     * await using other = serve({
     *   port: 0,
     *   bus: "chat",
     *   fetch: () => new Response("Hello"),
     * });
     * other.publish("news", "Hello"); // reaches the clients of the first
     * console.log(other.subscriberCount("news")); // 0: there are none
     * ```
     */
    readonly bus?: string;
    /**
     * Serve HTTP/2 too: over TLS to clients that offer it, without TLS to those
     * that begin with its preface. The deno engine always does.
     *
     * @default {false}
     */
    readonly http2?: boolean;
    /**
     * The engine to serve with. `auto` is the native engine if its library may
     * be loaded and can serve these options, else the deno engine;
     * `server.engine` says which.
     *
     * @default {$JSTIME_ENGINE, else "auto"}
     */
    readonly engine?: "auto" | "deno" | "native";
  }
}
