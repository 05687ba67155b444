/**
 * What Deno keeps in a request behind symbol properties, where the public way
 * to the same facts costs several times more. Each function takes the public
 * way where there are no such symbols.
 *
 * @module
 */

interface InnerRequest {
  readonly body: { readonly streamOrStatic: unknown } | null;
  /** Only requests from the network have it. */
  readonly header?: (name: string) => string | null;
}

const innerRequest: symbol | undefined = Object
  .getOwnPropertySymbols(new Request("http://localhost/"))
  .find((symbol) => symbol.description === "request");

function innerOf(request: object): InnerRequest | undefined {
  if (innerRequest === undefined) return undefined;
  return (request as Record<symbol, InnerRequest>)[innerRequest];
}

/**
 * What a request of ours has instead: it may not have the platform's slots
 * before somebody asks for them.
 */
export const readHeader: unique symbol = Symbol("read header");

/** A request that knows its headers without a `Headers` object. */
export interface HeaderReader {
  /** The value of a header by its name in lower case; null without. */
  [readHeader](name: string): string | null;
}

/**
 * One header of a request by its name in lower case, without making a `Headers`
 * object for it.
 */
export function headerOf(
  request: Pick<Request, "headers">,
  name: string,
): string | null {
  if (readHeader in request) return (request as HeaderReader)[readHeader](name);
  const inner = innerOf(request);
  return typeof inner?.header === "function"
    ? inner.header(name)
    : request.headers.get(name);
}

/**
 * The length of a request's content if all of it has arrived; undefined if
 * some is still to come, or the platform does not tell.
 */
export function contentInMemory(request: Request): number | undefined {
  const inner = innerOf(request);
  if (inner?.body === null) return 0;
  const content = inner?.body?.streamOrStatic;
  if (typeof content !== "object" || content === null) return undefined;
  const bytes = "body" in content ? content.body : undefined;
  return bytes instanceof Uint8Array ? bytes.byteLength : undefined;
}
