import type { ShownCertificate } from "../engine.ts";

/** Reads what `jstime_peer_certificate` has written. */
export function decodePeerCertificate(
  bytes: Uint8Array<ArrayBuffer>,
): ShownCertificate | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (index: number) => view.getUint32(index * 4, true);
  let end = (2 + word(1)) * 4;
  const take = (length: number) => bytes.slice(end, end += length);
  const objection = new TextDecoder().decode(take(word(0)));
  const [own, ...others] = Array.from(
    { length: word(1) },
    (_, index) => take(word(2 + index)),
  );
  if (own === undefined) return undefined;
  return { chain: [own, ...others], objection: objection || undefined };
}
