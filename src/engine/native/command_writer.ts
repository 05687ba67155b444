import {
  COMMAND_EVENT,
  COMMAND_RESPOND_FILE,
  COMMAND_SEND_MANY,
  COMMANDS_BLOCKED,
  COMMANDS_BYTES,
  COMMANDS_HEAD,
  COMMANDS_TAIL,
  INLINE_CONTENT,
  PAD,
  RECORD_ALIGN,
  RESPOND_CONTENT_TOKEN,
} from "./abi.ts";
import type { IoMemory } from "./io_memory.ts";

/** Size of the words that begin every record. */
const PREFIX = 16;

/**
 * The most bytes of one record. A larger one might never find a place, since
 * none goes over the end of the ring.
 */
export const LARGEST_RECORD: number = COMMANDS_BYTES / 4;

/** Content up to this always travels through the ring. */
const SHORT = 8 * 1024;

/** So many records are carried out faster than another thread is woken. */
const LIGHT_WEIGHT = 2;
/** And so many bytes. */
const LIGHT_BYTES = 8 * 1024;

/** Whether a command may take long: it is about a file, or much content. */
function isHeavy(kind: number): boolean {
  switch (kind & 0xff) {
    case COMMAND_RESPOND_FILE:
    case COMMAND_SEND_MANY:
    case COMMAND_EVENT:
      return true;
    default:
      return (kind >>> 8 & RESPOND_CONTENT_TOKEN) !== 0;
  }
}

/**
 * The producing end of the commands ring.
 *
 * A record is begun with room for the most that it may need, filled through
 * `words` and `bytes`, and ended with what it did need. One that is not ended
 * never was. When the ring is full, records wait here, in order, until there is
 * space; who writes much should look at `isCrowded` before.
 */
export class CommandWriter {
  /** Where the record that was begun is, as words. */
  words: Uint32Array<ArrayBuffer>;
  /** Where the record that was begun is, as bytes. */
  bytes: Uint8Array<ArrayBuffer>;
  #memory: IoMemory;
  /** End of the records that were written. */
  #head: number;
  /** End of what the consumer can see. */
  #published: number;
  /** What the consumer had read when this was last looked at. */
  #tail: number;
  /** Where the record begins that was begun, in bytes. */
  #start = 0;
  /** How many records the consumer cannot see, heavy ones counting more. */
  #weight = 0;
  /** Records for which there was no place. */
  readonly #waiting: Uint32Array<ArrayBuffer>[] = [];

  constructor(memory: IoMemory) {
    this.#memory = memory;
    this.words = memory.commandWords;
    this.bytes = memory.commandBytes;
    this.#head = Atomics.load(memory.control, COMMANDS_HEAD);
    this.#published = this.#head;
    this.#tail = Atomics.load(memory.control, COMMANDS_TAIL);
  }

  /** End of the records that were written. */
  get head(): number {
    return this.#head;
  }

