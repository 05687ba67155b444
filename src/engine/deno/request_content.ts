import { contentInMemory, headerOf } from "../../runtime/request_slots.ts";
import type { DenoExchange } from "./exchange.ts";

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
 * Declared content up to this length is not looked at, because looking costs a
 * copy of it. Framing holds it to its length, and it seldom takes long.
 */
const UNWATCHED_LENGTH = 16 * 1024;

/**
 * Holds the content of an exchange's request to the limit.
 *
 * Content that is here already is only measured. Any other is counted while it
 * is read, and fails beyond the limit; nothing is buffered for it. Being read
 * is also the progress that keeps a slow upload from being idle.
 *
 * @returns false if the content exceeds the limit as far as is known now.
 * @throws {TypeError} If the request cannot be copied.
 */
export function limitContent(exchange: DenoExchange, limit: number): boolean {
  const { request } = exchange;
  const declared = headerOf(request, "content-length");
  if (declared !== null) {
    const length = Number(declared);
    if (length > limit) return false;
    if (length <= UNWATCHED_LENGTH) {
      exchange.hasContent = length > 0;
      return true;
    }
  }
  const length = contentInMemory(request);
  if (length !== undefined) {
    exchange.hasContent = length > 0;
    return length <= limit;
  }
  const { body } = request;
  exchange.hasContent = body !== null;
  if (body !== null) {
    exchange.request = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      body: watch(body, limit, exchange),
    });
  }
  return true;
}

function watch(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  limit: number,
  exchange: DenoExchange,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let received = 0;
  return new ReadableStream({
    async pull(controller) {
      const chunk = await reader.read().catch((error) => {
        // Malformed, or the client left in the middle of it.
        exchange.refusal = 400;
        exchange.leave();
        throw error;
      });
      if (chunk.done) return controller.close();
      exchange.progress();
      received += chunk.value.byteLength;
      if (received <= limit) return controller.enqueue(chunk.value);
      exchange.refusal = 413;
      const error = contentTooLarge(limit);
      reader.cancel(error).catch(() => {});
      controller.error(error);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
