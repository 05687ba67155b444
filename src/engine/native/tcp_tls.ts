/**
 * TLS of TCP listeners by the helper.
 *
 * @module
 */

import type { TlsServerPlan } from "../engine.ts";
import type { Helper } from "./symbols.ts";
import { describeErrno } from "./system_error.ts";
import { encodeCertificates } from "./tls_certificates.ts";

/** No handle has this number. */
const NOBODY = 0;

/**
 * Whether the helper can speak TLS by a plan: not if a certificate, an authority
 * or a revocation list is of a kind that it does not support.
 */
export function speaksTls(helper: Helper, plan: TlsServerPlan): boolean {
  // It looks at them before it looks for the handle.
  const result = setTls(helper, NOBODY, 0, plan);
  return describeErrno(-result).code !== "EINVAL";
}

/** Sets how a listener speaks TLS; below zero, the error number. */
export function setTls(
  helper: Helper,
  handle: number,
  listener: number,
  { certificates, alpnProtocols }: TlsServerPlan,
): number {
  const names = encodeProtocols(alpnProtocols);
  const bytes = encodeCertificates({ certificates, isList: true });
  return helper.jstime_tcp_tls(
    handle,
    listener,
    names,
    names.length,
    bytes,
    bytes.length,
  );
}

/** Names of protocols as TLS has them: each behind its length. */
export function encodeProtocols(
  names: readonly string[],
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return Uint8Array.from(names.flatMap((name) => {
    const bytes = encoder.encode(name);
    return [bytes.length, ...bytes];
  }));
}
