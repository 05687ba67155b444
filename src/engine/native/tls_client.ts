/**
 * TLS of clients by the helper.
 *
 * @module
 */

import { mayRead, readEnvironment } from "../../runtime/environment.ts";
import type { TlsClientPlan } from "../engine.ts";
import { CLIENT_BUNDLED_ROOTS, CLIENT_VERIFIES } from "./abi.ts";
import { encodeProtocols } from "./tcp_tls.ts";

/** What `jstime_tcp_client` takes. */
export interface EncodedClient {
  /** Everything but the authorities. */
  readonly options: Uint8Array<ArrayBuffer>;
  /** PEM. */
  readonly authorities: Uint8Array<ArrayBuffer>;
}

/** Variables that name a file with authorities to trust besides Mozilla's. */
const AUTHORITY_FILES = ["DENO_CERT", "NODE_EXTRA_CA_CERTS"];

const encoder = new TextEncoder();

/**
 * How a client speaks TLS, for the helper; undefined if only the platform knows
 * which authorities it is to trust.
 */
export function encodeClient(plan: TlsClientPlan): EncodedClient | undefined {
  const { authorities, certificate, serverName } = plan;
  const trusted = authorities === undefined
    ? additionalAuthorities()
    : encoder.encode(authorities.join(""));
  if (trusted === undefined) return undefined;
  const flags = (plan.rejectUnauthorized ? CLIENT_VERIFIES : 0) |
    (authorities === undefined ? CLIENT_BUNDLED_ROOTS : 0);
  const texts = [
    encoder.encode(serverName),
    encodeProtocols(plan.alpnProtocols),
    encoder.encode(certificate?.cert),
    encoder.encode(certificate?.key),
  ];
  const words = Uint32Array.of(flags, ...texts.map(({ length }) => length));
  const size = texts.reduce(
    (sum, { length }) => sum + length,
    words.byteLength,
  );
  const options = new Uint8Array(size);
  options.set(new Uint8Array(words.buffer));
  let end = words.byteLength;
  for (const text of texts) {
    options.set(text, end);
    end += text.length;
  }
  return { options, authorities: trusted };
}

/** The same for all connections, since Deno looks at it once, too. */
let additional: Uint8Array<ArrayBuffer> | undefined;

/**
 * The authorities that Deno was told to trust besides Mozilla's; undefined if it
 * trusts others instead, or a file must not be read by the program.
 */
function additionalAuthorities(): Uint8Array<ArrayBuffer> | undefined {
  if (additional !== undefined) return additional;
  const store = readEnvironment("DENO_TLS_CA_STORE") || "mozilla";
  if (store !== "mozilla") return undefined;
  let text = "";
  for (const variable of AUTHORITY_FILES) {
    const path = readEnvironment(variable);
    if (path === undefined || path === "") continue;
    if (path.startsWith("base64:") || !mayRead(path)) return undefined;
    try {
      text += `${Deno.readTextFileSync(path)}\n`;
    } catch {
      // Deno does without it, too.
    }
  }
  return additional = encoder.encode(text);
}
