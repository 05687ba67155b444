/**
 * Content that is sent, and how to tell that it has arrived.
 *
 * @module
 */

const encoder = new TextEncoder();

/** 1 KiB. */
export const KIBIBYTE = 1024;

/** 1 MiB. */
export const MEBIBYTE = 1024 * 1024;

/** The content of a file: bytes that repeat at no round size. */
export function fileContent(size: number): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(size);
  const period = Uint8Array.from({ length: 251 }, (_, index) => index);
  for (let start = 0; start < size; start += period.length) {
    content.set(period.subarray(0, Math.min(251, size - start)), start);
  }
  return content;
}

/** A text as UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Whether two contents are the same. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}
