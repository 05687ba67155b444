import type { Exchange } from "../engine/engine.ts";
import { headerOf } from "../runtime/request_slots.ts";
import { normalizedUrl } from "../runtime/request_target.ts";
import { makeStandIn, platformClassOf, showAs } from "../runtime/stand_in.ts";
import { CookieMap } from "./cookies/cookie_map.ts";
import { PlatformMembers, type RequestMembers } from "./platform_members.ts";

const SOURCE = Symbol("source");
const EXCHANGE = Symbol("exchange");
const OWNER = Symbol("owner");
const CONTROLLER = Symbol("abort controller");
const PARAMS = Symbol("params");
const COOKIES = Symbol("cookies");
const NORMALIZED_URL = Symbol("normalized url");

/** The properties that one request carries besides the platform's. */
interface Fields {
  /** The engine's request, or what stands for it. */
  [SOURCE]: RequestMembers;
  [EXCHANGE]: Exchange;
  [OWNER]: object;
  [CONTROLLER]: AbortController | undefined;
  [PARAMS]: Readonly<Record<string, string>>;
  [COOKIES]: CookieMap | undefined;
  [NORMALIZED_URL]: string | undefined;
}

/**
 * The request that `fetch` receives.
 *
 * An engine's request cannot be extended with accessors cheaply, and a copy of
 * it costs microseconds. So this is a small object in front of it: it inherits
 * from `Request.prototype`, and reads the platform's internal slots, which
 * Deno keeps on symbol properties, through to the engine's request. To the
 * platform it *is* a `Request`: `instanceof`, `fetch(request)` and
 * `new Request(request)` work. What handlers use most is asked of the engine's
 * request directly, which may know it without having slots yet. Where requests
 * have no such symbols, the engine's request itself gets this prototype.
 */
class IncomingRequest implements RequestMembers {
  constructor(source: Request, exchange: Exchange, owner: object) {
    const fields = this as unknown as Fields;
    fields[SOURCE] = source;
    fields[EXCHANGE] = exchange;
    fields[OWNER] = owner;
    fields[CONTROLLER] = undefined;
    fields[NORMALIZED_URL] = undefined;
  }

  get method(): string {
    return (this as unknown as Fields)[SOURCE].method;
  }

  get headers(): Headers {
    return (this as unknown as Fields)[SOURCE].headers;
  }

  /** The request's URL, normalised as by `URL`. */
  get url(): string {
    const fields = this as unknown as Fields;
    return fields[NORMALIZED_URL] ??= normalizedUrl(
      fields[SOURCE].url,
      fields[EXCHANGE].host,
    );
  }

  /** The content as a stream; null if there is none. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    const fields = this as unknown as Fields;
    return fields[EXCHANGE].hasContent ? fields[SOURCE].body : null;
  }

  /** Whether the content was read; where there is none, it never is. */
  get bodyUsed(): boolean {
    const fields = this as unknown as Fields;
    return fields[EXCHANGE].hasContent && fields[SOURCE].bodyUsed;
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return (this as unknown as Fields)[SOURCE].arrayBuffer();
  }

  blob(): Promise<Blob> {
    return (this as unknown as Fields)[SOURCE].blob();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return (this as unknown as Fields)[SOURCE].bytes();
  }

  formData(): Promise<FormData> {
    return (this as unknown as Fields)[SOURCE].formData();
  }

  // deno-lint-ignore no-explicit-any -- as the platform types it
  json(): Promise<any> {
    return (this as unknown as Fields)[SOURCE].json();
  }

  text(): Promise<string> {
    return (this as unknown as Fields)[SOURCE].text();
  }

  clone(): Request {
    return (this as unknown as Fields)[SOURCE].clone();
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
    owner: object,
    params: Readonly<Record<string, string>>,
  ) {
    super(source, exchange, owner);
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
      headerOf(fields[SOURCE], "cookie") ?? "",
    );
  }

  override clone(): Request {
    const fields = this as unknown as Fields;
    return routeRequest(
      fields[EXCHANGE],
      fields[OWNER],
      fields[PARAMS],
      fields[SOURCE].clone(),
    );
  }
}

const platform = platformClassOf(new Request("http://localhost/"));
makeStandIn(
  IncomingRequest.prototype,
  platform,
  (request) => (request as unknown as Fields)[SOURCE],
);
showAs(RouteRequest.prototype, Request);

/**
 * Makes the request that `fetch` receives from an exchange.
 *
 * @param owner The server that it came to.
 */
export function fetchRequest(exchange: Exchange, owner: object): Request {
  if (platform.slots.length === 0) return adoptFetchRequest(exchange, owner);
  const { request } = exchange;
  return new IncomingRequest(request, exchange, owner) as unknown as Request;
}

/**
 * Makes the request that a route receives from an exchange.
 *
 * @param owner The server that it came to.
 */
export function routeRequest(
  exchange: Exchange,
  owner: object,
  params: Readonly<Record<string, string>>,
  source: Request = exchange.request,
): Request {
  return platform.slots.length === 0
    ? adoptRouteRequest(exchange, owner, params, source)
    : new RouteRequest(source, exchange, owner, params) as unknown as Request;
}

/** As {@linkcode fetchRequest}, on platforms that hide a request's slots. */
export function adoptFetchRequest(exchange: Exchange, owner: object): Request {
  const { request } = exchange;
  return adopt(request, exchange, owner, undefined, IncomingRequest.prototype);
}

/** As {@linkcode routeRequest}, on platforms that hide a request's slots. */
export function adoptRouteRequest(
  exchange: Exchange,
  owner: object,
  params: Readonly<Record<string, string>>,
  source: Request = exchange.request,
): Request {
  return adopt(source, exchange, owner, params, RouteRequest.prototype);
}

/** Turns the engine's request itself into one of ours. */
function adopt(
  source: Request,
  exchange: Exchange,
  owner: object,
  params: Readonly<Record<string, string>> | undefined,
  prototype: object,
): Request {
  const fields: Partial<Fields> = {
    [SOURCE]: new PlatformMembers(source),
    [EXCHANGE]: exchange,
    [OWNER]: owner,
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

/** Whether a request was made for this server. */
export function isOwnedBy(request: Request, owner: object): boolean {
  return (request as unknown as Partial<Fields>)[OWNER] === owner;
}

/** The cookies of a request, if its handler has touched them. */
export function touchedCookies(request: Request): CookieMap | undefined {
  return (request as unknown as Partial<Fields>)[COOKIES];
}
