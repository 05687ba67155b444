/**
 * The request target inside the URL that a platform assembled from the target
 * and the `Host` header (RFC 9112, section 3.3). The header is the client's
 * word: one with a slash in it would move the border between host and path.
 *
 * @module
 */

/** RFC 9110 `Host`: a registered name, IPv4 or bracketed IPv6, and a port. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** Hosts repeat: the last valid one needs no second look. */
let lastValidHost = "";

/** Whether a `Host` header's value is one that RFC 9110 allows. */
export function isValidHost(host: string): boolean {
  if (host === lastValidHost) return true;
  if (!HOST.test(host)) return false;
  lastValidHost = host;
  return true;
}

/**
 * Where the path begins in `url`; -1 when `Host` is invalid. The path is as
 * the client wrote it; with an absolute-form target its authority counts.
 */
export function pathStart(url: string, host: string | null): number {
  const authority = url.indexOf("//") + 2;
  if (host !== null) {
    if (!isValidHost(host)) return -1;
    const end = authority + host.length;
    if (url.startsWith(host, authority) && isTargetStart(url, end)) return end;
  }
  const slash = url.indexOf("/", authority);
  return slash === -1 ? url.length : slash;
}

function isTargetStart(url: string, index: number): boolean {
  const char = url[index];
  return char === "/" || char === "?" || char === undefined;
}

const PLAIN_PATH = /^\/[!-"$->@-~]*$/;

/**
 * Whether a path is one that clients and platforms pass on as it is: visible
 * ASCII characters without a query or a fragment.
 */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/** The path in `url`, without the query; undefined when `Host` is invalid. */
export function pathOf(url: string, host: string | null): string | undefined {
  const start = pathStart(url, host);
  if (start === -1) return undefined;
  const query = url.indexOf("?", start);
  const path = query === -1 ? url.slice(start) : url.slice(start, query);
  return path === "" ? "/" : path;
}

/** Already as `URL` would write it: no dot segments, nothing to escape. */
const NORMAL = /^\/(?:[\w~!$&()*+,;=:@-]|\/(?!\.)|(?<!\/)\.)*$/;
const NORMAL_QUERY = /^\?[\w~!$&()*+,;=:@\/?.%-]*$/;

let lastNormalOrigin = "";

/** Deno's scheme for requests over Unix sockets; Bun's `url` says "http". */
const UNIX_SCHEME = "http+unix://";

/** `url` as `URL` writes it, without parsing it when that changes nothing. */
export function normalizedUrl(url: string, host: string | null): string {
  const start = pathStart(url, host);
  if (start === -1) return normalizedWithoutHost(url, host!);
  if (url.startsWith(UNIX_SCHEME)) {
    const target = `http://${host ?? "localhost"}`;
    return URL.parse(target + url.slice(start))?.href ?? "http://localhost/";
  }
  const query = url.indexOf("?", start);
  const end = query === -1 ? url.length : query;
  if (
    isNormalOrigin(url.slice(0, start)) && NORMAL.test(url.slice(start, end)) &&
    (query === -1 || NORMAL_QUERY.test(url.slice(query)))
  ) return url;
  return URL.parse(url)?.href ?? withInvalidHost(url, url.slice(start));
}

function isNormalOrigin(origin: string): boolean {
  if (origin === lastNormalOrigin) return true;
  if (URL.parse(origin)?.origin !== origin) return false;
  lastNormalOrigin = origin;
  return true;
}

/** An invalid `Host` must not decide what the path is: leave it out. */
function normalizedWithoutHost(url: string, host: string): string {
  const authority = url.indexOf("//") + 2;
  const rest = url.startsWith(host, authority)
    ? url.slice(authority + host.length)
    : "/";
  return withInvalidHost(url, rest);
}

/** A URL that can be parsed, for a target whose authority makes none. */
function withInvalidHost(url: string, target: string): string {
  const scheme = url.slice(0, url.indexOf("//") + 2);
  const rooted = target.startsWith("/") ? target : `/${target}`;
  return URL.parse(`${scheme}invalid${rooted}`)?.href ?? `${scheme}invalid/`;
}
