import { readHeader } from "../../runtime/request_slots.ts";
import { normalizedUrl } from "../../runtime/request_target.ts";
import { makeStandIn, platformClassOf } from "../../runtime/stand_in.ts";
import type { NativeExchange } from "./exchange.ts";
import { adoptHeaders, requestHeaders } from "./request_headers.ts";
import { headerIn, headersIn, methodOf, METHODS } from "./request_record.ts";

// On Deno these globals are accessors, which cost more than what they give.
const { Request, Response } = globalThis;

const decoder = new TextDecoder();

/**
 * A request as it lies in the record that announced it. What handlers use most
 * is read from there; a `Request` is made when something else is asked for.
 *
 * Its prototype chain reaches `Request.prototype`, and the platform's internal
 * slots, which Deno keeps on symbol properties, are read through to the request
 * behind. To the platform it *is* a `Request`: `instanceof`, `fetch(request)`,
 * `new Request(request)` and `clone()` work.
 */
class LazyRequest {
  readonly #exchange: NativeExchange;
  #real: Request | undefined = undefined;
  #headers: Headers | undefined = undefined;
  #bodyUsed = false;

  constructor(exchange: NativeExchange) {
    this.#exchange = exchange;
  }

  get method(): string {
    const { batch, at } = this.#exchange;
    return methodOf(batch, at);
  }

  /** The URL with the target as the client wrote it, not normalised. */
  get url(): string {
    return this.#exchange.url;
  }

  get headers(): Headers {
    let headers = this.#headers;
    if (headers === undefined) {
      headers = this.#headers = this.#real?.headers ??
        requestHeaders(this.#exchange);
    }
    return headers;
  }

  /** A header without a `Headers` object; see `headerOf`. */
  [readHeader](name: string): string | null {
    // Only after somebody has touched them can they have changed.
    if (this.#headers !== undefined) return this.#headers.get(name);
    const { batch, at } = this.#exchange;
    return headerIn(batch, at, name);
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return LazyRequest.realOf(this).body;
  }

  get bodyUsed(): boolean {
    return this.#real === undefined ? this.#bodyUsed : this.#real.bodyUsed;
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#isBeyond()) return LazyRequest.realOf(this).arrayBuffer();
    return this.#read().then((content) => content.buffer);
  }

  blob(): Promise<Blob> {
    if (this.#isBeyond()) return LazyRequest.realOf(this).blob();
    return this.#read().then((content) => this.#toResponse(content).blob());
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#isBeyond()) return LazyRequest.realOf(this).bytes();
    return this.#read();
  }

  formData(): Promise<FormData> {
    if (this.#isBeyond()) return LazyRequest.realOf(this).formData();
    return this.#read()
      .then((content) => this.#toResponse(content).formData());
  }

  // deno-lint-ignore no-explicit-any -- as the platform types it
  json(): Promise<any> {
    if (this.#isBeyond()) return LazyRequest.realOf(this).json();
    const text = this.#readText();
    if (typeof text !== "string") return text.then(JSON.parse);
    try {
      return Promise.resolve(JSON.parse(text));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  text(): Promise<string> {
    if (this.#isBeyond()) return LazyRequest.realOf(this).text();
    const text = this.#readText();
    return typeof text === "string" ? Promise.resolve(text) : text;
  }

  clone(): Request {
    return LazyRequest.realOf(this).clone();
  }

  /** Whether only the request behind can tell of the content. */
  #isBeyond(): boolean {
    return this.#real !== undefined || this.#bodyUsed;
  }

  /** The content as text: at once if it is here. */
  #readText(): string | Promise<string> {
    const exchange = this.#exchange;
    const { hasContent } = exchange;
    this.#bodyUsed = hasContent;
    if (!hasContent) return "";
    const { content } = exchange;
    return content === undefined
      ? decoder.decode(exchange.contentInRecord())
      : content.gather().then((bytes) => decoder.decode(bytes));
  }

  /** The content as a copy of its own. */
  #read(): Promise<Uint8Array<ArrayBuffer>> {
    const exchange = this.#exchange;
    const { hasContent } = exchange;
    this.#bodyUsed = hasContent;
    if (!hasContent) return Promise.resolve(new Uint8Array(0));
    const { content } = exchange;
    return content === undefined
      ? Promise.resolve(exchange.contentInRecord().slice())
      : content.gather();
  }

  /** For what the platform does with content according to its type. */
  #toResponse(content: Uint8Array<ArrayBuffer>): Response {
    const type = this[readHeader]("content-type");
    const body = this.#exchange.hasContent ? content : null;
    return type === null
      ? new Response(body)
      : new Response(body, { headers: { "content-type": type } });
  }

  /** The request behind. */
  static realOf(request: LazyRequest): Request {
    return request.#real ??= request.#makeReal();
  }

  #makeReal(): Request {
    const exchange = this.#exchange;
    const { batch, at, hasContent } = exchange;
    const headers = this.#headers;
    const real = makeRequest(
      normalizedUrl(exchange.url, exchange.host),
      this.method,
      headers === undefined ? headersIn(batch, at) : [...headers],
      hasContent ? this.#makeBody() : null,
    );
    if (this.#bodyUsed) void real.arrayBuffer();
    if (headers !== undefined) adoptHeaders(headers, real.headers);
    abortWith(real, exchange);
    return real;
  }

  /** The content; once it was read, some that is read at once. */
  #makeBody(): BodyInit {
    const exchange = this.#exchange;
    if (this.#bodyUsed) return new Uint8Array(1);
    return exchange.content?.stream() ?? exchange.contentInRecord().slice();
  }
}

/** The platform's part of a request, as far as it is used here. */
interface InnerRequest {
  method: string;
  onCancel?: (listener: () => void) => void;
}

const platform = platformClassOf(new Request("http://localhost/"));
const innerSlot = platform.slots.find((slot) => slot.description === "request");

function innerOf(request: Request): InnerRequest | undefined {
  return innerSlot === undefined
    ? undefined
    : (request as unknown as Record<symbol, InnerRequest>)[innerSlot];
}

/** Makes a request of any method, with or without content. */
function makeRequest(
  url: string,
  method: string,
  headers: [string, string][],
  body: BodyInit | null,
): Request {
  const isOrdinary = METHODS.includes(method) &&
    (body === null || (method !== "GET" && method !== "HEAD"));
  if (isOrdinary) return new Request(url, { method, headers, body });
  // `Request` refuses some methods and content of GET and HEAD, and changes the
  // case of others. Servers have to show what they get.
  const request = new Request(url, { method: "POST", headers, body });
  const inner = innerOf(request);
  if (inner !== undefined) inner.method = method;
  return request;
}

/** Lets the signal of `request`, once asked for, abort when the client leaves. */
function abortWith(request: Request, exchange: NativeExchange): void {
  const inner = innerOf(request);
  if (inner === undefined) return;
  inner.onCancel = (listener) => exchange.onClientGone(listener);
}

makeStandIn(LazyRequest.prototype, platform, LazyRequest.realOf);

/** Makes the request of an exchange. */
export function lazyRequest(exchange: NativeExchange): Request {
  const request = new LazyRequest(exchange);
  return platform.slots.length > 0
    ? request as unknown as Request
    : LazyRequest.realOf(request);
}
