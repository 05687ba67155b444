import type { DenoExchange } from "./exchange.ts";

/**
 * Content up to this length is passed on as it is; more of it is counted while
 * it arrives, so that a slow upload is progress and not idleness.
 */
const UNWATCHED_LENGTH = 16 * 1024;

/** The error that reading content beyond the limit rejects with. */
function contentTooLarge(limit: number): RangeError {
  return Object.assign(
    new RangeError(
      `Cannot read the request body: it exceeds maxRequestBodySize (${limit} bytes)`,
    ),
    { code: "ERR_BODY_TOO_LARGE" },
  );
}

/**
 * Holds a request to the limit on its content. Undefined when its declared
 * length alone exceeds the limit.
 *
 * A declared length is enforced by the platform's framing. Content of unknown
 * length is counted while it is read and fails beyond the limit; nothing is
 * buffered for it.
 */
export function limitContent(
  request: Request,
  limit: number,
  exchange: DenoExchange,
): Request | undefined {
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    const length = Number(declared);
    if (length > limit) return undefined;
    if (length <= UNWATCHED_LENGTH) return request;
  } else if (request.body === null) {
    return request;
  }
  return withWatchedContent(request, limit, exchange);
}

function withWatchedContent(
  request: Request,
  limit: number,
  exchange: DenoExchange,
): Request {
  const { body } = request;
  if (body === null) return request;
  const reader = body.getReader();
  let received = 0;
  const watched = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      exchange.progress();
      received += value.byteLength;
      if (received > limit) {
        exchange.bodyLimitExceeded = true;
        const error = contentTooLarge(limit);
        reader.cancel(error).catch(() => {});
        return controller.error(error);
      }
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Request(request.url, {
    method: request.method,
    headers: request.headers,
    body: watched,
  });
}
