import { normalizeServerName } from "../../options/sni_table.ts";
import type { HttpTlsPlan } from "../engine.ts";
import type { Helper } from "./symbols.ts";
import { describeErrno } from "./system_error.ts";

/** No handle has this number. */
const NOBODY = 0;
/** Words for each certificate: the lengths of its texts. */
const CERTIFICATE_WORDS = 3;

/** The certificates of a server as `jstime_tls` takes them. */
export function encodeCertificates(
  { certificates }: HttpTlsPlan,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const texts = certificates.flatMap(({ serverName, cert, key }) =>
    [normalizeServerName(serverName ?? ""), cert, key]
      .map((text) => encoder.encode(text))
  );
  const count = certificates.length;
  const head = 1 + count * CERTIFICATE_WORDS;
  const size = texts.reduce((sum, { length }) => sum + length, head * 4);
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer, 0, head);
  words.set([count, ...texts.map(({ length }) => length)]);
  let end = head * 4;
  for (const text of texts) {
    bytes.set(text, end);
    end += text.length;
  }
  return bytes;
}

/** Whether the helper can use certificates; of some kinds it cannot. */
export function canUseCertificates(helper: Helper, tls: HttpTlsPlan): boolean {
  const bytes = encodeCertificates(tls);
  // It looks at them before it looks for the handle.
  const result = helper.jstime_tls(NOBODY, 0, bytes, bytes.length);
  return describeErrno(-result).code !== "EINVAL";
}
