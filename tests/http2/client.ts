/**
 * A client for HTTP/2, by node:http2.
 *
 * @module
 */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
} from "node:http2";
import { createHash } from "node:crypto";

/** What came back on a stream. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Fields of a request; the method is GET unless there is another. */
export type Fields = Readonly<Record<string, string | string[]>>;

/** A connection. */
export class Http2Client implements AsyncDisposable {
  readonly session: ClientHttp2Session;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;

  /** @param origin Such as `http://127.0.0.1:8080`; nothing is verified. */
  constructor(origin: string, options: Record<string, unknown> = {}) {
    this.session = connect(origin, { rejectUnauthorized: false, ...options });
    // Whoever waits for a stream is told.
    this.session.on("error", () => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    this.session.on("close", resolve);
    this.closed = promise;
  }

  /** Opens a stream. */
  open(path: string, fields: Fields = {}, endStream = true): ClientHttp2Stream {
    return this.session.request({ ":path": path, ...fields }, { endStream });
  }

  /** Requests a path, with all of the content at once. */
  fetch(
    path: string,
    fields: Fields = {},
    content?: Uint8Array | string,
  ): Promise<Received> {
    const stream = this.open(path, fields, content === undefined);
    if (content !== undefined) stream.end(content);
    return receive(stream);
  }

  /** Requests a path and decodes the content. */
  async text(path: string, fields: Fields = {}): Promise<string> {
    const { content } = await this.fetch(path, fields);
    return new TextDecoder().decode(content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy();
    await this.closed;
  }
}

/** All that comes on a stream; rejects if it is reset. */
export function receive(stream: ClientHttp2Stream): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const chunks: Uint8Array[] = [];
  let headers: Record<string, string> = {};
  stream.on("response", (fields: Record<string, string>) => headers = fields);
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  stream.on("end", () => {
    const status = Number(headers[":status"]);
    if (status > 0) resolve({ status, headers, content: concat(chunks) });
    else reject(new Error("The stream has ended without an answer"));
  });
  stream.on("error", reject);
  stream.on("close", () => reject(new Error(`Reset: ${stream.rstCode}`)));
  return promise;
}

function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** SHA-256 in hexadecimal. */
export function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bytes that do not repeat soon. */
export function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index++) {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
