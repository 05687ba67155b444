/**
 * Reads the name that a TLS client asks for out of the first bytes it sends
 * (RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3). Nothing else of the
 * handshake is looked at: the TLS implementation that the bytes go to next
 * judges them.
 *
 * @module
 */

/**
 * Bytes to wait for before giving up on a name. A hello is a few hundred bytes,
 * with post-quantum keys about two thousand.
 */
export const LONGEST_HELLO: number = 16 * 1024;

const HANDSHAKE_RECORD = 22;
const RECORD_HEADER_LENGTH = 5;
const CLIENT_HELLO = 1;
const VERSION_AND_RANDOM_LENGTH = 2 + 32;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

/**
 * The server name in what a client has sent so far.
 *
 * @returns The name as the client wrote it; an empty string if there is none,
 * or if this is no client hello; undefined if more bytes are needed to tell.
 */
export function requestedServerName(bytes: Uint8Array): string | undefined {
  const { content, mayGrow } = handshakeContent(bytes);
  const message = new Reader(content);
  try {
    if (message.number(1) !== CLIENT_HELLO) return "";
    const length = message.number(3);
    if (message.left >= length) return serverName(message.part(length));
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
  }
  return mayGrow && bytes.length < LONGEST_HELLO ? undefined : "";
}

/**
 * The content of the handshake records so far, over which a message may be
 * spread. It may not grow any more when a record of another kind has come.
 */
function handshakeContent(
  bytes: Uint8Array,
): { readonly content: Uint8Array; readonly mayGrow: boolean } {
  const content = new Uint8Array(bytes.length);
  let filled = 0;
  let start = 0;
  let mayGrow = true;
  while (start < bytes.length) {
    mayGrow = bytes[start] === HANDSHAKE_RECORD;
    const header = bytes.subarray(start, start + RECORD_HEADER_LENGTH);
    if (!mayGrow || header.length < RECORD_HEADER_LENGTH) break;
    start += RECORD_HEADER_LENGTH;
    const end = start + (header[3]! << 8 | header[4]!);
    const part = bytes.subarray(start, end);
    content.set(part, filled);
    filled += part.length;
    start = end;
  }
  return { content: content.subarray(0, filled), mayGrow };
}

/** The name in a complete client hello. */
function serverName(hello: Reader): string {
  try {
    hello.part(VERSION_AND_RANDOM_LENGTH);
    hello.vector(1); // session identifier
    hello.vector(2); // cipher suites
    hello.vector(1); // compression methods
    const extensions = hello.vector(2);
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const extension = extensions.vector(2);
      if (type === SERVER_NAME_EXTENSION) return hostName(extension.vector(2));
    }
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
  }
  return "";
}

function hostName(names: Reader): string {
  while (names.left > 0) {
    const type = names.number(1);
    const name = names.vector(2);
    if (type === HOST_NAME) return name.text();
  }
  return "";
}

/** A length in the message reaches beyond its end. */
class EndOfBytes extends Error {}

/** Reads the presentation language of TLS (RFC 8446 section 3). */
class Reader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#position;
  }

  /** A big-endian number of so many bytes. */
  number(size: number): number {
    let value = 0;
    for (const byte of this.#take(size)) value = value << 8 | byte;
    return value;
  }

  /** The next bytes. */
  part(length: number): Reader {
    return new Reader(this.#take(length));
  }

  /** Bytes behind their length, which is a number of `size` bytes. */
  vector(size: number): Reader {
    return this.part(this.number(size));
  }

  /** What is left, one character for each byte. */
  text(): string {
    return String.fromCharCode(...this.#take(this.left));
  }

  #take(length: number): Uint8Array {
    if (length > this.left) throw new EndOfBytes();
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }
}
