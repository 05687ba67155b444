import { Cookie } from "./http/cookie.ts";
import { CookieMap } from "./http/cookie_map.ts";
import { file } from "./file.ts";
import { serve } from "./serve.ts";

/** What the {@linkcode JSTime} namespace object holds. */
export interface JSTimeNamespace {
  /** Starts an HTTP server. */
  readonly serve: typeof serve;
  /** A lazy reference to a file. */
  readonly file: typeof file;
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
export const JSTime: JSTimeNamespace = { serve, file, Cookie, CookieMap };
