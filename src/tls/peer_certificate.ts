import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import type { ShownCertificate } from "../engine/engine.ts";

/** Parts of a name in a certificate, such as `CN`; several of a kind in order. */
export type CertificateName = Readonly<Record<string, string | string[]>>;

/**
 * The certificate that the other side of a TLS connection has shown. Its fields
 * have the names that `node:tls` gives them; they are read when they are asked
 * for.
 */
export interface PeerCertificate {
  /** Whether an authority in `ca` vouches for it, now, and for this use. */
  readonly authorized: boolean;
  /** Why not; `code` is for example `CERT_HAS_EXPIRED`. */
  readonly authorizationError: Error & { readonly code: string } | undefined;
  /** Whom it is about. Trust this only if `authorized` is true. */
  readonly subject: CertificateName;
  /** Who has signed it. */
  readonly issuer: CertificateName;
  /** Its alternative names, such as `DNS:a.test, email:a@a.test`. */
  readonly subjectaltname: string | undefined;
  /** When it begins to be valid, such as `Jan  1 00:00:00 2020 GMT`. */
  readonly valid_from: string;
  /** When it ends. */
  readonly valid_to: string;
  /** Hexadecimal digits. */
  readonly serialNumber: string;
  /** SHA-1 of it: pairs of hexadecimal digits with colons between. */
  readonly fingerprint: string;
  /** SHA-256 of it, in the same form. */
  readonly fingerprint256: string;
  /** SHA-512 of it, in the same form. */
  readonly fingerprint512: string;
  /** The certificate in DER form. */
  readonly raw: Buffer;
  /** In DER form this one, then its issuers, as far as they are known. */
  readonly chain: readonly Buffer[];
}

/** What is in a certificate. */
type Fields = Omit<
  PeerCertificate,
  "authorized" | "authorizationError" | "chain" | "raw"
>;

/** Reads a certificate when somebody asks for what is in it. */
export class ParsedPeerCertificate implements PeerCertificate {
  readonly authorized: boolean;
  readonly chain: readonly Buffer[];
  readonly #objection: string | undefined;
  #parsed: Fields | undefined;

  constructor({ chain, objection }: ShownCertificate) {
    this.authorized = objection === undefined;
    this.chain = chain.map(({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength)
    );
    this.#objection = objection;
  }

  get authorizationError(): Error & { readonly code: string } | undefined {
    return this.#objection === undefined
      ? undefined
      : verificationError(this.#objection);
  }

  get subject(): CertificateName {
    return this.#fields.subject;
  }

  get issuer(): CertificateName {
    return this.#fields.issuer;
  }

  get subjectaltname(): string | undefined {
    return this.#fields.subjectaltname;
  }

  get valid_from(): string {
    return this.#fields.valid_from;
  }

  get valid_to(): string {
    return this.#fields.valid_to;
  }

  get serialNumber(): string {
    return this.#fields.serialNumber;
  }

  get fingerprint(): string {
    return this.#fields.fingerprint;
  }

  get fingerprint256(): string {
    return this.#fields.fingerprint256;
  }

  get fingerprint512(): string {
    return this.#fields.fingerprint512;
  }

  get raw(): Buffer {
    return this.chain[0]!;
  }

  /**
   * Not the text of `X509Certificate.subject`: a line break in a name would
   * look like another part of it.
   */
  get #fields(): Fields {
    return this.#parsed ??= new X509Certificate(this.raw)
      .toLegacyObject() as unknown as Fields;
  }
}

/** Why a certificate was not verified; its message says no more than the code. */
export function verificationError(
  code: string,
): Error & { readonly code: string } {
  return Object.assign(
    new Error(`Cannot verify the certificate of the peer: ${code}`),
    { code },
  );
}
