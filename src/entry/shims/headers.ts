/**
 * `Headers.prototype.toJSON`, which Bun has and the Fetch standard does not.
 *
 * @module
 */

/**
 * Header fields as an object: names in lower case, several lines of one name
 * joined by `, `, except `set-cookie`, which is always a list.
 */
export function headersToJson(
  this: Headers,
): Record<string, string | string[]> {
  // A header may be called `__proto__`.
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of this) {
    if (name !== "set-cookie") fields[name] = value;
  }
  const cookies = this.getSetCookie();
  if (cookies.length > 0) fields["set-cookie"] = cookies;
  return { ...fields };
}

/** Adds `toJSON` to `Headers.prototype` where it is missing. */
export function installHeadersToJson(): void {
  if ("toJSON" in Headers.prototype) return;
  Object.defineProperty(Headers.prototype, "toJSON", {
    value: headersToJson,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
