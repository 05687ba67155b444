import type { PeerAddress } from "../engine.ts";
import type { EventBatch } from "./event_reader.ts";

/**
 * The client's address in a request's record; null over Unix sockets.
 *
 * @param at Index of the record's first word.
 */
export function peerAddressIn(
  batch: EventBatch,
  at: number,
): PeerAddress | null {
  return addressIn(batch, at + 13);
}

/**
 * An address in a record; null over Unix sockets.
 *
 * @param at Index of its first word, which has family and port.
 */
export function addressIn(
  { words, bytes }: EventBatch,
  at: number,
): PeerAddress | null {
  const family = words[at]! & 0xffff;
  const port = words[at]! >>> 16;
  const start = (at + 1) << 2;
  if (family === 4) {
    return { address: ipv4(bytes, start), port, family: "IPv4" };
  }
  if (family !== 6) return null;
  const groups = new Uint16Array(8);
  for (let index = 0; index < 8; index++) {
    const byte = start + index * 2;
    groups[index] = bytes[byte]! << 8 | bytes[byte + 1]!;
  }
  // A client that speaks IPv4 to an IPv6 socket (RFC 4291, section 2.5.5.2).
  const isMapped = groups[5] === 0xffff &&
    groups.subarray(0, 5).every((group) => group === 0);
  const address = isMapped ? `::ffff:${ipv4(bytes, start + 12)}` : ipv6(groups);
  return { address, port, family: "IPv6" };
}

function ipv4(bytes: Uint8Array, start: number): string {
  return `${bytes[start]}.${bytes[start + 1]}.${bytes[start + 2]}.${
    bytes[start + 3]
  }`;
}

/** As RFC 5952 writes it: the longest run of zeros is `::`. */
function ipv6(groups: Uint16Array): string {
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > runLength) [runStart, runLength] = [start, length];
  }
  const texts = Array.from(groups, (group) => group.toString(16));
  if (runStart === -1) return texts.join(":");
  const before = texts.slice(0, runStart).join(":");
  const after = texts.slice(runStart + runLength).join(":");
  return `${before}::${after}`;
}
