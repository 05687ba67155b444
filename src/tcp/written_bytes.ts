import { describe, outOfRange, wrongType } from "../options/option_error.ts";

const encoder = new TextEncoder();

/**
 * The bytes that arguments of `write` stand for. Bytes are not copied.
 *
 * @throws {TypeError} If an argument has the wrong type.
 * @throws {RangeError} If offset or length lie outside of the data.
 */
export function writtenBytes(
  data: unknown,
  byteOffset: unknown,
  byteLength: unknown,
): Uint8Array {
  const bytes = bytesOf("data", data);
  if (byteOffset === undefined && byteLength === undefined) return bytes;
  const offset = part("byteOffset", byteOffset, bytes.length, 0);
  const rest = bytes.length - offset;
  const length = part("byteLength", byteLength, rest, rest);
  return bytes.subarray(offset, offset + length);
}

/**
 * The bytes of text, as UTF-8, or of a buffer, which is not copied.
 *
 * @param name What the value is called in an error.
 * @throws {TypeError} If it is neither.
 */
export function bytesOf(name: string, data: unknown): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) {
    return new Uint8Array(data);
  }
  throw wrongType(name, data, "text or bytes");
}

function part(
  name: string,
  value: unknown,
  highest: number,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number") {
    throw wrongType(name, value, "an integer");
  }
  if (Number.isInteger(value) && value >= 0 && value <= highest) return value;
  throw outOfRange(
    `Cannot use ${name} ${
      describe(value)
    }: expected an integer from 0 to ${highest}`,
  );
}
