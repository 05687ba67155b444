/**
 * Which clients a TLS server wants to see: `requestCert`,
 * `rejectUnauthorized`, `ca` and `crl`.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type { ClientCertificatePlan } from "../engine/engine.ts";
import { invalidOption } from "./option_error.ts";
import { type PemBlock, pemBlocks, pemTexts } from "./pem.ts";

/** First byte of a SEQUENCE (X.690), which every revocation list is. */
const SEQUENCE = 0x30;

/**
 * What a server asks its clients for; undefined if for nothing.
 *
 * @param tls Options whose kinds were checked.
 * @param option Name of the option that has them, for messages.
 * @throws {TypeError} If authorities or revocation lists cannot be used, or
 * nobody could be verified although that is required.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function resolveClientCertificates(
  tls: Readonly<Record<string, unknown>>,
  option: string,
): ClientCertificatePlan | undefined {
  if (tls.requestCert !== true) return undefined;
  const isRequired = tls.rejectUnauthorized !== false;
  const authorities = certificateAuthorities(tls.ca, `${option}.ca`);
  const revocations = revocationLists(tls.crl, `${option}.crl`);
  if (authorities.length === 0 && isRequired) {
    throw invalidOption(
      `Cannot use ${option}.requestCert without ${option}.ca: expected the authorities to trust, or rejectUnauthorized false`,
    );
  }
  if (authorities.length === 0 && revocations.length > 0) {
    throw invalidOption(`Cannot use ${option}.crl without ${option}.ca`);
  }
  return Object.freeze<ClientCertificatePlan>({
    isRequired,
    authorities: Object.freeze(authorities),
    revocations: Object.freeze(revocations),
  });
}

/**
 * The certificates of authorities, one PEM block each; none if the option is
 * absent.
 *
 * @throws {TypeError} If there is something else, or one is malformed.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function certificateAuthorities(ca: unknown, option: string): string[] {
  const certificates = blocksOf(ca, option, "CERTIFICATE", "certificates");
  return certificates.map(({ text }) => {
    try {
      new X509Certificate(text);
    } catch {
      throw invalid(`Cannot use ${option}: a certificate is malformed`);
    }
    return text;
  });
}

function revocationLists(crl: unknown, option: string): string[] {
  const lists = blocksOf(crl, option, "X509 CRL", "revocation lists");
  return lists.map(({ text }) => {
    if (!isSequence(text)) {
      throw invalid(`Cannot use ${option}: a revocation list is malformed`);
    }
    return text;
  });
}

function blocksOf(
  value: unknown,
  option: string,
  wanted: string,
  what: string,
): PemBlock[] {
  const texts = pemTexts(option, value);
  const blocks = texts.flatMap(pemBlocks).filter(({ label }) =>
    label === wanted
  );
  if (texts.length > 0 && blocks.length === 0) {
    throw invalid(
      `Cannot use ${option}: expected ${what} in PEM form, not a path to them`,
    );
  }
  return blocks;
}

/** Whether a PEM block holds one SEQUENCE and nothing else. */
function isSequence(block: string): boolean {
  const base64 = block.split("\n").slice(1, -2).join("").replaceAll(/\s/g, "");
  let text: string;
  try {
    text = atob(base64);
  } catch {
    return false;
  }
  if (text.charCodeAt(0) !== SEQUENCE) return false;
  const first = text.charCodeAt(1);
  if (first < 0x80) return text.length === 2 + first;
  let length = 0;
  const start = 2 + (first & 0x7f);
  for (let at = 2; at < start; at++) {
    length = length * 256 + text.charCodeAt(at);
  }
  return text.length === start + length;
}

function invalid(message: string): TypeError {
  return invalidOption(message, "ERR_INVALID_ARG_VALUE");
}
