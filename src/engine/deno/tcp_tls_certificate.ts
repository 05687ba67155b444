import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { ShownCertificate } from "../engine.ts";

/** Longer chains are cut off. */
const LONGEST_CHAIN = 16;

/** For a certificate that is not trusted, and nobody says why. */
export const REJECTED = "CERT_REJECTED";

/** A server's end of a TLS connection, as far as the types do not tell it. */
interface Verified {
  readonly ssl?: { verifyError?(): unknown } | null;
}

/**
 * What the peer has shown in a handshake; undefined without a certificate, and
 * when the connection is gone.
 *
 * @param objection Why it is not trusted; undefined if it is.
 */
export function shownCertificate(
  tls: TLSSocket,
  objection: string | undefined,
): ShownCertificate | undefined {
  const [own, ...others] = chainOf(tls.getPeerCertificate(true));
  return own && { chain: [own, ...others], objection };
}

/**
 * Why the platform would not trust a client by its certificate; undefined if it
 * does, and also if the client has shown none.
 */
export function clientObjection(tls: TLSSocket): string | undefined {
  const { ssl } = tls as Verified;
  // What its own servers ask. If it cannot be asked, nobody is trusted.
  if (typeof ssl?.verifyError !== "function") return REJECTED;
  const error = ssl.verifyError();
  // Text in Deno, empty if all is well; in Node it is an error or null.
  if (error === "" || error === null || error === undefined) return undefined;
  if (typeof error === "string") return error;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : REJECTED;
}

function chainOf(
  shown: DetailedPeerCertificate | null | undefined,
): Uint8Array<ArrayBuffer>[] {
  const chain: Uint8Array<ArrayBuffer>[] = [];
  let one = shown;
  while (one?.raw !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(Uint8Array.from(one.raw));
    // One that signs itself is its own issuer.
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate;
  }
  return chain;
}
