import type { TlsPlan } from "../engine/engine.ts";
import type { JSTimeFile } from "../file/jstime_file.ts";
import { resolveKeyPair } from "./key_pair.ts";
import { invalidOption, wrongSecret, wrongType } from "./option_error.ts";
import { pemTexts } from "./pem.ts";

/** PEM text, its bytes, or a file with it, which is read at once. */
export type TLSMaterial =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | JSTimeFile;

/**
 * Options of TLS: one certificate and its key. `null` and `undefined` mean
 * absent.
 *
 * @example
 * ```ts ignore
 * import { file, serve } from "@jstime/serve";
 *
 * serve({
 *   port: 443,
 *   tls: { cert: file("cert.pem"), key: file("key.pem") },
 *   fetch: () => new Response("Hello over HTTPS"),
 * });
 * ```
 */
export interface TLSOptions {
  /**
   * The certificate, followed by its intermediate certificates, in PEM form.
   * The elements of an array make one chain, unless there is an array of as
   * many keys: then only the last certificate and the last key are used.
   */
  readonly cert?: TLSMaterial | readonly TLSMaterial[] | null;
  /** The private key of the certificate, in PEM form. */
  readonly key?: TLSMaterial | readonly TLSMaterial[] | null;
  /** Decrypts the key. */
  readonly passphrase?: string | null;
  /**
   * Name that clients ask for. With one certificate every name gets it, so
   * this changes nothing.
   */
  readonly serverName?: string | null;
  /** Another spelling of `serverName`. */
  readonly servername?: string | null;
  /**
   * Ask clients for a certificate. No engine can do that yet: `true` throws.
   *
   * @default {false}
   */
  readonly requestCert?: boolean | null;
  /**
   * Refuse clients without a valid certificate. Has no effect without
   * `requestCert`.
   */
  readonly rejectUnauthorized?: boolean | null;
  /**
   * Authorities for client certificates. Has no effect without `requestCert`.
   */
  readonly ca?: TLSMaterial | readonly TLSMaterial[] | null;
  /**
   * Revoked client certificates. Has no effect without `requestCert`.
   */
  readonly crl?: TLSMaterial | readonly TLSMaterial[] | null;
  /** Has no effect: the engine chooses among protocols that it speaks. */
  readonly ALPNProtocols?: string | ArrayBuffer | ArrayBufferView | null;
  /** Has no effect: only TLS 1.2 and 1.3 with safe ciphers are spoken. */
  readonly ciphers?: string | null;
  /** Has no effect: there is no OpenSSL to configure. */
  readonly secureOptions?: number | null;
  /** Has no effect: finite-field Diffie-Hellman is not used. */
  readonly dhParamsFile?: string | null;
  /** Has no effect. */
  readonly lowMemoryMode?: boolean | null;
  /** Has no effect: there is no renegotiation. */
  readonly clientRenegotiationLimit?: number | null;
  /** Has no effect: there is no renegotiation. */
  readonly clientRenegotiationWindow?: number | null;
}

type Kind = "a string" | "a boolean" | "a number" | "text or bytes";

const KINDS: Readonly<Record<string, Kind>> = {
  passphrase: "a string",
  serverName: "a string",
  servername: "a string",
  dhParamsFile: "a string",
  ciphers: "a string",
  requestCert: "a boolean",
  rejectUnauthorized: "a boolean",
  lowMemoryMode: "a boolean",
  secureOptions: "a number",
  clientRenegotiationLimit: "a number",
  clientRenegotiationWindow: "a number",
  ALPNProtocols: "text or bytes",
};

/**
 * Resolves `tls`. Null, false, an empty array and an object in which
 * everything is absent mean no TLS.
 *
 * @param tls {@linkcode TLSOptions}, or an array of one.
 * @throws {TypeError} If an option is wrong or asks for more than there is, or
 * if the certificate, key and passphrase do not fit together.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function resolveTls(tls: unknown): TlsPlan | undefined {
  if (tls === undefined || tls === null || tls === false) return undefined;
  const list = Array.isArray(tls) ? tls : [tls];
  if (list.length > 1) {
    throw invalidOption(
      `Cannot use tls with ${list.length} certificates: only one is supported yet`,
    );
  }
  return list.length === 0 ? undefined : resolveEntry(list[0]);
}

function resolveEntry(entry: unknown): TlsPlan | undefined {
  if (typeof entry !== "object" || entry === null) {
    throw wrongSecret("tls", entry, "an object");
  }
  const options = entry as Readonly<Record<string, unknown>>;
  checkKinds(options);
  for (const option of ["ca", "crl"]) {
    pemTexts(`tls.${option}`, options[option]);
  }
  const certs = pemTexts("tls.cert", options.cert);
  const keys = pemTexts("tls.key", options.key);
  if (certs.length === 0 && keys.length === 0 && isEmpty(options)) {
    return undefined;
  }
  if (certs.length === 0) throw missing("tls.cert");
  if (keys.length === 0) throw missing("tls.key");
  if (keys.length > 1 && keys.length !== certs.length) {
    throw invalidOption(
      `Cannot use tls with ${certs.length} certificates and ${keys.length} keys: expected as many of both, or one key`,
    );
  }
  const cert = keys.length > 1 ? certs.at(-1)! : certs.join("\n");
  const passphrase = options.passphrase ?? undefined;
  return resolveKeyPair(cert, keys.at(-1)!, passphrase as string | undefined);
}

function checkKinds(options: Readonly<Record<string, unknown>>): void {
  for (const [option, kind] of Object.entries(KINDS)) {
    const value = options[option];
    if (value === undefined || value === null || isOfKind(value, kind)) {
      continue;
    }
    throw option === "passphrase"
      ? wrongSecret("tls.passphrase", value, kind)
      : wrongType(`tls.${option}`, value, kind);
  }
  if (options.requestCert === true) {
    throw invalidOption(
      "Cannot use tls.requestCert true: client certificates are not available on this engine",
    );
  }
}

function isOfKind(value: unknown, kind: Kind): boolean {
  if (kind === "text or bytes") {
    return typeof value === "string" || value instanceof ArrayBuffer ||
      ArrayBuffer.isView(value);
  }
  return `a ${typeof value}` === kind;
}

/** Whether nothing asks for TLS, so that serving without it is no surprise. */
function isEmpty(options: Readonly<Record<string, unknown>>): boolean {
  return [...Object.keys(KINDS), "ca", "crl"].every((option) => {
    const value = options[option];
    return value === undefined || value === null || value === false;
  });
}

function missing(option: string): TypeError {
  return invalidOption(`Cannot serve TLS without ${option}: expected PEM text`);
}
