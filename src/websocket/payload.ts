/**
 * What can be sent, made what an engine can send.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { describe, invalidOption } from "../options/option_error.ts";

/** Bytes that are still being read from a Blob. */
export class PendingBytes {
  /** How many there will be. */
  readonly size: number;
  /** Reads them, once. */
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;

  constructor(blob: Blob) {
    this.size = blob.size;
    this.bytes = blob.arrayBuffer().then((buffer) => new Uint8Array(buffer));
    // Whoever waits for it handles its failure; perhaps nobody does any more.
    this.bytes.catch(() => {});
  }
}

/** Text, or bytes that no other thread can change meanwhile. */
export type Payload = string | Uint8Array<ArrayBuffer> | PendingBytes;

/** The number of bytes of a payload. */
export function sizeOf(data: Payload): number {
  if (typeof data === "string") return Buffer.byteLength(data);
  return data instanceof PendingBytes ? data.size : data.byteLength;
}

/**
 * Makes anything a payload.
 *
 * @throws {TypeError} If it is null, undefined, or nothing that has a text.
 */
export function toPayload(data: unknown): Payload {
  if (typeof data === "string") return data;
  if (data === undefined || data === null) {
    throw invalidOption(`Cannot send ${data}: expected text or bytes`);
  }
  return bytesOf(data) ?? `${data}`;
}

/**
 * Takes text only.
 *
 * @throws {TypeError} If it is not a string.
 */
export function toText(data: unknown): string {
  if (typeof data === "string") return data;
  throw invalidOption(`Cannot send ${describe(data)}: expected a string`);
}

/**
 * Takes bytes only.
 *
 * @throws {TypeError} If it is neither bytes nor a Blob.
 */
export function toBytes(data: unknown): Uint8Array<ArrayBuffer> | PendingBytes {
  const bytes = bytesOf(data);
  if (bytes !== undefined) return bytes;
  throw invalidOption(`Cannot send ${describe(data)}: expected bytes`);
}

function bytesOf(
  data: unknown,
): Uint8Array<ArrayBuffer> | PendingBytes | undefined {
  if (ArrayBuffer.isView(data)) {
    const { buffer, byteOffset, byteLength } = data;
    if (!(buffer instanceof ArrayBuffer)) return copyOf(buffer, data);
    return data instanceof Uint8Array
      ? data as Uint8Array<ArrayBuffer>
      : new Uint8Array(buffer, byteOffset, byteLength);
  }
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof SharedArrayBuffer) {
    return copyOf(data, { byteOffset: 0, byteLength: data.byteLength });
  }
  return data instanceof Blob ? new PendingBytes(data) : undefined;
}

function copyOf(
  buffer: SharedArrayBuffer | ArrayBuffer,
  { byteOffset, byteLength }: Pick<DataView, "byteOffset" | "byteLength">,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
}
