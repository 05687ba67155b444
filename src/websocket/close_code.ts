/**
 * What a close frame may say: RFC 6455, sections 5.5.1 and 7.4.
 *
 * @module
 */

import { invalidOption, outOfRange } from "../options/option_error.ts";

/** A control frame holds 125 bytes, and the code takes two. */
const LONGEST_REASON = 123;

/** What is said when closing. */
export interface Closing {
  /** What the `close` handler is told. */
  readonly code: number;
  /** What the close frame says; undefined for an empty one. */
  readonly frameCode: number | undefined;
  /** At most 123 bytes of UTF-8. */
  readonly reason: string;
}

/**
 * Checks what a user wants to close with.
 *
 * @throws {TypeError} If the code is not a number.
 * @throws {RangeError} If no close frame may say that code.
 */
export function closingOf(code: unknown, reason: unknown): Closing {
  const wanted = code === undefined ? 1000 : code;
  if (typeof wanted !== "number") {
    throw invalidOption(`Cannot close: code must be a number, not ${code}`);
  }
  const text = reason === undefined ? "" : cut(String(reason).toWellFormed());
  // These never travel, but the `close` handler reports them.
  if (wanted === 0 || wanted === 1005 || wanted === 1006) {
    return { code: wanted, frameCode: undefined, reason: text };
  }
  if (!mayTravel(wanted)) {
    throw outOfRange(
      `Cannot close with code ${wanted}: expected 1000 to 1003, 1007 to 1014 or 3000 to 4999`,
    );
  }
  return { code: wanted, frameCode: wanted, reason: text };
}

function mayTravel(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 ||
    code >= 3000 && code <= 4999;
}

/** Cuts between characters. */
function cut(text: string): string {
  // Each UTF-16 unit is at most three bytes.
  if (text.length * 3 <= LONGEST_REASON) return text;
  const bytes = new Uint8Array(LONGEST_REASON);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
