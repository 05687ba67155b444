/** Bytes that a connection holds on to at most, besides the system's buffers. */
export const WRITE_LIMIT = 1024 * 1024;

const SMALLEST = 1024;
/** Buffers up to this size are kept for the next bytes. */
const LARGEST_KEPT = 64 * 1024;
const EMPTY = new Uint8Array(0);

/**
 * Bytes that were taken and not sent yet. While one buffer is being sent, the
 * other is filled.
 */
export class WriteQueue {
  #filling: Uint8Array<ArrayBuffer> = EMPTY;
  #filled = 0;
  #sending: Uint8Array<ArrayBuffer> = EMPTY;
  #unsent = 0;
  #waiting = false;

  /** How many bytes wait, those being sent included. */
  get size(): number {
    return this.#filled + this.#unsent;
  }

  /** Copies as many bytes as fit, and returns how many those are. */
  take(bytes: Uint8Array): number {
    const room = WRITE_LIMIT - this.size;
    if (bytes.length <= room) {
      this.takeAll(bytes);
      return bytes.length;
    }
    this.#waiting = true;
    if (room <= 0) return 0;
    this.takeAll(bytes.subarray(0, room));
    return room;
  }

  /** Copies all bytes, whatever the bound. */
  takeAll(bytes: Uint8Array): void {
    const filled = this.#filled + bytes.length;
    if (filled > this.#filling.length) this.#grow(filled);
    this.#filling.set(bytes, this.#filled);
    this.#filled = filled;
  }

  /**
   * Moves on to what was taken, as one piece; undefined if there is nothing.
   * Only when everything before was sent.
   */
  next(): Uint8Array | undefined {
    if (this.#filled === 0) return undefined;
    const sending = this.#filling;
    this.#filling = this.#sending;
    this.#sending = sending;
    this.#unsent = this.#filled;
    this.#filled = 0;
    return sending.subarray(0, this.#unsent);
  }

  /** Notes that bytes returned by `next` were sent. */
  sent(count: number): void {
    this.#unsent -= count;
    const isDone = this.#unsent === 0;
    if (isDone && this.#sending.length > LARGEST_KEPT) this.#sending = EMPTY;
  }

  /** Whether bytes were refused and there is room now; answers true once. */
  hasDrained(): boolean {
    if (!this.#waiting || this.size > 0) return false;
    this.#waiting = false;
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    this.#filling = this.#sending = EMPTY;
    this.#filled = this.#unsent = 0;
    this.#waiting = false;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(
      Math.max(length, this.#filling.length * 2, SMALLEST),
    );
    grown.set(this.#filling.subarray(0, this.#filled));
    this.#filling = grown;
  }
}
