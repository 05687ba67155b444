import { createHash } from "node:crypto";
import { ifNoneMatch } from "@std/http/etag";
import { headerOf } from "../runtime/request_slots.ts";
import { isLiveStream } from "../runtime/response_content.ts";

/** Beyond this, text is kept as bytes so that it is encoded only once. */
const TEXT_LIMIT = 16 * 1024;

/** Headers that describe content, which a 304 has none of. */
const CONTENT_HEADERS = ["content-length", "content-encoding"];

/**
 * A route's fixed response: read once, then answered without running user
 * code, with an `ETag` and `304 Not Modified` (RFC 9110, 8.8.3 and 13.1.2).
 */
export class StaticAnswer {
  /** Settles when the content has been read; from then on `answer` works. */
  readonly ready: Promise<void>;
  #prepared: Response | undefined;
  #notModified: Response | undefined;
  #etag: string | undefined;

  /**
   * @throws {TypeError} If the response was used or streams.
   */
  constructor(response: Response, pattern: string) {
    if (response.bodyUsed) {
      throw invalid(pattern, "its body has already been used");
    }
    if (response.type === "error") {
      throw invalid(pattern, "it is an error response");
    }
    if (isLiveStream(response)) {
      throw invalid(pattern, "its body is a stream, which can be sent once");
    }
    // The user may go on using the response: read a copy of it.
    this.ready = this.#prepare(response.clone());
    // Whoever asks before it is ready is told why it never will be.
    this.ready.catch(() => {});
  }

  /** Whether `answer` may be called. */
  get isReady(): boolean {
    return this.#prepared !== undefined;
  }

  /** The response that is cloned for requests; only once it is ready. */
  get response(): Response {
    return this.#prepared!;
  }

  /** Answers conditions that hold; undefined without an `ETag`. */
  get notModified(): Response | undefined {
    return this.#notModified;
  }

  /** The response to one request. */
  answer(request: Request): Response {
    if (this.#notModified === undefined) return this.#prepared!.clone();
    const condition = headerOf(request, "if-none-match");
    if (condition === null || ifNoneMatch(condition, this.#etag)) {
      return this.#prepared!.clone();
    }
    const { method } = request;
    return method === "GET" || method === "HEAD"
      ? this.#notModified.clone()
      : this.#prepared!.clone();
  }

  async #prepare(response: Response): Promise<void> {
    const { status, statusText, headers } = response;
    const bytes = response.body === null ? null : await response.bytes();
    if (bytes !== null && bytes.length > 0 && !headers.has("etag")) {
      headers.set("etag", strongTag(bytes));
    }
    // Text without a type would be given one by the platform.
    const text = bytes !== null && headers.has("content-type")
      ? asciiText(bytes)
      : undefined;
    const prepared = new Response(text ?? bytes, {
      status,
      statusText,
      headers,
    });
    this.#etag = headers.get("etag") ?? undefined;
    if (this.#etag !== undefined && status === 200) {
      for (const name of CONTENT_HEADERS) headers.delete(name);
      this.#notModified = new Response(null, { status: 304, headers });
    }
    this.#prepared = prepared;
  }
}

function strongTag(bytes: Uint8Array): string {
  const digest = createHash("sha256").update(bytes).digest("base64url");
  return `"${digest.slice(0, 22)}"`;
}

/** ASCII content as a string, which the platform sends fastest. */
function asciiText(bytes: Uint8Array): string | undefined {
  if (bytes.length > TEXT_LIMIT) return undefined;
  for (const byte of bytes) if (byte > 0x7f) return undefined;
  return new TextDecoder().decode(bytes);
}

function invalid(pattern: string, reason: string): TypeError {
  return new TypeError(
    `Cannot use the response of route "${pattern}": ${reason}`,
  );
}