  /** Whether records wait for space. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Bytes of records that the consumer cannot see yet. */
  get unpublished(): number {
    return (this.#head - this.#published) >>> 0;
  }

  /**
   * Whether what the consumer cannot see yet is so little that carrying it out
   * takes less time than telling another thread of it.
   */
  get isLight(): boolean {
    return this.#weight <= LIGHT_WEIGHT && this.unpublished <= LIGHT_BYTES;
  }

  /**
   * Whether content of this size should travel through the ring: if it is
   * longer, only while there is more room than there is use for.
   */
  suits(size: number): boolean {
    return size <= SHORT || size <= INLINE_CONTENT && !this.#isHalfFull;
  }

  get #isHalfFull(): boolean {
    const most = COMMANDS_BYTES / 2;
    if (((this.#head - this.#tail) >>> 0) <= most) return false;
    this.#tail = Atomics.load(this.#memory.control, COMMANDS_TAIL);
    return ((this.#head - this.#tail) >>> 0) > most;
  }

  /** Whether records wait for space, or would soon have to. */
  get isCrowded(): boolean {
    if (this.#waiting.length === 0 && this.#hasRoom(LARGEST_RECORD)) {
      return false;
    }
    return !this.retry() || !this.#hasRoom(LARGEST_RECORD);
  }

  /**
   * Begins a record.
   *
   * @param kind The command, and its flags in the 24 bits above.
   * @param room The most bytes that follow its first four words; together at
   * most `LARGEST_RECORD`.
   * @returns The index of its first word in `words`.
   */
  begin(
    kind: number,
    connection: number,
    generation: number,
    room: number,
  ): number {
    const start = this.#place(
      (room + PREFIX + RECORD_ALIGN - 1) & -RECORD_ALIGN,
    );
    const at = start >> 2;
    const { words } = this;
    this.#start = start;
    words[at + 1] = kind;
    words[at + 2] = connection;
    words[at + 3] = generation;
    return at;
  }

  /**
   * Ends the record that was begun.
   *
   * @param end Where its last byte is in `bytes`, plus one.
   */
  end(end: number): void {
    const size = (end - this.#start + RECORD_ALIGN - 1) & -RECORD_ALIGN;
    const at = this.#start >> 2;
    this.words[at] = size;
    this.#weight += isHeavy(this.words[at + 1]!) ? LIGHT_WEIGHT + 1 : 1;
    if (this.words !== this.#memory.commandWords) {
      this.#waiting.push(this.words.subarray(0, size >> 2));
    } else {
      this.#head = (this.#head + size) >>> 0;
    }
  }

  /** Writes go to `memory` from now on, where nobody reads them. */
  close(memory: IoMemory): void {
    this.#memory = memory;
    this.#waiting.length = 0;
    this.#head = this.#published = this.#tail = 0;
  }

  /**
   * Shows the consumer what was written.
   *
   * @returns Whether there was something new.
   */
  publish(): boolean {
    if (this.#head === this.#published) return false;
    this.#published = this.#head;
    this.#weight = 0;
    Atomics.store(this.#memory.control, COMMANDS_HEAD, this.#head);
    return true;
  }

  /** The consumer was shown everything by other means. */
  shown(): void {
    this.#published = this.#head;
    this.#weight = 0;
  }

  /**
   * Puts waiting records into the ring. They are not published.
   *
   * @returns Whether none is left.
   */
  retry(): boolean {
    let count = 0;
    for (const record of this.#waiting) {
      const start = this.#find(record.byteLength);
      if (start === -1) break;
      this.#memory.commandWords.set(record, start >> 2);
      this.#head = (this.#head + record.byteLength) >>> 0;
      count++;
    }
    this.#waiting.splice(0, count);
    return this.#waiting.length === 0;
  }

  #place(size: number): number {
    const { commandWords, commandBytes } = this.#memory;
    const start = this.#waiting.length === 0 ? this.#find(size) : -1;
    if (start !== -1) {
      this.words = commandWords;
      this.bytes = commandBytes;
      return start;
    }
    const memory = new ArrayBuffer(size);
    this.words = new Uint32Array(memory);
    this.bytes = new Uint8Array(memory);
    return 0;
  }

  /** Where a record of this size may begin; -1 if there is no space. */
  #find(size: number): number {
    let start = this.#head & (COMMANDS_BYTES - 1);
    if (start + size > COMMANDS_BYTES) {
      const rest = COMMANDS_BYTES - start;
      if (!this.#hasRoom(rest)) return -1;
      const { commandWords } = this.#memory;
      commandWords[start >> 2] = rest;
      commandWords[(start >> 2) + 1] = PAD;
      this.#head = (this.#head + rest) >>> 0;
      start = 0;
    }
    return this.#hasRoom(size) ? start : -1;
  }

  #hasRoom(size: number): boolean {
    const end = COMMANDS_BYTES - size;
    if (((this.#head - this.#tail) >>> 0) <= end) return true;
    const { control } = this.#memory;
    this.#tail = Atomics.load(control, COMMANDS_TAIL);
    if (((this.#head - this.#tail) >>> 0) <= end) return true;
    // The consumer reads, and then looks whether this is set; here it is the
    // other way round, so that one of both sees what the other did.
    Atomics.store(control, COMMANDS_BLOCKED, 1);
    this.#tail = Atomics.load(control, COMMANDS_TAIL);
    return ((this.#head - this.#tail) >>> 0) <= end;
  }
}
