/** Most that is read at once. */
const LARGE = 256 * 1024;
/** Enough for most requests, and what a quiet connection holds. */
const SMALL = 4 * 1024;

/** A buffer to read into that grows and shrinks with the traffic. */
export class TlsRelayBuffer {
  /** Where to read into. */
  space: Uint8Array = new Uint8Array(SMALL);

  /** What was read into the space, valid until more is. */
  filled(count: number): Uint8Array {
    const { space } = this;
    const isFull = count === space.length;
    const wanted = isFull ? LARGE : count > SMALL ? space.length : SMALL;
    if (wanted !== space.length) this.space = new Uint8Array(wanted);
    return isFull ? space : space.subarray(0, count);
  }
}
