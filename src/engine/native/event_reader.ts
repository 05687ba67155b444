import { Buffer } from "node:buffer";
import {
  EVENT_MESSAGE,
  EVENT_TCP_DATA,
  EVENTS_BLOCKED,
  EVENTS_BYTES,
  EVENTS_HEAD,
  EVENTS_TAIL,
} from "./abi.ts";
import type { IoMemory } from "./io_memory.ts";

/** Events are copied into pieces of memory of this size. */
const BATCH_BYTES = 64 * 1024;

/**
 * Messages of WebSockets, and what arrives on TCP connections, are not copied
 * before from this size on.
 */
const LONG_MESSAGE = 2048;

/**
 * A piece of memory with events, copies of them as a rule. Requests look into
 * it for as long as they live, so it is never used twice.
 */
export class EventBatch {
  /** The records as words. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** The records as bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The records as text: reading it this way costs least. */
  readonly text: Buffer;

  /** @param memory Its length is a multiple of 16, and so is its offset. */
  constructor(memory: Uint8Array<ArrayBuffer>) {
    const { buffer, byteOffset, length } = memory;
    this.words = new Uint32Array(buffer, byteOffset, length >> 2);
    this.bytes = memory;
    this.text = Buffer.from(buffer, byteOffset, length);
  }

  /** Some of its bytes, as all bytes of a buffer. */
  bufferOf(start: number, end: number): ArrayBuffer {
    const { buffer, byteOffset } = this.bytes;
    return buffer.slice(byteOffset + start, byteOffset + end);
  }
}

/** The consuming end of the events ring. */
export class EventReader {
  /** Where the next record is. */
  batch: EventBatch;
  /** Where it begins, in bytes. */
  position = 0;
  /** Where the last one ends that was read with it. */
  end = 0;
  readonly #memory: IoMemory;
  readonly #unblocked: () => void;
  #tail: number;
  /** The ring itself. */
  readonly #ring: EventBatch;
  /** Where records are copied to. */
  #copies: EventBatch = new EventBatch(new Uint8Array(BATCH_BYTES));
  /** Where those end that were copied. */
  #copied = 0;
  /** The size of the record that is being read in the ring. */
  #inPlace = 0;

  /** @param unblocked Called when the producer can go on writing. */
  constructor(memory: IoMemory, unblocked: () => void) {
    this.#memory = memory;
    this.#unblocked = unblocked;
    this.#tail = Atomics.load(memory.control, EVENTS_TAIL);
    this.#ring = new EventBatch(memory.eventBytes);
    this.batch = this.#copies;
  }

  /** Whether the record that was taken last is in the ring, until `release`. */
  get isInPlace(): boolean {
    return this.#inPlace > 0;
  }

  /** Whether there is something that was not taken. */
  hasMore(): boolean {
    const read = (this.#tail + this.#inPlace) >>> 0;
    return this.position < this.end ||
      Atomics.load(this.#memory.control, EVENTS_HEAD) !== read;
  }

  /**
   * Reads what is in the ring: a long message where it is, otherwise as much as
   * fits into one batch, whose place is free at once. Everything read before
   * must have been handled.
   *
   * @returns Whether there was something.
   */
  refill(): boolean {
    this.release();
    const { control, eventWords } = this.#memory;
    const available = (Atomics.load(control, EVENTS_HEAD) - this.#tail) >>> 0;
    if (available === 0) return false;
    const start = this.#tail & (EVENTS_BYTES - 1);
    const next = eventWords[start >> 2]!;
    const kind = eventWords[(start >> 2) + 1]! & 0xff;
    const isMessage = kind === EVENT_MESSAGE || kind === EVENT_TCP_DATA;
    if (isMessage && next >= LONG_MESSAGE) {
      this.#inPlace = next;
      this.batch = this.#ring;
      this.position = start;
      this.end = start + next;
      return true;
    }
    let size = available;
    if (this.#copied + size > this.#copies.bytes.length) {
      size = this.#wholeRecords(available);
      const memory = new Uint8Array(Math.max(size, BATCH_BYTES));
      this.#copies = new EventBatch(memory);
      this.#copied = 0;
    }
    this.batch = this.#copies;
    this.position = this.#copied;
    this.#copy(size);
    this.end = this.#copied;
    this.#free(size);
    return true;
  }

  /** Frees the place of a record that was read in the ring, and handled. */
  release(): void {
    if (this.#inPlace === 0) return;
    this.#free(this.#inPlace);
    this.#inPlace = 0;
  }

  /** The index of the next record's first word; the one after it is next. */
  take(): number {
    const at = this.position >> 2;
    this.position += this.batch.words[at]!;
    return at;
  }

  #free(size: number): void {
    const { control } = this.#memory;
    this.#tail = (this.#tail + size) >>> 0;
    Atomics.store(control, EVENTS_TAIL, this.#tail);
    if (Atomics.load(control, EVENTS_BLOCKED) !== 0) {
      Atomics.store(control, EVENTS_BLOCKED, 0);
      this.#unblocked();
    }
  }

  #copy(size: number): void {
    const { eventBytes } = this.#memory;
    const { bytes } = this.#copies;
    const start = this.#tail & (EVENTS_BYTES - 1);
    const first = Math.min(size, EVENTS_BYTES - start);
    bytes.set(eventBytes.subarray(start, start + first), this.#copied);
    if (first < size) {
      bytes.set(eventBytes.subarray(0, size - first), this.#copied + first);
    }
    this.#copied += size;
  }

  /** The size of as many records as fit into a batch, but of one at least. */
  #wholeRecords(available: number): number {
    if (available <= BATCH_BYTES) return available;
    const { eventWords } = this.#memory;
    let size = 0;
    while (size < available) {
      const at = (this.#tail + size) & (EVENTS_BYTES - 1);
      const next = eventWords[at >> 2]!;
      if (size > 0 && size + next > BATCH_BYTES) break;
      size += next;
    }
    return size;
  }
}
