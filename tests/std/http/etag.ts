/**
 * Stand-in for `jsr:@std/http/etag`, so that the tests run without a network:
 * the names that this project uses, and no others.
 *
 * @module
 */

function opaqueTag(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/**
 * Whether a request with this `If-None-Match` wants the content: false means
 * that it already has it (304), by weak comparison (RFC 9110, section 13.1.2).
 *
 * @param value The `If-None-Match` field, null if absent.
 * @param etag The entity tag of the content, undefined if it has none.
 */
export function ifNoneMatch(
  value: string | null,
  etag: string | undefined,
): boolean {
  if (!value || !etag) return true;
  const list = value.trim();
  if (list === "*") return false;
  const wanted = opaqueTag(etag);
  return !list.split(/\s*,\s*/).some((tag) => opaqueTag(tag) === wanted);
}
