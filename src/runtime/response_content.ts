/**
 * Tells a response with content in memory from one that streams.
 *
 * `Response.prototype.body` answers this on every platform but makes a
 * `ReadableStream` of any content, for several microseconds. Deno keeps the
 * same fact on symbol properties, which are used where they exist.
 *
 * @module
 */

interface InnerBody {
  readonly streamOrStatic: unknown;
  /** The value that the stream was made from; null for a stream of its own. */
  readonly source: unknown;
  readonly length: number | null;
}

/** What has been found on this platform's responses. */
export interface ResponseSymbols {
  /** Non-zero: the content is in memory and the response is no error. */
  readonly fastStatus: symbol;
  /** An object: the platform holds the whole response already. */
  readonly nativeResponse: symbol;
  /** Getter on the prototype for the inner body or null. */
  readonly innerBody: symbol;
}

type Inspectable = Response & Record<symbol, unknown>;

function findSymbols(): ResponseSymbols | null {
  const sample = new Response("");
  const find = (target: object, description: string) =>
    Object.getOwnPropertySymbols(target)
      .find((symbol) => symbol.description === description);
  const fastStatus = find(sample, "serve fast status");
  const nativeResponse = find(sample, "serve native response");
  const innerBody = find(Response.prototype, "body");
  if (!fastStatus || !nativeResponse || !innerBody) return null;
  // Trust them only if they say what they are taken to say.
  const streaming = new Response(new ReadableStream()) as Inspectable;
  const inner = streaming[innerBody] as InnerBody | undefined;
  const agrees = (sample as Inspectable)[fastStatus] === 200 &&
    streaming[fastStatus] === 0 && streaming[nativeResponse] === null &&
    inner?.streamOrStatic instanceof ReadableStream && inner.source === null;
  return agrees ? { fastStatus, nativeResponse, innerBody } : null;
}

/** The symbols of this platform, or null where there are none. */
export const responseSymbols: ResponseSymbols | null = findSymbols();

/**
 * The stream behind a response whose body has not been used, or null when its
 * content is in memory or absent.
 */
export function streamOf(
  response: Response,
  symbols: ResponseSymbols | null = responseSymbols,
): ReadableStream<unknown> | null {
  if (symbols === null) return response.body;
  const inspectable = response as Inspectable;
  // Asking further would make the platform give up its prepared response.
  if (inspectable[symbols.fastStatus] !== 0) return null;
  if (inspectable[symbols.nativeResponse]) return null;
  const inner = inspectable[symbols.innerBody] as InnerBody | null;
  return inner?.streamOrStatic instanceof ReadableStream
    ? inner.streamOrStatic
    : null;
}

/**
 * Whether a response streams content that no value in memory stands behind, so
 * that it can be sent only once. Where the platform does not tell, no.
 */
export function isLiveStream(
  response: Response,
  symbols: ResponseSymbols | null = responseSymbols,
): boolean {
  if (symbols === null) return false;
  const inner = (response as Inspectable)[symbols.innerBody] as
    | InnerBody
    | null;
  return inner !== null && inner.streamOrStatic instanceof ReadableStream &&
    inner.source === null;
}

/**
 * The length in bytes of content that is streamed although its length is
 * known, as that of a `Blob`; undefined where it is not known.
 */
export function lengthOf(
  response: Response,
  symbols: ResponseSymbols | null = responseSymbols,
): number | undefined {
  if (symbols === null) return undefined;
  const inner = (response as Inspectable)[symbols.innerBody] as
    | InnerBody
    | null;
  return inner?.length ?? undefined;
}

/**
 * Whether a response has content, be it empty. Unlike asking for its `body`,
 * this leaves content in memory as it is.
 */
export function hasContent(
  response: Response,
  symbols: ResponseSymbols | null = responseSymbols,
): boolean {
  if (symbols === null) return response.body !== null;
  return (response as Inspectable)[symbols.innerBody] !== null;
}
