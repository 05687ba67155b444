/**
 * Text on its way to an I/O thread, and from there.
 *
 * @module
 */

import type { EventBatch } from "./event_reader.ts";

const encoder = new TextEncoder();

/** What clients send is passed on as it is, U+FEFF at its beginning included. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A unit of UTF-16 becomes three bytes of UTF-8 at most. */
export const MOST_BYTES = 3;

/** Writing text this short letter by letter costs least. */
const SHORT_TEXT = 96;

/** Up to so many bytes `Buffer` reads text faster than `TextDecoder`. */
const SHORT_BYTES = 512;

/** For text that is copied at once. */
const scratch = new Uint8Array(1024 * 1024);

/**
 * Writes text as UTF-8, for which there must be `MOST_BYTES` of room for each
 * unit; returns where it ends.
 */
export function writeText(
  bytes: Uint8Array,
  start: number,
  text: string,
): number {
  const { length } = text;
  if (length <= SHORT_TEXT) {
    let index = 0;
    for (; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) break;
      bytes[start + index] = unit;
    }
    if (index === length) return start + length;
  }
  const room = bytes.subarray(start, start + length * MOST_BYTES);
  return start + encoder.encodeInto(text, room).written;
}

/** Text as UTF-8, until the next call. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (text.length * MOST_BYTES > scratch.length) return encoder.encode(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** UTF-8 as text. */
export function decodeText(bytes: Uint8Array<ArrayBuffer>): string {
  return decoder.decode(bytes);
}

/** UTF-8 inside a batch as text. */
export function textIn(batch: EventBatch, start: number, end: number): string {
  return end - start <= SHORT_BYTES
    ? batch.text.toString("utf8", start, end)
    : decoder.decode(batch.bytes.subarray(start, end));
}

/** Memory of at least `size` bytes, until the next call of anything here. */
export function scratchOf(size: number): Uint8Array<ArrayBuffer> {
  return size <= scratch.length
    ? scratch.subarray(0, size)
    : new Uint8Array(size);
}
