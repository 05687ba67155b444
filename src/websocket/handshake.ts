/**
 * The opening handshake: RFC 6455, section 4.2.
 *
 * @module
 */

/** What a request asks for. */
export type HandshakeKind = "websocket" | "other version" | "no websocket";

/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** These belong to the handshake and to framing, not to users. */
const RESERVED = [
  "connection",
  "content-length",
  "keep-alive",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-version",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Whether a request is an opening handshake that can be answered. */
export function handshakeOf({ method, headers }: Request): HandshakeKind {
  if (
    method !== "GET" || !hasToken(headers.get("upgrade"), "websocket") ||
    !hasToken(headers.get("connection"), "upgrade") ||
    !KEY.test(headers.get("sec-websocket-key") ?? "")
  ) {
    return "no websocket";
  }
  const version = headers.get("sec-websocket-version");
  return version === "13" ? "websocket" : "other version";
}

/** Tells the client which version to use: RFC 6455, section 4.4. */
export function versionRefusal(): Response {
  return new Response(null, {
    status: 426,
    headers: {
      "connection": "close, upgrade",
      "sec-websocket-version": "13",
      "upgrade": "websocket",
    },
  });
}

/**
 * The headers of the answer besides those of the handshake itself. The first
 * subprotocol that the client offers is accepted unless `own` names one.
 *
 * @throws {TypeError} If a name or a value is no header.
 */
export function handshakeHeaders(
  request: Request,
  own: HeadersInit | undefined,
  cookies: readonly string[],
): Headers {
  const headers = new Headers(own);
  for (const name of RESERVED) headers.delete(name);
  for (const line of cookies) headers.append("set-cookie", line);
  if (!headers.has("sec-websocket-protocol")) {
    const protocol = firstProtocol(request);
    if (protocol !== undefined) {
      headers.set("sec-websocket-protocol", protocol);
    }
  }
  return headers;
}

function firstProtocol({ headers }: Request): string | undefined {
  const offered = headers.get("sec-websocket-protocol");
  const first = elementsOf(offered).find((element) => element !== "");
  return first !== undefined && TOKEN.test(first) ? first : undefined;
}

function hasToken(value: string | null, token: string): boolean {
  if (value === null) return false;
  return elementsOf(value).some((element) => element.toLowerCase() === token);
}

/** The elements of a comma-separated list: RFC 9110, section 5.6.1. */
function elementsOf(value: string | null): string[] {
  return value === null ? [] : value.split(",").map((part) => part.trim());
}
