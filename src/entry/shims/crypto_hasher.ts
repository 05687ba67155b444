/**
 * `Bun.CryptoHasher` over `node:crypto`.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

/** How a digest is written as text. */
export type DigestEncoding = "hex" | "base64" | "base64url" | "latin1";

const ALGORITHMS = [
  "blake2b512",
  "blake2s256",
  "md4",
  "md5",
  "ripemd160",
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha512-224",
  "sha512-256",
  "sha3-224",
  "sha3-256",
  "sha3-384",
  "sha3-512",
];

const ENCODINGS = new Set(["hex", "base64", "base64url", "latin1"]);

/**
 * Hashes data piece by piece, with a key if one is given (HMAC).
 *
 * Bun's `blake2b256`, `shake128` and `shake256` are missing.
 *
 * @example
 * ```ts
 * import { CryptoHasher } from "@jstime/serve/bun";
 *
 * const hasher = new CryptoHasher("md5").update("Hello");
 * console.log(hasher.digest("hex")); // 8b1a9953c4611296a827abf8c47804d7
 * ```
 */
export class CryptoHasher {
  readonly #algorithm: string;
  readonly #isKeyed: boolean;
  #hash: Hash | Hmac | undefined;

  /**
   * Begins a hash.
   *
   * @param algorithm One of {@linkcode CryptoHasher.algorithms}.
   * @param hmacKey A key for an HMAC; it can be used for one digest only.
   * @throws {TypeError} If the algorithm is not supported.
   */
  constructor(algorithm: string, hmacKey?: string | ArrayBufferView) {
    this.#algorithm = normalizeAlgorithm(algorithm);
    this.#isKeyed = hmacKey !== undefined;
    this.#hash = hmacKey === undefined
      ? createHash(this.#algorithm)
      : createHmac(this.#algorithm, toBytes(hmacKey));
  }

  /** The algorithm's name, as in {@linkcode CryptoHasher.algorithms}. */
  get algorithm(): string {
    return this.#algorithm;
  }

  /** Length of the digest in bytes. */
  get byteLength(): number {
    return createHash(this.#algorithm).digest().length;
  }

  /** The names of all supported algorithms. */
  static get algorithms(): string[] {
    return [...ALGORITHMS];
  }

  /**
   * Adds data.
   *
   * @param input Text or bytes. A Blob is refused: its bytes cannot be had
   * synchronously here.
   * @param encoding How text stands for bytes. Default: `utf8`.
   * @throws {TypeError} If `input` is something else.
   */
  update(
    input: string | ArrayBufferView | ArrayBufferLike,
    encoding?: "utf8" | DigestEncoding,
  ): this {
    const hash = this.#usable();
    if (typeof input === "string") hash.update(input, encoding ?? "utf8");
    else hash.update(toBytes(input));
    return this;
  }

  /**
   * A hasher with the same data, which goes its own way from here.
   *
   * @throws {TypeError} If a key was given: `node:crypto` cannot copy those.
   */
  copy(): CryptoHasher {
    const hash = this.#usable();
    if (this.#isKeyed) {
      throw new TypeError("Cannot copy a hasher that has a key");
    }
    const copy = new CryptoHasher(this.#algorithm);
    copy.#hash = (hash as Hash).copy();
    return copy;
  }

  /** The digest as bytes. The hasher begins anew, unless it has a key. */
  digest(): Buffer;
  /** The digest as text. */
  digest(encoding: DigestEncoding): string;
  /** The digest, written to the beginning of `into`. */
  digest<View extends ArrayBufferView>(into: View): View;
  digest(
    form?: DigestEncoding | ArrayBufferView,
  ): Buffer | string | ArrayBufferView {
    const hash = this.#usable();
    const view = typeof form === "object" ? toBytes(form) : undefined;
    if (typeof form === "string" && !ENCODINGS.has(form)) {
      throw new TypeError(
        `Cannot write a digest as "${form}": expected one of ${
          [...ENCODINGS].join(", ")
        }`,
      );
    }
    if (view !== undefined && view.length < this.byteLength) {
      throw new TypeError(
        `Cannot write a digest of ${this.byteLength} bytes into ${view.length} bytes`,
      );
    }
    const digest = hash.digest();
    this.#hash = this.#isKeyed ? undefined : createHash(this.#algorithm);
    if (view === undefined) {
      return typeof form === "string" ? digest.toString(form) : digest;
    }
    view.set(digest);
    return form!;
  }

  /** Hashes one piece of data into bytes. */
  static hash(
    algorithm: string,
    input: string | ArrayBufferView | ArrayBufferLike,
  ): Buffer;
  /** Hashes one piece of data into text. */
  static hash(
    algorithm: string,
    input: string | ArrayBufferView | ArrayBufferLike,
    encoding: DigestEncoding,
  ): string;
  static hash(
    algorithm: string,
    input: string | ArrayBufferView | ArrayBufferLike,
    encoding?: DigestEncoding,
  ): Buffer | string {
    const hasher = new CryptoHasher(algorithm).update(input);
    return encoding === undefined ? hasher.digest() : hasher.digest(encoding);
  }

  #usable(): Hash | Hmac {
    if (this.#hash !== undefined) return this.#hash;
    throw new TypeError(
      "Cannot use a hasher with a key after its digest was taken",
    );
  }
}

function normalizeAlgorithm(algorithm: string): string {
  const name = String(algorithm).toLowerCase().replace(/^sha-(?=\d)/, "sha");
  if (ALGORITHMS.includes(name)) return name;
  throw new TypeError(
    `Cannot hash with "${algorithm}": expected one of ${ALGORITHMS.join(", ")}`,
  );
}

function toBytes(input: unknown): Uint8Array {
  if (typeof input === "string") return new TextEncoder().encode(input);
  if (ArrayBuffer.isView(input)) {
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  }
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) {
    return new Uint8Array(input);
  }
  throw new TypeError(
    `Cannot hash a value of type ${typeof input}: expected text or bytes`,
  );
}
