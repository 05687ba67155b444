/**
 * Tells how much content of a request is in memory already.
 *
 * @module
 */

interface InnerRequest {
  readonly body: { readonly streamOrStatic: unknown } | null;
}

type Inspectable = Request & Record<symbol, unknown>;

const innerRequest: symbol | undefined = Object
  .getOwnPropertySymbols(new Request("http://localhost/"))
  .find((symbol) => symbol.description === "request");

/**
 * The length of a request's content if all of it has arrived; undefined if
 * some is still to come, or the platform does not tell.
 */
export function contentInMemory(request: Request): number | undefined {
  if (innerRequest === undefined) return undefined;
  const inner = (request as Inspectable)[innerRequest] as
    | InnerRequest
    | undefined;
  if (inner?.body === null) return 0;
  const content = inner?.body?.streamOrStatic;
  if (typeof content !== "object" || content === null) return undefined;
  const bytes = "body" in content ? content.body : undefined;
  return bytes instanceof Uint8Array ? bytes.byteLength : undefined;
}
