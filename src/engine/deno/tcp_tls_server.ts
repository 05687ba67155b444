import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { TlsHandshake, TlsPlan, TlsServerPlan } from "../engine.ts";
import { SniTable } from "../../options/sni_table.ts";
import type { SystemError } from "./tcp_error.ts";
import type { TlsSide } from "./tcp_tls_side.ts";

/** Alerts of RFC 8446 section 6.2, RFC 7301 section 3.2. */
const HANDSHAKE_FAILURE = 40;
const DECODE_ERROR = 50;
const NO_APPLICATION_PROTOCOL = 120;

/**
 * The server's side of TLS, for listeners that have several certificates or
 * listen on Unix sockets: `Deno.listenTls` can do neither. (It has an
 * undocumented resolver of server names. It remembers every name that a client
 * ever sent, for as long as it listens, so clients can fill the memory. And it
 * does not tell the name.)
 */
export class TlsServer implements TlsSide {
  readonly securedEvent = "secure";
  readonly #contexts: SniTable<SecureContext>;
  readonly #alpnProtocols: readonly string[];

  /** @throws {Error} If the platform cannot use a certificate or its key. */
  constructor({ certificates, alpnProtocols }: TlsServerPlan) {
    const contexts = new Map<string, SecureContext>();
    this.#contexts = new SniTable(certificates.map((certificate) => {
      const pair = `${certificate.cert}${certificate.key}`;
      const context = contexts.get(pair) ?? usableContext(certificate);
      contexts.set(pair, context);
      return [certificate.serverName, context] as const;
    }));
    this.#alpnProtocols = alpnProtocols;
  }

  open(ciphertext: Duplex): TLSSocket {
    const alpnProtocols = this.#alpnProtocols;
    return new TLSSocket(ciphertext, {
      isServer: true,
      secureContext: this.#contexts.select(""),
      SNICallback: (serverName, done) => {
        done(null, this.#contexts.select(serverName));
      },
      ...alpnProtocols.length > 0 && { ALPNProtocols: [...alpnProtocols] },
    });
  }

  result(tls: TLSSocket): TlsHandshake {
    // It is there, although the types do not say so; null without a name.
    const { servername } = tls as TLSSocket & { servername?: string | null };
    return {
      error: undefined,
      alpnProtocol: tls.alpnProtocol || undefined,
      serverName: servername || undefined,
      authorized: false,
      authorizationError: undefined,
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
 * among certificates.
 */
export function hasOneCertificate({ certificates }: TlsServerPlan): boolean {
  const [first, ...others] = certificates;
  return others.every(({ cert, key }) =>
    cert === first.cert && key === first.key
  );
}

/** A context with a key that will work, which contexts themselves do not say. */
function usableContext({ cert, key }: TlsPlan): SecureContext {
  // The one place where the platform looks at both at once, and needs neither
  // a connection nor a permission for that.
  Deno.createHttpClient({ cert, key }).close();
  return createSecureContext({ cert, key });
}
