import type { Exchange } from "../engine/engine.ts";
import { CookieMap } from "./cookies/cookie_map.ts";
import { normalizedUrl } from "./request_target.ts";

const SOURCE = Symbol("source");
const EXCHANGE = Symbol("exchange");
const CONTROLLER = Symbol("abort controller");
const PARAMS = Symbol("params");
const COOKIES = Symbol("cookies");
const NORMALIZED_URL = Symbol("normalized url");

/** The properties that one request carries besides the platform's. */
interface Fields {
  [SOURCE]: Request;
  [EXCHANGE]: Exchange;
  [CONTROLLER]: AbortController | undefined;
  [PARAMS]: Readonly<Record<string, string>>;
  [COOKIES]: CookieMap | undefined;
  [NORMALIZED_URL]: string | undefined;
}

const urlOf = platformGetter("url");
const bodyOf = platformGetter("body");
const bodyUsedOf = platformGetter("bodyUsed");

function platformGetter<Name extends "url" | "body" | "bodyUsed">(
  name: Name,
): (this: Request) => Request[Name] {
  return Object.getOwnPropertyDescriptor(Request.prototype, name)!.get!;
}

/**
 * The request that `fetch` receives.
 *
 * An engine's request cannot be extended with accessors cheaply, and a copy of
 * it costs microseconds. So this is a small object in front of it: it inherits
 * from `Request.prototype`, and reads the platform's internal slots, which
 * Deno keeps on symbol properties, through to the engine's request. To the
 * platform it *is* a `Request`: `instanceof`, `fetch(request)` and
 * `new Request(request)` work. Where requests have no such symbols, the
 * engine's request itself gets this prototype.
 */
class IncomingRequest {
  constructor(source: Request, exchange: Exchange) {
    const fields = this as unknown as Fields;
    fields[SOURCE] = source;
    fields[EXCHANGE] = exchange;
    fields[CONTROLLER] = undefined;
    fields[NORMALIZED_URL] = undefined;
  }

  /** The request's URL, normalised as by `URL`. */
  get url(): string {
    const fields = this as unknown as Fields;
    return fields[NORMALIZED_URL] ??= normalizedUrl(
      urlOf.call(this as unknown as Request),
      fields[EXCHANGE].host,
    );
  }

  /** The content as a stream; null if there is none. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    const { hasContent } = (this as unknown as Fields)[EXCHANGE];
    return hasContent ? bodyOf.call(this as unknown as Request) : null;
  }

  /** Whether the content was read; where there is none, it never is. */
  get bodyUsed(): boolean {
    const { hasContent } = (this as unknown as Fields)[EXCHANGE];
    return hasContent && bodyUsedOf.call(this as unknown as Request);
  }

  /** Aborts when the client leaves before the response is complete. */
  get signal(): AbortSignal {
    const fields = this as unknown as Fields;
    let controller = fields[CONTROLLER];
    if (controller === undefined) {
      const created = controller = new AbortController();
      fields[CONTROLLER] = created;
      fields[EXCHANGE].onClientGone(() => created.abort());
    }
    return controller.signal;
  }
}

/** The request that a route receives. */
class RouteRequest extends IncomingRequest {
  constructor(
    source: Request,
    exchange: Exchange,
    params: Readonly<Record<string, string>>,
  ) {
    super(source, exchange);
    const fields = this as unknown as Fields;
    fields[PARAMS] = params;
    fields[COOKIES] = undefined;
  }

  get params(): Readonly<Record<string, string>> {
    return (this as unknown as Fields)[PARAMS];
  }

  get cookies(): CookieMap {
    const fields = this as unknown as Fields;
    return fields[COOKIES] ??= new CookieMap(
      fields[SOURCE].headers.get("cookie") ?? "",
    );
  }

  clone(): Request {
    const fields = this as unknown as Fields;
    return routeRequest(
      fields[EXCHANGE],
      fields[PARAMS],
      Request.prototype.clone.call(this as unknown as Request),
    );
  }
}

const slots = Object.getOwnPropertySymbols(new Request("http://localhost/"));
for (const slot of slots) {
  Object.defineProperty(IncomingRequest.prototype, slot, {
    get(this: Fields): unknown {
      return (this[SOURCE] as unknown as Record<symbol, unknown>)[slot];
    },
    set(this: Fields, value: unknown): void {
      (this[SOURCE] as unknown as Record<symbol, unknown>)[slot] = value;
    },
  });
}
Object.setPrototypeOf(IncomingRequest.prototype, Request.prototype);
for (const { prototype } of [IncomingRequest, RouteRequest]) {
  Object.defineProperty(prototype, "constructor", {
    value: Request,
    writable: true,
    configurable: true,
  });
}

/** Makes the request that `fetch` receives from an exchange. */
export function fetchRequest(exchange: Exchange): Request {
  if (slots.length === 0) return adoptFetchRequest(exchange);
  const { request } = exchange;
  return new IncomingRequest(request, exchange) as unknown as Request;
}

/** Makes the request that a route receives from an exchange. */
export function routeRequest(
  exchange: Exchange,
  params: Readonly<Record<string, string>>,
  source: Request = exchange.request,
): Request {
  if (slots.length === 0) return adoptRouteRequest(exchange, params, source);
  return new RouteRequest(source, exchange, params) as unknown as Request;
}

/** As {@linkcode fetchRequest}, on platforms that hide a request's slots. */
export function adoptFetchRequest(exchange: Exchange): Request {
  const { request } = exchange;
  return adopt(request, exchange, undefined, IncomingRequest.prototype);
}

/** As {@linkcode routeRequest}, on platforms that hide a request's slots. */
export function adoptRouteRequest(
  exchange: Exchange,
  params: Readonly<Record<string, string>>,
  source: Request = exchange.request,
): Request {
  return adopt(source, exchange, params, RouteRequest.prototype);
}

/** Turns the engine's request itself into one of ours. */
function adopt(
  source: Request,
  exchange: Exchange,
  params: Readonly<Record<string, string>> | undefined,
  prototype: object,
): Request {
  const fields: Partial<Fields> = {
    [SOURCE]: source,
    [EXCHANGE]: exchange,
    [CONTROLLER]: undefined,
    [NORMALIZED_URL]: undefined,
    [PARAMS]: params,
    [COOKIES]: undefined,
  };
  return Object.setPrototypeOf(Object.assign(source, fields), prototype);
}

/** The exchange of a request that this module made, else undefined. */
export function exchangeOf(request: Request): Exchange | undefined {
  return (request as unknown as Partial<Fields>)[EXCHANGE];
}

/** The cookies of a request, if its handler has touched them. */
export function touchedCookies(request: Request): CookieMap | undefined {
  return (request as unknown as Partial<Fields>)[COOKIES];
}
