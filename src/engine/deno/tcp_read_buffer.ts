const SMALLEST = 4 * 1024;
const LARGEST = 64 * 1024;
/** Reads that leave most of a large buffer empty before it is given up. */
const PATIENCE = 16;

/**
 * The buffer that a connection reads into. Idle connections wait with a small
 * one; it grows while the peer fills it.
 */
export class ReadBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST);
  #sparse = 0;

  /** Where to read to. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** What was read; it may change as soon as `bytes` is read to again. */
  filled(count: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    const { length } = bytes;
    if (count === length) {
      this.#sparse = 0;
      if (length < LARGEST) this.#bytes = new Uint8Array(length * 4);
    } else if (length > SMALLEST && count * 8 < length) {
      if (++this.#sparse > PATIENCE) this.#bytes = new Uint8Array(SMALLEST);
    } else {
      this.#sparse = 0;
    }
    return count === length ? bytes : bytes.subarray(0, count);
  }
}
