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

function innerOf(request: Request): InnerRequest | undefined {
  if (innerRequest === undefined) return undefined;
  return (request as unknown as Record<symbol, InnerRequest>)[innerRequest];
}

/** One header of a request, without making a `Headers` object for it. */
export function headerOf(request: Request, name: string): string | null {
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
