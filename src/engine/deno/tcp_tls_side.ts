import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { TlsHandshake } from "../engine.ts";

/** What client and server do differently on a TLS connection. */
export interface TlsSide {
  /** The event of its sockets after which they may be used. */
  readonly securedEvent: "secure" | "secureConnect";
  /**
   * Begins a handshake.
   *
   * @param ciphertext What is exchanged with the peer.
   * @throws {Error} If a certificate cannot be used.
   */
  open(ciphertext: Duplex): TLSSocket;
  /**
   * What a handshake that has succeeded came to; its `error` is why the peer is
   * refused all the same.
   */
  result(tls: TLSSocket): TlsHandshake;
  /**
   * What to send, in plaintext, to a peer that has been sent nothing yet, when
   * the handshake has failed.
   */
  alert(error: Error): Uint8Array | undefined;
}

/** A handshake of which nothing is known. */
export const noHandshake: TlsHandshake = {
  error: undefined,
  alpnProtocol: undefined,
  serverName: undefined,
  authorized: false,
  authorizationError: undefined,
};
