import { verificationError } from "../../tls/peer_certificate.ts";
import type { ShownCertificate, TlsHandshake } from "../engine.ts";
import { TCP_AUTHORIZED, TCP_HAS_CERTIFICATE } from "./abi.ts";
import type { EventBatch } from "./event_reader.ts";
import { decodePeerCertificate } from "./peer_certificate.ts";
import { textIn } from "./text.ts";

/**
 * Reads EVENT_TCP_SECURED; `at` is the index of the record's first word.
 */
export function handshakeIn(batch: EventBatch, at: number): TlsHandshake {
  const { words, bytes } = batch;
  const flags = words[at + 1]! >>> 8;
  const lengths = words[at + 4]!;
  const start = (at + 5) << 2;
  const code = start + (lengths & 0xff);
  const name = code + (lengths >>> 8 & 0xff);
  const end = name + (lengths >>> 16);
  const objection = textIn(batch, code, name);
  const result: TlsHandshake = {
    error: undefined,
    alpnProtocol: textIn(batch, start, code) || undefined,
    serverName: textIn(batch, name, end) || undefined,
    authorized: (flags & TCP_AUTHORIZED) !== 0,
    authorizationError: objection === ""
      ? undefined
      : verificationError(objection),
  };
  if ((flags & TCP_HAS_CERTIFICATE) === 0) return result;
  const recordEnd = (at << 2) + words[at]!;
  return withCertificate(result, bytes.slice(end, recordEnd));
}

/** Few look at it. */
function withCertificate(
  result: TlsHandshake,
  encoded: Uint8Array<ArrayBuffer>,
): TlsHandshake {
  let certificate: ShownCertificate | undefined;
  return {
    ...result,
    get certificate() {
      return certificate ??= decodePeerCertificate(encoded);
    },
  };
}
