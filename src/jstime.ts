import { Cookie } from "./http/cookies/cookie.ts";
import { CookieMap } from "./http/cookies/cookie_map.ts";
import { connect } from "./connect.ts";
import { file } from "./file.ts";
import { listen } from "./listen.ts";
import { serve } from "./serve.ts";
import { ArrayBufferSink } from "./sink.ts";

/** What the {@linkcode JSTime} namespace object holds. */
export interface JSTimeNamespace {
  /** Starts an HTTP server. */
  readonly serve: typeof serve;
  /** Listens for TCP connections. */
  readonly listen: typeof listen;
  /** Opens a TCP connection. */
  readonly connect: typeof connect;
  /** A lazy reference to a file. */
  readonly file: typeof file;
  /** Joins many small writes into one. */
  readonly ArrayBufferSink: typeof ArrayBufferSink;
  /** One cookie. */
  readonly Cookie: typeof Cookie;
  /** The cookies of a request. */
  readonly CookieMap: typeof CookieMap;
}

/**
 * The network API as one object, for code that writes `JSTime.serve`.
 *
 * @example
 * ```ts
 * import { JSTime } from "@jstime/serve";
 *
 * const server = JSTime.serve({ port: 0, fetch: () => new Response("Hello") });
 * await server.stop();
 * ```
 */
export const JSTime: JSTimeNamespace = {
  serve,
  listen,
  connect,
  file,
  ArrayBufferSink,
  Cookie,
  CookieMap,
};
