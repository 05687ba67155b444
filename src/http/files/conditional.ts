/**
 * Conditional requests (RFC 9110, section 13).
 *
 * @module
 */

import { ifNoneMatch } from "@std/http/etag";
import { parseHttpDate } from "./http_date.ts";

/** What identifies the current version of some content. */
export interface Validators {
  /** Entity tag, quoted, with `W/` in front if it is weak. */
  readonly etag: string | undefined;
  /** `Last-Modified`, milliseconds since the epoch, whole seconds. */
  readonly lastModified: number | undefined;
}

/** Whether to send content: otherwise 304 or 412. */
export type ConditionResult =
  | "proceed"
  | "not-modified"
  | "precondition-failed";

/**
 * Evaluates the conditions of a GET or HEAD request, in the order of RFC 9110,
 * section 13.2.2; `If-Range` is separate, see {@linkcode isRangeCurrent}.
 */
export function evaluateConditions(
  fields: Headers,
  current: Validators,
): ConditionResult {
  if (!isExpectedVersion(fields, current)) return "precondition-failed";
  return isNewVersion(fields, current) ? "proceed" : "not-modified";
}

/** `If-Match`, else `If-Unmodified-Since`. */
function isExpectedVersion(fields: Headers, current: Validators): boolean {
  const tags = fields.get("if-match");
  if (tags !== null) return matchesStrongly(tags, current.etag);
  const since = parseDateField(fields, "if-unmodified-since");
  if (since === undefined || current.lastModified === undefined) return true;
  return current.lastModified <= since;
}

/** `If-None-Match`, else `If-Modified-Since`. */
function isNewVersion(fields: Headers, current: Validators): boolean {
  const tags = fields.get("if-none-match");
  if (tags !== null) {
    return tags.trim() !== "*" && ifNoneMatch(tags, current.etag);
  }
  const since = parseDateField(fields, "if-modified-since");
  if (since === undefined || current.lastModified === undefined) return true;
  return current.lastModified > since;
}

/**
 * Whether a `Range` still refers to the current version, according to
 * `If-Range` (section 13.1.5); without that field it does. A tag must match
 * strongly, a date exactly.
 */
export function isRangeCurrent(fields: Headers, current: Validators): boolean {
  const validator = fields.get("if-range");
  if (validator === null) return true;
  const { etag, lastModified } = current;
  if (validator.startsWith('"')) return validator === etag;
  const date = parseHttpDate(validator);
  return date !== undefined && date === lastModified;
}

/** Strong comparison (section 8.8.3.2) of a list or `*` with a tag. */
function matchesStrongly(list: string, etag: string | undefined): boolean {
  const trimmed = list.trim();
  // The file is there, whatever its tag.
  if (trimmed === "*") return true;
  if (etag === undefined || etag.startsWith("W/")) return false;
  return trimmed.split(",").some((tag) => tag.trim() === etag);
}

function parseDateField(fields: Headers, name: string): number | undefined {
  const value = fields.get(name);
  return value === null ? undefined : parseHttpDate(value);
}
