/**
 * Reads `Set-Cookie` header values.
 *
 * @module
 */

import type { CookieInit } from "./cookie.ts";
import { parseCookieDate } from "./cookie_date.ts";
import {
  decodeCookieValue,
  isSameSite,
  nameAndValue,
  semicolonParts,
} from "./cookie_syntax.ts";

/** A mutable `CookieInit` with a name and a value. */
type ParsedCookie =
  & {
    -readonly [Key in keyof CookieInit]: CookieInit[Key];
  }
  & { name: string; value: string };

/**
 * Reads a `Set-Cookie` header value the way user agents do (RFC 6265, section
 * 5.2): attributes that are unknown or make no sense are ignored, and of
 * several the last one counts.
 *
 * @throws {TypeError} If there is no name, or a character that no header has.
 */
export function parseSetCookie(text: string): ParsedCookie {
  if (/[\r\n\0]/.test(text)) {
    throw new TypeError("Cannot parse cookie: it contains CR, LF or NUL");
  }
  const [pair = "", ...attributes] = semicolonParts(text);
  const named = nameAndValue(pair);
  if (named === undefined) {
    throw new TypeError('Cannot parse cookie: expected "name=value"');
  }
  const cookie: ParsedCookie = {
    name: named[0],
    value: decodeCookieValue(named[1]),
  };
  for (const attribute of attributes) readAttribute(cookie, attribute);
  return cookie;
}

function readAttribute(cookie: ParsedCookie, attribute: string): void {
  const [name, value] = nameAndValue(attribute) ?? [attribute, ""];
  switch (name.toLowerCase()) {
    case "domain":
      if (value !== "") cookie.domain = value;
      break;
    case "path":
      cookie.path = value.startsWith("/") ? value : "/";
      break;
    case "expires": {
      const time = parseCookieDate(value);
      if (time !== undefined) cookie.expires = new Date(time);
      break;
    }
    case "max-age":
      if (/^-?\d+$/.test(value)) cookie.maxAge = boundedInteger(value);
      break;
    case "samesite": {
      const sameSite = value.toLowerCase();
      if (isSameSite(sameSite)) cookie.sameSite = sameSite;
      break;
    }
    case "secure":
      cookie.secure = true;
      break;
    case "httponly":
      cookie.httpOnly = true;
      break;
    case "partitioned":
      cookie.partitioned = true;
      break;
  }
}

function boundedInteger(digits: string): number {
  const limit = Number.MAX_SAFE_INTEGER;
  return Math.min(Math.max(Number(digits), -limit), limit);
}
