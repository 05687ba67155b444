/**
 * One view of everything that holds bytes.
 *
 * @module
 */

const encoder = new TextEncoder();

/**
 * The bytes of `value`; undefined if it holds none. They are copied only from
 * text and from shared memory, which platform functions refuse.
 */
export function toBytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof value === "string") return encoder.encode(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof SharedArrayBuffer) return new Uint8Array(value).slice();
  if (!ArrayBuffer.isView(value)) return undefined;
  const { buffer, byteOffset, byteLength } = value;
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, byteLength)
    : new Uint8Array(buffer, byteOffset, byteLength).slice();
}
