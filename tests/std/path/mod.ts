/**
 * Stand-in for `jsr:@std/path`, so that the tests run without a network: the
 * names that this project uses, and no others.
 *
 * @module
 */

import path from "node:path";

const isWindows = Deno.build.os === "windows";

/** What separates the segments of a path: `/`, or `\` on Windows. */
export const SEPARATOR: "/" | "\\" = isWindows ? "\\" : "/";

function pathOf(value: string | URL): string {
  return value instanceof URL ? fromFileUrl(value) : value;
}

/** The last segment of a path, without `suffix` if it ends in that. */
export function basename(value: string | URL, suffix: string = ""): string {
  return path.basename(pathOf(value), suffix);
}

/** The directory that a path is in. */
export function dirname(value: string | URL): string {
  return path.dirname(pathOf(value));
}

/** The extension of a path with its dot; empty if there is none. */
export function extname(value: string | URL): string {
  return path.extname(pathOf(value));
}

/** Joins segments and removes `.` and `..` from the result. */
export function join(value: string | URL, ...segments: string[]): string {
  return path.join(pathOf(value), ...segments);
}

/** Resolves segments into an absolute path. */
export function resolve(...segments: string[]): string {
  return path.resolve(...segments);
}

/**
 * The path that a `file:` URL names.
 *
 * @throws {TypeError} If it is not a `file:` URL.
 */
export function fromFileUrl(url: string | URL): string {
  const { protocol, hostname, pathname } = new URL(url);
  if (protocol !== "file:") {
    throw new TypeError(
      `URL must be a file URL: received "${protocol}"`,
    );
  }
  // A percent sign that begins no escape stands for itself.
  const decoded = decodeURIComponent(
    pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"),
  );
  if (!isWindows) return decoded;
  const local = decoded.replaceAll("/", "\\").replace(/^\\(?=[A-Za-z]:)/, "");
  return hostname === "" ? local : `\\\\${hostname}${local}`;
}

/**
 * The `file:` URL of an absolute path.
 *
 * @throws {TypeError} If the path is relative.
 */
export function toFileUrl(value: string): URL {
  if (!path.isAbsolute(value)) {
    throw new TypeError(`Path must be absolute: received "${value}"`);
  }
  const escaped = value.replaceAll("%", "%25").replace(
    /[\s?#]/g,
    (character) => encodeURIComponent(character),
  );
  const url = new URL("file:///");
  url.pathname = isWindows ? escaped : escaped.replaceAll("\\", "%5C");
  return url;
}
