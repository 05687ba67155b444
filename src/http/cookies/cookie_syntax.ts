/**
 * The grammar of cookies (RFC 6265): what may be sent, and how text that
 * arrived is read. What is refused here could end an attribute or a header.
 *
 * @module
 */

import { parseCookieDate } from "./cookie_date.ts";

/** When a cookie is sent with requests that other sites cause. */
export type CookieSameSite = "strict" | "lax" | "none";

// Visible ASCII without the characters that end a name in `Set-Cookie`.
const NAME = /^[\x21-\x3a\x3c\x3e-\x7e]+$/;
const HEADER_BREAK = /[\r\n\0]/;
const DOMAIN = /^[A-Za-z0-9._-]*$/;
// Any ASCII character except controls and the semicolon.
const PATH = /^[\x20-\x3a\x3c-\x7e]*$/;
// Outside these years user agents discard the attribute.
const EARLIEST = Date.UTC(1601, 0, 1);
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const ISO_DATE =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function quoted(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 64));
}

/** Returns a cookie's name, or throws a `TypeError`. */
export function checkedName(name: unknown): string {
  const text = `${name}`;
  if (NAME.test(text)) return text;
  throw new TypeError(
    `Cannot use cookie name ${
      quoted(text)
    }: expected visible ASCII characters other than "=" and ";"`,
  );
}

/**
 * Returns a cookie's value as text, or throws a `TypeError`. The message does
 * not repeat the value, which may be a secret.
 */
export function checkedValue(name: string, value: unknown): string {
  const text = `${value}`;
  if (!HEADER_BREAK.test(text)) return text;
  throw new TypeError(
    `Cannot use value of cookie ${quoted(name)}: it contains CR, LF or NUL`,
  );
}

/** Returns the `Domain` attribute in lower case; empty is absent. */
export function checkedDomain(domain: unknown): string {
  const text = domain === null || domain === undefined ? "" : `${domain}`;
  if (DOMAIN.test(text)) return text.toLowerCase();
  throw new TypeError(
    `Cannot use cookie domain ${
      quoted(text)
    }: expected a host name (in Punycode if it is international)`,
  );
}

/** Returns the `Path` attribute; empty is absent. */
export function checkedPath(path: unknown): string {
  const text = path === null || path === undefined ? "/" : `${path}`;
  if (PATH.test(text)) return text;
  throw new TypeError(
    `Cannot use cookie path ${
      quoted(text)
    }: expected ASCII characters without controls and ";"`,
  );
}

/**
 * Returns the `Expires` attribute in milliseconds since the epoch.
 *
 * @param expires A `Date`, seconds since the epoch, or a date in text form.
 */
export function checkedExpires(expires: unknown): number | undefined {
  if (expires === null || expires === undefined) return undefined;
  const time = millisecondsOf(expires);
  if (time === undefined) {
    throw new TypeError(
      `Cannot use cookie expiry ${
        quoted(expires)
      }: expected a Date, a number of seconds, or an HTTP or ISO date`,
    );
  }
  if (time >= EARLIEST && time <= LATEST) return time;
  throw new RangeError(
    `Cannot use cookie expiry ${
      quoted(expires)
    }: expected a date from 1601 to 9999 (numbers are seconds, not milliseconds)`,
  );
}

function millisecondsOf(expires: unknown): number | undefined {
  if (expires instanceof Date) return expires.getTime();
  if (typeof expires === "number") return expires * 1000;
  if (typeof expires !== "string") return undefined;
  return ISO_DATE.test(expires)
    ? Date.parse(expires)
    : parseCookieDate(expires);
}

/** Returns the `Max-Age` attribute in whole seconds. */
export function checkedMaxAge(maxAge: unknown): number | undefined {
  if (maxAge === null || maxAge === undefined) return undefined;
  if (typeof maxAge !== "number" && !isNumeric(maxAge)) {
    throw new TypeError(
      `Cannot use cookie maxAge ${
        quoted(maxAge)
      }: expected a number of seconds`,
    );
  }
  // Max-Age has no fractions; adding 0 turns -0 into 0.
  const seconds = Math.trunc(Number(maxAge)) + 0;
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new RangeError(
    `Cannot use cookie maxAge ${
      quoted(maxAge)
    }: expected a finite number of seconds`,
  );
}

function isNumeric(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "" &&
    !Number.isNaN(Number(value));
}

/** Returns the `SameSite` attribute; upper and lower case are the same. */
export function checkedSameSite(sameSite: unknown): CookieSameSite {
  if (sameSite === null || sameSite === undefined) return "lax";
  const text = String(sameSite).toLowerCase();
  if (isSameSite(text)) return text;
  throw new TypeError(
    `Cannot use cookie sameSite ${
      quoted(sameSite)
    }: expected "strict", "lax" or "none"`,
  );
}

/** Whether the text is a value of the `SameSite` attribute. */
export function isSameSite(text: string): text is CookieSameSite {
  return text === "strict" || text === "lax" || text === "none";
}

/** Writes a value for `Set-Cookie`, percent-encoded. */
export function encodeCookieValue(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/g;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a percent-encoded value; escapes that make no UTF-8 stay as they are. */
export function decodeCookieValue(text: string): string {
  return text.includes("%") ? text.replace(ESCAPES, decodeEscapes) : text;
}

// Not decodeURIComponent: it reports bad escapes by throwing, which costs so
// much that a header full of them would keep the server busy.
function decodeEscapes(escapes: string): string {
  const bytes = new Uint8Array(escapes.length / 3);
  let isAscii = true;
  for (let index = 0; index < bytes.length; index++) {
    const byte = parseInt(escapes.slice(index * 3 + 1, index * 3 + 3), 16);
    bytes[index] = byte;
    isAscii &&= byte < 0x80;
  }
  if (isAscii && bytes.length === 1) return String.fromCharCode(bytes[0]!);
  const text = utf8.decode(bytes);
  const isMalformed = text.includes("\ufffd") && !/%EF%BF%BD/i.test(escapes);
  return isMalformed ? escapes : text;
}

/** The parts between semicolons, without outer blanks. */
export function* semicolonParts(text: string): Generator<string> {
  let start = 0;
  while (start <= text.length) {
    const semicolon = text.indexOf(";", start);
    const end = semicolon < 0 ? text.length : semicolon;
    yield trimBlanks(text, start, end);
    start = end + 1;
  }
}

/** Splits at the first equals sign; undefined if there is no name before it. */
export function nameAndValue(part: string): [string, string] | undefined {
  const equals = part.indexOf("=");
  const name = equals < 0 ? "" : trimBlanks(part, 0, equals);
  if (name === "") return undefined;
  return [name, trimBlanks(part, equals + 1, part.length)];
}

// String.prototype.trim would also remove U+00A0, which stands for a byte of
// a value that was sent as raw UTF-8.
function trimBlanks(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
