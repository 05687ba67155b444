/**
 * Requests for a part of some content (RFC 9110, section 14).
 *
 * @module
 */

/** A part of some content. */
export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

const UNIT = "bytes=";

/**
 * Finds which part of `size` bytes a `Range` field asks for.
 *
 * Only one range is ever honoured. Several at once, other units and anything
 * malformed are ignored, as RFC 9110, section 14.2 allows: the client gets the
 * whole.
 *
 * @returns the part; `"unsatisfiable"` if no byte of it exists (416);
 * undefined if the field is to be ignored.
 */
export function parseRange(
  field: string,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  if (field.slice(0, UNIT.length).toLowerCase() !== UNIT) return undefined;
  const dash = field.indexOf("-", UNIT.length);
  if (dash === -1) return undefined;
  const first = parseDigits(field.slice(UNIT.length, dash));
  const last = parseDigits(field.slice(dash + 1));
  if (first === undefined || last === undefined) return undefined;
  if (first === "") return last === "" ? undefined : suffixRange(last, size);
  if (last !== "" && last < first) return undefined;
  if (first >= size) return "unsatisfiable";
  const end = last === "" ? size : Math.min(last + 1, size);
  return { start: first, end };
}

/** The last `length` bytes. */
function suffixRange(
  length: number,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  if (length === 0) return "unsatisfiable";
  // All of nothing is satisfiable, but no Content-Range can express it.
  if (size === 0) return undefined;
  return { start: Math.max(0, size - length), end: size };
}

/**
 * A number made of nothing but digits; an empty string stays one. Positions
 * beyond the exact integers are beyond any file too.
 */
function parseDigits(text: string): number | "" | undefined {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x30 || unit > 0x39) return undefined;
  }
  return text === "" ? "" : Number(text);
}

/** `Content-Range` of a part. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.start}-${range.end - 1}/${size}`;
}

/** `Content-Range` of an answer with status 416. */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}
