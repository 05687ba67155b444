import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { TlsClientPlan, TlsHandshake } from "../engine.ts";
import { REJECTED, shownCertificate } from "./tcp_tls_certificate.ts";
import type { TlsSide } from "./tcp_tls_side.ts";

/**
 * The client's side of TLS.
 *
 * `Deno.startTls` would be shorter. But it breaks a connection that has a read
 * under way, trusts the platform's authorities besides the given ones, and
 * cannot be told to accept a certificate that it cannot verify.
 */
export class TlsClient implements TlsSide {
  readonly securedEvent = "secureConnect";
  readonly #plan: TlsClientPlan;

  constructor(plan: TlsClientPlan) {
    this.#plan = plan;
  }

  open(ciphertext: Duplex): TLSSocket {
    return connect({ ...tlsOptions(this.#plan), socket: ciphertext });
  }

  result(tls: TLSSocket): TlsHandshake {
    const authorizationError = asError(tls.authorizationError);
    return {
      error: undefined,
      alpnProtocol: tls.alpnProtocol || undefined,
      serverName: undefined,
      authorized: tls.authorized,
      authorizationError,
      // Few ask for it, and it takes a while.
      get certificate() {
        const objection = authorizationError?.code ?? REJECTED;
        return shownCertificate(tls, this.authorized ? undefined : objection);
      },
    };
  }

  /** A client begins, so it has always sent something. */
  alert(): undefined {
    return undefined;
  }
}

function tlsOptions(
  plan: TlsClientPlan,
): ConnectionOptions & { allowHalfOpen: boolean } {
  const { serverName, authorities, certificate, alpnProtocols } = plan;
  return {
    host: serverName,
    // An address is never sent as a name.
    servername: isIP(serverName) === 0 ? serverName : "",
    rejectUnauthorized: plan.rejectUnauthorized,
    allowHalfOpen: true,
    ...authorities && { ca: [...authorities] },
    ...certificate && { cert: certificate.cert, key: certificate.key },
    ...alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] },
  };
}

function asError(value: unknown): Error & { code?: string } | undefined {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Error) return value;
  const code = String(value);
  return Object.assign(
    new Error(`Cannot verify the certificate of the server: ${code}`),
    { code },
  );
}
