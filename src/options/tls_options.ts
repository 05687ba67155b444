import { isIP } from "node:net";
import type {
  HttpTlsPlan,
  NamedCertificate,
  TlsPlan,
} from "../engine/engine.ts";
import type { JSTimeFile } from "../file/jstime_file.ts";
import { resolveClientCertificates } from "./client_certificates.ts";
import { checkDhParameters } from "./dh_parameters.ts";
import { resolveKeyPair } from "./key_pair.ts";
import { invalidOption, wrongSecret, wrongType } from "./option_error.ts";
import { pemTexts } from "./pem.ts";
import { normalizeServerName } from "./sni_table.ts";

/** PEM text, its bytes, or a file with it, which is read at once. */
export type TLSMaterial =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | JSTimeFile;

/**
 * Options of TLS: one certificate and its key. In a list of them each is for
 * its `serverName`. `null` and `undefined` mean absent.
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
   * The host name that clients ask for (SNI), or several; `*.example.com` is
   * any one label before `.example.com`. Required from the second certificate
   * of a list on. Unknown names, and clients that ask for none, get the first
   * certificate; a name that occurs twice gets the later one.
   */
  readonly serverName?: string | readonly string[] | null;
  /** Another spelling of `serverName`. */
  readonly servername?: string | readonly string[] | null;
  /**
   * Ask clients for a certificate. Then those without one that `ca` vouches for
   * are refused, unless `rejectUnauthorized` is false. In a list every server
   * name has its own rules; a request for a name with other rules than those
   * that its connection was made under is answered 421.
   *
   * @default {false}
   */
  readonly requestCert?: boolean | null;
  /**
   * Refuse peers without a valid certificate. Servers look at it only with
   * `requestCert`: if it is false they accept everybody, and
   * `server.getPeerCertificate()` tells who it is. `connect` refuses servers
   * with a certificate that is not valid, unless this is false.
   *
   * @default {true}
   */
  readonly rejectUnauthorized?: boolean | null;
  /**
   * Authorities to trust: with `connect` instead of the platform's, with
   * servers only for `requestCert`, which needs them.
   */
  readonly ca?: TLSMaterial | readonly TLSMaterial[] | null;
  /**
   * Lists of revoked certificates (CRL), one of each authority in a chain. Has
   * no effect without `requestCert`.
   */
  readonly crl?: TLSMaterial | readonly TLSMaterial[] | null;
  /**
   * Protocols to negotiate, for `listen` and `connect`, in wire format; for
   * `serve` the engine chooses among those that it speaks.
   */
  readonly ALPNProtocols?: string | ArrayBuffer | ArrayBufferView | null;
  /** Has no effect: only TLS 1.2 and 1.3 with safe ciphers are spoken. */
  readonly ciphers?: string | null;
  /** Has no effect: there is no OpenSSL to configure. */
  readonly secureOptions?: number | null;
  /**
   * Path of a file with Diffie-Hellman parameters in PEM form. It must be
   * valid, but has no effect: key exchange is by elliptic curves only.
   */
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
 * Resolves `tls` of an HTTP server. Null, false, an empty list and objects in
 * which everything is absent mean no TLS.
 *
 * @param tls {@linkcode TLSOptions}, or a list of them.
 * @throws {TypeError} If an option is wrong or asks for more than there is, or
 * if a certificate, its key and the passphrase do not fit together.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function resolveHttpTls(tls: unknown): HttpTlsPlan | undefined {
  const [first, ...rest] = tlsCertificates(tls);
  if (first === undefined) return undefined;
  return Object.freeze<HttpTlsPlan>({
    certificates: Object.freeze<HttpTlsPlan["certificates"]>([first, ...rest]),
    isList: Array.isArray(tls),
  });
}

/**
 * The certificates of a server, once for each of their names. Throws as
 * {@linkcode resolveHttpTls} does.
 */
