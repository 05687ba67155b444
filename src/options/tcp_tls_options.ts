/**
 * TLS of `listen`, `connect` and `upgradeTLS`.
 *
 * @module
 */

import type { TlsClientPlan, TlsServerPlan } from "../engine/engine.ts";
import { readEnvironment } from "../runtime/environment.ts";
import { certificateAuthorities } from "./client_certificates.ts";
import { invalidOption, wrongSecret } from "./option_error.ts";
import { booleanOption, stringOption } from "./simple_options.ts";
import { resolveTls, tlsCertificates } from "./tls_options.ts";

type TlsRecord = Readonly<Record<string, unknown>>;

/**
 * Resolves `tls` of a server: one certificate, or an array of them. Null,
 * false, and what has no certificate mean no TLS.
 *
 * @throws {TypeError} If an option is wrong, or if a certificate, key and
 * passphrase do not fit together.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function resolveServerTls(tls: unknown): TlsServerPlan | undefined {
  const [first, ...others] = tlsCertificates(tls);
  if (first === undefined) return undefined;
  const { ALPNProtocols } = (Array.isArray(tls) ? tls[0] : tls) as TlsRecord;
  return Object.freeze<TlsServerPlan>({
    certificates: [first, ...others],
    isList: Array.isArray(tls),
    alpnProtocols: alpnProtocols(ALPNProtocols),
  });
}

/**
 * Resolves `tls` of a client; null and false mean no TLS.
 *
 * @param hostname The name or address that is connected to; it is the server
 * name if none is given.
 * @throws {TypeError} If an option is wrong.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function resolveClientTls(
  tls: unknown,
  hostname: string | undefined,
): TlsClientPlan | undefined {
  if (tls === undefined || tls === null || tls === false) return undefined;
  if (tls !== true && (typeof tls !== "object" || Array.isArray(tls))) {
    throw wrongSecret("tls", tls, "an object or a boolean");
  }
  const options = (tls === true ? {} : tls) as TlsRecord;
  const { cert, key, passphrase, ca, rejectUnauthorized } = options;
  const isGiven = (value: unknown) => value !== undefined && value !== null;
  return Object.freeze<TlsClientPlan>({
    serverName: serverNameOption(options) ?? hostname ?? "localhost",
    authorities: authorities(ca),
    certificate: isGiven(cert) || isGiven(key)
      ? resolveTls({ cert, key, passphrase })
      : undefined,
    rejectUnauthorized: booleanOption(
      "tls.rejectUnauthorized",
      rejectUnauthorized,
      readEnvironment("NODE_TLS_REJECT_UNAUTHORIZED") !== "0",
    ),
    alpnProtocols: alpnProtocols(options.ALPNProtocols),
  });
}

function authorities(ca: unknown): readonly string[] | undefined {
  if (ca === undefined || ca === null) return undefined;
  const certificates = certificateAuthorities(ca, "tls.ca");
  if (certificates.length > 0) return certificates;
  throw invalidOption(
    "Cannot use tls.ca: expected at least one certificate",
    "ERR_INVALID_ARG_VALUE",
  );
}

function serverNameOption(
  { serverName, servername }: TlsRecord,
): string | undefined {
  return stringOption("tls.serverName", serverName) ||
    stringOption("tls.servername", servername) || undefined;
}

/**
 * Protocols in the form they have on the wire: each after a byte with its
 * length (RFC 7301 section 3.1).
 */
function alpnProtocols(value: unknown): string[] {
  if (value === undefined || value === null || value === "") return [];
  const bytes = alpnBytes(value);
  const protocols: string[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const length = bytes[offset]!;
    const end = offset + 1 + length;
    const isText = bytes.subarray(offset + 1, end)
      .every((byte) => byte > 0x20 && byte < 0x7f);
    if (length === 0 || end > bytes.length || !isText) {
      throw invalidOption(
        'Cannot use tls.ALPNProtocols: expected names, each after a byte with its length, such as "\\x02h2\\x08http/1.1"',
      );
    }
    protocols.push(String.fromCharCode(...bytes.subarray(offset + 1, end)));
    offset = end;
  }
  return protocols;
}

function alpnBytes(value: unknown): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw wrongSecret("tls.ALPNProtocols", value, "text or bytes");
}
