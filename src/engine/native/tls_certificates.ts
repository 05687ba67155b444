import { normalizeServerName } from "../../options/sni_table.ts";
import type { ClientCertificatePlan, HttpTlsPlan } from "../engine.ts";
import { POLICY_REQUIRED } from "./abi.ts";
import type { Helper } from "./symbols.ts";
import { describeErrno } from "./system_error.ts";

/** No handle has this number. */
const NOBODY = 0;

/** The certificates of a server as `jstime_tls` takes them. */
export function encodeCertificates(
  { certificates }: HttpTlsPlan,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const texts = certificates.flatMap(({ serverName, cert, key }) =>
    [normalizeServerName(serverName ?? ""), cert, key]
      .map((text) => encoder.encode(text))
  );
  const pairs = [certificates.length, ...texts.map(({ length }) => length)];
  const head = [words(pairs), ...texts];
  if (certificates.every(({ clients }) => clients === undefined)) {
    return joined(head);
  }
  const policies = certificates.map(({ clients }) => encodePolicy(clients));
  const lengths = policies.map(({ length }) => length);
  return joined([...head, words(lengths), ...policies]);
}

/** What clients are asked for; nothing at all if for nothing. */
function encodePolicy(
  plan: ClientCertificatePlan | undefined,
): Uint8Array<ArrayBuffer> {
  if (plan === undefined) return new Uint8Array();
  const encoder = new TextEncoder();
  const authorities = encoder.encode(plan.authorities.join(""));
  const revocations = encoder.encode(plan.revocations.join(""));
  const flags = plan.isRequired ? POLICY_REQUIRED : 0;
  return joined([
    words([flags, authorities.length]),
    authorities,
    revocations,
  ]);
}

function words(values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function joined(
  parts: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(size);
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/**
 * What of a plan the helper cannot use, since it is of a kind that it does not
 * support; undefined if it can use all.
 */
export function unusableIn(
  helper: Helper,
  tls: HttpTlsPlan,
): string | undefined {
  if (canUse(helper, tls)) return undefined;
  const [first, ...others] = tls.certificates.map((certificate) => ({
    ...certificate,
    clients: undefined,
  }));
  return canUse(helper, { ...tls, certificates: [first!, ...others] })
    ? "an authority or a revocation list"
    : "a certificate or its key";
}

function canUse(helper: Helper, tls: HttpTlsPlan): boolean {
  const bytes = encodeCertificates(tls);
  // It looks at them before it looks for the handle.
  const result = helper.jstime_tls(NOBODY, 0, bytes, bytes.length);
  return describeErrno(-result).code !== "EINVAL";
}