export function tlsCertificates(tls: unknown): NamedCertificate[] {
  if (tls === undefined || tls === null || tls === false) return [];
  if (!Array.isArray(tls)) return namedCertificates(tls, "tls");
  const certificates: NamedCertificate[] = [];
  for (const [index, entry] of tls.entries()) {
    const option = `tls[${index}]`;
    const named = namedCertificates(entry, option);
    const [first] = named;
    if (
      first !== undefined && first.serverName === undefined &&
      certificates.length > 0
    ) {
      throw invalidOption(
        `Cannot use ${option} without serverName: no client would get it`,
      );
    }
    certificates.push(...named);
  }
  return certificates;
}

/**
 * Resolves one certificate, whatever its name. Throws as
 * {@linkcode resolveHttpTls} does.
 *
 * @param option Name of the option, for messages.
 * @returns undefined if everything in it is absent.
 */
export function resolveTls(
  tls: unknown,
  option: string = "tls",
): TlsPlan | undefined {
  if (typeof tls !== "object" || tls === null) {
    throw wrongSecret(option, tls, "an object");
  }
  const options = tls as Readonly<Record<string, unknown>>;
  checkKinds(options, option);
  for (const name of ["ca", "crl"]) {
    pemTexts(`${option}.${name}`, options[name]);
  }
  const certs = pemTexts(`${option}.cert`, options.cert);
  const keys = pemTexts(`${option}.key`, options.key);
  if (certs.length === 0 && keys.length === 0 && isEmpty(options)) {
    return undefined;
  }
  if (certs.length === 0) throw missing(`${option}.cert`);
  if (keys.length === 0) throw missing(`${option}.key`);
  if (keys.length > 1 && keys.length !== certs.length) {
    throw invalidOption(
      `Cannot use ${option} with ${certs.length} certificates and ${keys.length} keys: expected as many of both, or one key`,
    );
  }
  const cert = keys.length > 1 ? certs.at(-1)! : certs.join("\n");
  const passphrase = (options.passphrase ?? undefined) as string | undefined;
  return resolveKeyPair(cert, keys.at(-1)!, passphrase, option);
}

function namedCertificates(entry: unknown, option: string): NamedCertificate[] {
  const pair = resolveTls(entry, option);
  if (pair === undefined) return [];
  const options = entry as Readonly<Record<string, unknown>>;
  const clients = resolveClientCertificates(options, option);
  return serverNames(options, option).map((serverName) =>
    Object.freeze<NamedCertificate>({
      ...pair,
      serverName,
      ...clients && { clients },
    })
  );
}

/** The names of an entry; one that is undefined if it has none. */
function serverNames(
  options: Readonly<Record<string, unknown>>,
  option: string,
): [string | undefined, ...string[]] {
  const spelling = isAbsent(options.serverName) ? "servername" : "serverName";
  const value = options[spelling];
  const values = isAbsent(value) ? [] : Array.isArray(value) ? value : [value];
  const [first, ...rest] = values.map((element) =>
    serverName(`${option}.${spelling}`, element)
  ).filter((element) => element !== undefined);
  return [first, ...rest];
}

function serverName(option: string, value: unknown): string | undefined {
  const expected = 'a host name, or one after "*."';
  if (typeof value !== "string") throw wrongType(option, value, expected);
  // As in Bun, empty text is no name.
  if (value === "") return undefined;
  if (normalizeServerName(value) !== "") return value;
  // Nobody asks for an address (RFC 6066, section 3), but it does no harm.
  if (isIP(value) !== 0) return undefined;
  throw wrongType(option, value, expected);
}

function checkKinds(
  options: Readonly<Record<string, unknown>>,
  option: string,
): void {
  for (const [name, kind] of Object.entries(KINDS)) {
    const value = options[name];
    if (isAbsent(value) || isOfKind(value, kind)) continue;
    throw name === "passphrase"
      ? wrongSecret(`${option}.passphrase`, value, kind)
      : wrongType(`${option}.${name}`, value, kind);
  }
  const { dhParamsFile } = options;
  if (typeof dhParamsFile === "string") {
    checkDhParameters(`${option}.dhParamsFile`, dhParamsFile);
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
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
  const names = [...Object.keys(KINDS), "serverName", "servername"];
  return [...names, "ca", "crl"].every((option) => {
    const value = options[option];
    return value === undefined || value === null || value === false;
  });
}

function missing(option: string): TypeError {
  return invalidOption(`Cannot serve TLS without ${option}: expected PEM text`);
}
