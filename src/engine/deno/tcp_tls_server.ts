import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type {
  ClientCertificatePlan,
  NamedCertificate,
  TlsHandshake,
  TlsServerPlan,
} from "../engine.ts";
import { SniTable } from "../../options/sni_table.ts";
import { verificationError } from "../../tls/peer_certificate.ts";
import { unavailable } from "../unavailable.ts";
import type { SystemError } from "./tcp_error.ts";
import { clientObjection, shownCertificate } from "./tcp_tls_certificate.ts";
import type { TlsSide } from "./tcp_tls_side.ts";

/** Alerts of RFC 8446 section 6.2, RFC 7301 section 3.2. */
const HANDSHAKE_FAILURE = 40;
const DECODE_ERROR = 50;
const NO_APPLICATION_PROTOCOL = 120;

/** What OpenSSL says of clients without a certificate. */
const NO_CERTIFICATE = "UNABLE_TO_GET_ISSUER_CERT";

/** What a server name stands for. */
interface NamedServer {
  readonly context: SecureContext;
  /** What clients are asked for, if anything. */
  readonly clients: ClientCertificatePlan | undefined;
}

/**
 * The server's side of TLS, for listeners that have a list of certificates, ask
 * clients for theirs, or listen on Unix sockets: `Deno.listenTls` can do none of
 * that. (It has an
 * undocumented resolver of server names. It remembers every name that a client
 * ever sent, for as long as it listens, so clients can fill the memory. And it
 * does not tell the name.)
 */
export class TlsServer implements TlsSide {
  readonly securedEvent = "secure";
  readonly #names: SniTable<NamedServer>;
  readonly #alpnProtocols: readonly string[];
  /** Some clients are asked for a certificate. */
  readonly #asks: boolean;
  /** All clients have to have one. */
  readonly #requires: boolean;

  /** @throws {Error} If the platform cannot use a certificate or its key. */
  constructor({ certificates, alpnProtocols }: TlsServerPlan) {
    const contexts = new Map<string, SecureContext>();
    this.#names = new SniTable(certificates.map((certificate) => {
      const { serverName, cert, key, clients } = certificate;
      const id = [cert, key, ...clients?.authorities ?? []].join("");
      const context = contexts.get(id) ?? usableContext(certificate);
      contexts.set(id, context);
      return [serverName, { context, clients }] as const;
    }));
    this.#alpnProtocols = alpnProtocols;
    this.#asks = certificates.some(({ clients }) => clients !== undefined);
    this.#requires = certificates.every(({ clients }) => clients?.isRequired);
  }

  open(ciphertext: Duplex): TLSSocket {
    const alpnProtocols = this.#alpnProtocols;
    return new TLSSocket(ciphertext, {
      isServer: true,
      secureContext: this.#names.select("").context,
      // Before the name is known; `result` looks who was to be asked.
      requestCert: this.#asks,
      rejectUnauthorized: this.#requires,
      SNICallback: (serverName, done) => {
        done(null, this.#names.select(serverName).context);
      },
      ...alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] },
    });
  }

  result(tls: TLSSocket): TlsHandshake {
    // It is there, although the types do not say so; null without a name.
    const { servername } = tls as TLSSocket & { servername?: string | null };
    const { clients } = this.#names.select(servername ?? "");
    const common = {
      alpnProtocol: tls.alpnProtocol || undefined,
      serverName: servername || undefined,
    };
    if (clients === undefined) {
      return {
        ...common,
        error: undefined,
        authorized: false,
        authorizationError: undefined,
      };
    }
    const certificate = shownCertificate(
      tls,
      clients.authorities.length > 0
        ? clientObjection(tls)
        : "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    );
    const objection = certificate === undefined
      ? NO_CERTIFICATE
      : certificate.objection;
    const authorizationError = objection === undefined
      ? undefined
      : verificationError(objection);
    return {
      ...common,
      error: clients.isRequired ? authorizationError : undefined,
      authorized: authorizationError === undefined,
      authorizationError,
      certificate,
    };
  }

  /** The platform sends alerts only over sockets of its own. */
  alert(error: SystemError): Uint8Array | undefined {
    // What is not about TLS is about a peer that is gone.
    if (!error.code?.startsWith("ERR_")) return undefined;
    const reason = error.code === "ERR_SSL_NO_APPLICATION_PROTOCOL"
      ? NO_APPLICATION_PROTOCOL
      : error.message.includes("corrupt message")
      ? DECODE_ERROR
      : HANDSHAKE_FAILURE;
    // A record of type alert, TLS 1.2 as all versions have it, and the level.
    return Uint8Array.of(21, 3, 3, 0, 2, 2, reason);
  }
}

/**
 * Whether the platform's own TLS can serve by a plan: clients have no choice
 * among certificates, and are not asked for any. It costs half the CPU of ours,
 * but does not tell the server name, has no socket options, and keeps the
 * descriptors of silent clients; so a list, even of one, gets ours.
 */
export function isForPlatform(
  { certificates: [first], isList }: TlsServerPlan,
): boolean {
  return !isList && first.clients === undefined;
}

/** A context with a key that will work, which contexts themselves do not say. */
function usableContext(
  { cert, key, clients }: NamedCertificate,
): SecureContext {
  // The one place where the platform looks at both at once, and needs neither
  // a connection nor a permission for that.
  Deno.createHttpClient({ cert, key }).close();
  if (clients === undefined) return createSecureContext({ cert, key });
  if (clients.revocations.length > 0) {
    throw unavailable(
      "Cannot use tls.crl: TLS of the deno engine cannot look for revoked certificates",
    );
  }
  return createSecureContext({ cert, key, ca: [...clients.authorities] });
}
