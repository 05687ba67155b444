/**
 * From the path in a request to a path below a directory.
 *
 * @module
 */

/**
 * Decodes the part of a request path that names a file below a directory.
 *
 * Only the canonical spelling of a name is accepted. Whoever guards a path
 * with another route, or with a proxy in front, then need not think of every
 * other way to write it.
 *
 * @param rest The raw path after the directory's prefix, without query.
 * @param isWindows Whether names must also be safe on Windows.
 * @returns the relative path with `/` between its segments and, if the request
 * names a directory, at its end; undefined if the spelling is not canonical.
 */
export function decodeDirectoryPath(
  rest: string,
  isWindows: boolean = Deno.build.os === "windows",
): string | undefined {
  if (rest === "") return "";
  const segments: string[] = [];
  const rawSegments = rest.split("/");
  const lastIndex = rawSegments.length - 1;
  for (const [index, raw] of rawSegments.entries()) {
    if (raw === "" && index === lastIndex) {
      segments.push("");
      break;
    }
    const segment = decodeSegment(raw);
    if (segment === undefined) return undefined;
    if (isWindows && !isSafeOnWindows(segment)) return undefined;
    segments.push(segment);
  }
  return segments.join("/");
}

function decodeSegment(raw: string): string | undefined {
  if (raw === "" || raw === "." || raw === "..") return undefined;
  for (let index = 0; index < raw.length; index++) {
    const unit = raw.charCodeAt(index);
    if (isForbiddenRaw(unit)) return undefined;
    if (unit !== 0x25) continue;
    const encoded = Number.parseInt(raw.slice(index + 1, index + 3), 16);
    if (!isNeededEncoding(encoded)) return undefined;
  }
  try {
    // Refuses malformed escapes, overlong forms and surrogates.
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

/** Controls, space, `#`, DEL, and what separates names on Windows. */
function isForbiddenRaw(unit: number): boolean {
  return unit <= 0x20 || unit === 0x23 || unit === 0x5c || unit === 0x7f;
}

/**
 * Whether a byte must be percent-encoded in a path segment and may be part of
 * a name. Characters that stand for themselves (RFC 3986 `pchar`) must not be
 * encoded: otherwise a name had more than one spelling.
 */
function isNeededEncoding(byte: number): boolean {
  if (Number.isNaN(byte) || byte === 0x00) return false;
  const char = String.fromCharCode(byte);
  return char !== "/" && char !== "\\" && !isPathCharacter(char);
}

const PATH_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,;=:@]$/;

function isPathCharacter(char: string): boolean {
  return PATH_CHARACTER.test(char);
}

/** Drives, streams, wildcards, and endings that Windows drops silently. */
const UNSAFE_ON_WINDOWS = /[:*?"<>|]|[. ]$/;

function isSafeOnWindows(segment: string): boolean {
  return !UNSAFE_ON_WINDOWS.test(segment);
}
