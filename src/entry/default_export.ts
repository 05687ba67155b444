/**
 * Serving what a module exports as default.
 *
 * @module
 */

import { serve } from "../serve.ts";
import type { Serve } from "../serve_types.ts";
import type { Server } from "../server.ts";

/** Options that take precedence over those of the module. */
export interface AddressOverrides {
  /** Port to listen on. */
  readonly port?: string;
  /** Host name to listen on. */
  readonly hostname?: string;
}

/**
 * The default export of a module if it can be served: an object (or function)
 * with `fetch` or `routes`. A server that is running already is none of these.
 */
export function servableDefault(
  module: { readonly default?: unknown },
): Serve.Options | undefined {
  const value = module.default;
  const isObject = typeof value === "object" && value !== null;
  if (!isObject && typeof value !== "function") return undefined;
  const { fetch, routes, stop, reload } = value as Record<string, unknown>;
  if (typeof stop === "function" && typeof reload === "function") {
    return undefined;
  }
  const isServable = typeof fetch === "function" ||
    (typeof routes === "object" && routes !== null);
  return isServable ? value as Serve.Options : undefined;
}

/** A module without anything to serve. */
export class NothingToServeError extends TypeError {
  /** Tells it from other errors. */
  override name = "NothingToServeError";
}

/**
 * As {@linkcode servableDefault}, for modules that are there to be served.
 *
 * @throws {NothingToServeError} If the module has no such default export.
 */
export function requireServable(
  module: { readonly default?: unknown },
  url: string,
): Serve.Options {
  const options = servableDefault(module);
  if (options !== undefined) return options;
  throw new NothingToServeError(
    `Cannot serve ${url}: expected a default export with fetch or routes`,
  );
}

/**
 * Serves options of a module and says where.
 *
 * @throws {Error} As `serve()` does.
 */
export function serveDefault(
  options: Serve.Options,
  overrides: AddressOverrides = {},
): Server {
  const server = serve(withOverrides(options, overrides));
  console.log(`Listening on ${server.url}`);
  return server;
}

/**
 * The options of a reloaded module for `server.reload()`. What `reload` is not
 * given it keeps, but what a new version of a module leaves out is gone.
 */
export function replacingHandlers(options: Serve.Options): Serve.Handlers {
  return {
    routes: options.routes ?? options.static ?? {},
    fetch: options.fetch ?? notFound,
    error: options.error ?? leaveToServer,
    websocket: options.websocket,
  };
}

function notFound(): Response {
  return new Response(null, { status: 404 });
}

function leaveToServer(): void {}

/** The options may be an application with getters, so they are not copied. */
function withOverrides(
  options: Serve.Options,
  overrides: AddressOverrides,
): Serve.Options {
  const given = Object.entries(overrides).filter(([, value]) =>
    value !== undefined
  );
  if (given.length === 0) return options;
  const table = new Map<PropertyKey, string>(given);
  // An address on the command line replaces a Unix socket in the module.
  const hidden = new Set<PropertyKey>(["unix"]);
  return new Proxy(options, {
    get(target, key): unknown {
      if (table.has(key)) return table.get(key);
      return hidden.has(key) ? undefined : Reflect.get(target, key, target);
    },
  });
}
