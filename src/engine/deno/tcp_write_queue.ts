import { BLOCK_LENGTH, returnBlock, takeBlock } from "./tcp_write_blocks.ts";

/** Bytes that a connection holds on to at most, besides the system's buffers. */
export const WRITE_LIMIT = 1024 * 1024;

const SMALLEST = 1024;
/** Buffers up to this size stay with the connection. */
const LARGEST_KEPT = 4 * 1024;
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
    if (this.#unsent > 0 || this.#sending.length <= LARGEST_KEPT) return;
    if (this.#sending.length === BLOCK_LENGTH) returnBlock(this.#sending);
    this.#sending = EMPTY;
  }

  /** Whether bytes were refused and there is room now; answers true once. */
  hasDrained(): boolean {
    if (!this.#waiting || this.size > 0) return false;
    this.#waiting = false;
    return true;
  }

  /** Forgets everything. A write may be under way, so no block is returned. */
  clear(): void {
    this.#filling = this.#sending = EMPTY;
    this.#filled = this.#unsent = 0;
    this.#waiting = false;
  }

  #grow(length: number): void {
    const previous = this.#filling;
    const wanted = Math.max(length, previous.length * 2, SMALLEST);
    const grown = wanted <= LARGEST_KEPT || wanted > BLOCK_LENGTH
      ? new Uint8Array(wanted)
      : takeBlock();
    grown.set(previous.subarray(0, this.#filled));
    if (previous.length === BLOCK_LENGTH) returnBlock(previous);
    this.#filling = grown;
  }
}
