/**
 * Reads a response whose content is in memory.
 *
 * The public way to the content is asynchronous, and to the headers it costs
 * microseconds. Deno keeps both on symbol properties, which are used where they
 * exist and say what they are taken to say.
 *
 * @module
 */

import type { HeaderPair } from "./header_lines.ts";

/** What has been found on this platform's responses. */
export interface ResponseSymbols {
  /** Own property: the platform's part of the response. */
  readonly inner: symbol;
  /** Getter on the prototype: the inner body or null. */
  readonly innerBody: symbol;
  /** Own property, 0 or: the next four properties have all of the response. */
  readonly fastStatus: symbol;
  /** A string or bytes. */
  readonly fastBody: symbol;
  /** `NO_TYPE`, `TEXT_TYPE` or `OTHER_TYPE`; there are no other headers. */
  readonly fastHeaderKind: symbol;
  /** The content type with `OTHER_TYPE`. */
  readonly fastContentType: symbol;
  /** Whether the body was used; it can be set. */
  readonly fastConsumed: symbol;
}

/** No header. */
export const NO_TYPE = 0;
/** `content-type: text/plain;charset=UTF-8`. */
export const TEXT_TYPE = 1;
/** Another content type. */
export const OTHER_TYPE = 2;

/** The platform's part of a response. */
export interface InnerResponse {
  readonly status: number;
  readonly headerList: readonly HeaderPair[];
}

/** The platform's part of a body. */
export interface InnerBody {
  readonly streamOrStatic: StaticBody | object;
}

/** Content in memory. */
export interface StaticBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  consumed: boolean;
}

/** A response, with what is behind its symbols. */
export type SymbolResponse = Response & Record<symbol, unknown>;

function findSymbols(): ResponseSymbols | null {
  const own = Object.getOwnPropertySymbols(new Response(""));
  const inherited = Object.getOwnPropertySymbols(Response.prototype);
  const find = (symbols: symbol[], description: string) =>
    symbols.find((symbol) => symbol.description === description);
  const inner = find(own, "response");
  const innerBody = find(inherited, "body");
  const fastStatus = find(own, "serve fast status");
  const fastBody = find(own, "serve fast body");
  const fastHeaderKind = find(own, "serve fast header kind");
  const fastContentType = find(own, "serve fast content type");
  const fastConsumed = find(own, "serve fast consumed");
  if (!inner || !innerBody || !fastStatus || !fastBody) return null;
  if (!fastHeaderKind || !fastContentType || !fastConsumed) return null;
  const symbols: ResponseSymbols = {
    inner,
    innerBody,
    fastStatus,
    fastBody,
    fastHeaderKind,
    fastContentType,
    fastConsumed,
  };
  return agrees(symbols) ? symbols : null;
}

/** Whether the properties are what they are taken for. */
function agrees(symbols: ResponseSymbols): boolean {
  const fast = (response: Response) => {
    const { [symbols.fastStatus]: status, [symbols.fastBody]: body } =
      response as SymbolResponse;
    const kind = (response as SymbolResponse)[symbols.fastHeaderKind];
    const type = (response as SymbolResponse)[symbols.fastContentType];
    return JSON.stringify([status, body, kind, type]);
  };
  const text = new Response("a");
  const used = new Response("a");
  (used as SymbolResponse)[symbols.fastConsumed] = true;
  const other = new Response("a", { status: 201, headers: { "x-a": "b" } });
  const { [symbols.inner]: inner, [symbols.innerBody]: body } =
    other as SymbolResponse;
  return fast(text) === `[200,"a",${TEXT_TYPE},null]` &&
    fast(Response.json(1)) === `[200,"1",${OTHER_TYPE},"application/json"]` &&
    fast(other).startsWith("[0,") && fast(new Response()).startsWith("[0,") &&
    used.bodyUsed && isStatic(body as InnerBody) &&
    (inner as InnerResponse).status === 201 &&
    JSON.stringify((inner as InnerResponse).headerList[0]) === '["x-a","b"]';
}

/** Whether content is in memory. */
export function isStatic(
  body: InnerBody | null,
): body is { streamOrStatic: StaticBody } {
  return body !== null && "consumed" in body.streamOrStatic;
}

/** The symbols of this platform, or null where there are none. */
export const responseSymbols: ResponseSymbols | null = findSymbols();
