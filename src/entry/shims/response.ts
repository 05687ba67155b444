/**
 * What Bun's `Response` accepts and the Fetch standard refuses.
 *
 * @module
 */

/** Statuses whose responses have no content (RFC 9110, section 15). */
const STATUSES_WITHOUT_CONTENT = new Set([101, 204, 205, 304]);
const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

type AsyncProducer = AsyncIterable<unknown> | (() => AsyncIterable<unknown>);

/**
 * Replaces `globalThis.Response` by a constructor that also accepts
 *
 * - async iterables and async generator functions, whose chunks may be strings;
 * - text or bytes with a status that has no content: they are dropped, so
 *   `new Response("", { status: 204 })` works;
 * - relative references in `Response.redirect()`, and an init object as its
 *   second argument.
 *
 * Every response, also one from `fetch`, stays `instanceof Response`.
 */
export function installResponse(): void {
  const standard = globalThis.Response;
  if (isInstalled(standard)) return;
  const extended = new Proxy(standard, {
    construct(target, [content, init], newTarget): Response {
      return Reflect.construct(
        target,
        [acceptContent(content, init?.status), init],
        newTarget,
      );
    },
  });
  const standardRedirect = standard.redirect;
  standard.redirect = function redirect(
    url: string | URL,
    init?: number | ResponseInit,
  ): Response {
    if (typeof init !== "object" && URL.canParse(url)) {
      return standardRedirect(url, init);
    }
    return redirectTo(String(url), init);
  };
  standard.prototype.constructor = extended;
  installed.add(extended);
  globalThis.Response = extended;
}

const installed = new WeakSet<typeof Response>();

function isInstalled(constructor: typeof Response): boolean {
  return installed.has(constructor);
}

function acceptContent(content: unknown, status: unknown): unknown {
  if (content === null || content === undefined) return content;
  if (STATUSES_WITHOUT_CONTENT.has(status as number)) {
    const isInMemory = typeof content === "string" ||
      ArrayBuffer.isView(content) || content instanceof ArrayBuffer;
    return isInMemory ? null : content;
  }
  return isAsyncProducer(content) ? streamOf(content) : content;
}

function isAsyncProducer(content: unknown): content is AsyncProducer {
  if (typeof content === "function") {
    return Object.prototype.toString.call(content) ===
      "[object AsyncGeneratorFunction]";
  }
  return typeof content === "object" && content !== null &&
    !(content instanceof ReadableStream) && Symbol.asyncIterator in content;
}

/** Pulls one chunk at a time, so that the client sets the pace. */
function streamOf(
  producer: AsyncProducer,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let iterator: AsyncIterator<unknown> | undefined;
  return new ReadableStream({
    async pull(controller) {
      // A generator begins to run when somebody reads, not before.
      iterator ??= (typeof producer === "function" ? producer() : producer)
        [Symbol.asyncIterator]();
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else {
        controller.enqueue(
          typeof value === "string" ? encoder.encode(value) : toBytes(value),
        );
      }
    },
    async cancel(reason) {
      await iterator?.return?.(reason);
    },
  }, { highWaterMark: 0 });
}

function toBytes(value: unknown): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      .slice();
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(
    `Cannot send a chunk of type ${typeof value}: expected a string or bytes`,
  );
}

function redirectTo(url: string, init: number | ResponseInit = 302): Response {
  const { status = 302, ...rest } = typeof init === "number"
    ? { status: init }
    : init;
  if (!REDIRECT_STATUSES.has(status)) {
    throw new RangeError(
      `Cannot redirect with status ${status}: expected 301, 302, 303, 307 or 308`,
    );
  }
  const headers = new Headers("headers" in rest ? rest.headers : undefined);
  headers.set("location", toLocation(url));
  return new Response(null, { ...rest, status, headers });
}

/**
 * Writes a relative reference as RFC 3986 allows it. A line break would end the
 * header field, so it is refused rather than encoded.
 */
function toLocation(url: string): string {
  for (const character of url) {
    const code = character.codePointAt(0)!;
    if (code < 0x20 || code === 0x7f) {
      throw new TypeError(
        `Cannot redirect to ${
          JSON.stringify(url)
        }: expected no control characters`,
      );
    }
  }
  return url.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}
