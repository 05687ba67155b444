import {
  COMMANDS_BYTES,
  CONTROL_BYTES,
  EVENTS_BYTES,
  MAX_CONNECTIONS,
} from "./abi.ts";

/**
 * The memory that JavaScript shares with one I/O thread, as views.
 *
 * It belongs to the helper and is gone once the helper closes: then nothing may
 * look at it any more.
 */
export class IoMemory {
  /** What both sides tell each other by single words. */
  readonly control: Uint32Array<ArrayBuffer>;
  /** The events ring as bytes. */
  readonly eventBytes: Uint8Array<ArrayBuffer>;
  /** The events ring as words. */
  readonly eventWords: Uint32Array<ArrayBuffer>;
  /** The commands ring as bytes. */
  readonly commandBytes: Uint8Array<ArrayBuffer>;
  /** The commands ring as words. */
  readonly commandWords: Uint32Array<ArrayBuffer>;
  /** The generation of the current request by connection. */
  readonly generations: Uint32Array<ArrayBuffer>;
  /** Bytes of messages to a WebSocket that were written, by connection. */
  readonly delivered: Uint32Array<ArrayBuffer>;
  /** 1 while a WebSocket's client is slow, by connection. */
  readonly blocked: Uint32Array<ArrayBuffer>;

  /** @param region `REGION_BYTES` bytes. */
  constructor(region: ArrayBuffer) {
    const events = CONTROL_BYTES;
    const commands = events + EVENTS_BYTES;
    const generations = commands + COMMANDS_BYTES;
    this.control = new Uint32Array(region, 0, CONTROL_BYTES / 4);
    this.eventBytes = new Uint8Array(region, events, EVENTS_BYTES);
    this.eventWords = new Uint32Array(region, events, EVENTS_BYTES / 4);
    this.commandBytes = new Uint8Array(region, commands, COMMANDS_BYTES);
    this.commandWords = new Uint32Array(region, commands, COMMANDS_BYTES / 4);
    const delivered = generations + MAX_CONNECTIONS * 4;
    const blocked = delivered + MAX_CONNECTIONS * 4;
    this.generations = new Uint32Array(region, generations, MAX_CONNECTIONS);
    this.delivered = new Uint32Array(region, delivered, MAX_CONNECTIONS);
    this.blocked = new Uint32Array(region, blocked, MAX_CONNECTIONS);
  }
}
