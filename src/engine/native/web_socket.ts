import { Buffer } from "node:buffer";
import type {
  EngineWebSocket,
  Publication,
  PublishPolicy,
  WebSocketEvents,
  WebSocketPlan,
} from "../engine.ts";
import {
  COMMAND_CLOSE,
  COMMAND_PAUSE,
  COMMAND_RESUME,
  COMMAND_SEND,
  COMMAND_SUBSCRIBE,
  COMMAND_TERMINATE,
  COMMAND_UNSUBSCRIBE,
  MESSAGE_TEXT,
  MESSAGE_WAITS,
  RESPOND_CONTENT_TOKEN,
  SEND_COMPRESSED,
  SEND_DISCONNECT,
  SEND_DROP_OLDEST,
  SEND_LATEST,
  SEND_PING,
  SEND_PONG,
  SEND_TEXT,
} from "./abi.ts";
import { broadcast } from "./broadcast.ts";
import type { EventBatch } from "./event_reader.ts";
import type { IoMemory } from "./io_memory.ts";
import type { Pump } from "./pump.ts";
import {
  decodeText,
  encodeText,
  MOST_BYTES,
  scratchOf,
  textIn,
  writeText,
} from "./text.ts";
import { limitsOf, type WebSocketLimits } from "./web_socket_limits.ts";

/** A message is not sent: the socket is over, or too much waits. */
export const DROPPED = 0;
/** A message is sent when the client has taken others; `drain` follows. */
export const WAITS = 1;
/** A message is sent. */
export const TAKEN = 2;

/** One WebSocket on an I/O thread. */
export class NativeWebSocket implements EngineWebSocket {
  context: unknown = undefined;
  /** The thread that it is on. */
  readonly pump: Pump;
  /** Its connection. */
  readonly connection: number;
  /** Tells it from others on the connection. */
  readonly generation: number;
  readonly #memory: IoMemory;
  readonly #events: WebSocketEvents;
  readonly #limits: WebSocketLimits;
  /** Bytes that were sent and, when last looked at, not written. */
  #waiting = 0;
  /** What the thread's count of written bytes was then, modulo 2^32. */
  #seen = 0;
  /** Somebody was told that something waits. */
  #owesDrain = false;
  /** No more events, and nothing is sent: either side has closed. */
  #isOver = false;

  constructor(
    pump: Pump,
    memory: IoMemory,
    connection: number,
    generation: number,
    plan: WebSocketPlan,
    events: WebSocketEvents,
  ) {
    this.pump = pump;
    this.#memory = memory;
    this.connection = connection;
    this.generation = generation;
    this.#limits = limitsOf(plan);
    this.#events = events;
  }

  get bufferedAmount(): number {
    if (this.#isOver) return 0;
    const waiting = this.#countWaiting();
    if (waiting > 0) this.#owe();
    return waiting;
  }

  send(
    data: string | Uint8Array<ArrayBuffer>,
    compress: boolean,
    size?: number,
    publication?: Publication,
  ): number {
    if (publication !== undefined) {
      const length = size ?? sizeOf(data);
      return broadcast([this], data, compress, length, publication);
    }
    const flags = sendFlags(data, compress);
    const most = size ?? mostBytesOf(data);
    if (!this.pump.commands.suits(most)) {
      return this.#sendLong(data, flags, size);
    }
    return this.#sendInline(data, flags, most);
  }

  ping(data: Uint8Array<ArrayBuffer>): number {
    return this.#sendInline(data, SEND_PING, data.length);
  }

  pong(data: Uint8Array<ArrayBuffer>): number {
    return this.#sendInline(data, SEND_PONG, data.length);
  }

  close(code: number | undefined, reason: string): void {
    if (this.#isOver) return;
    const { pump: { commands }, connection, generation } = this;
    const room = 8 + reason.length * MOST_BYTES;
    const at = commands.begin(COMMAND_CLOSE, connection, generation, room);
    const start = (at + 6) << 2;
    const end = writeText(commands.bytes, start, reason);
    commands.words[at + 4] = code ?? 0;
    commands.words[at + 5] = end - start;
    commands.end(end);
    this.#end();
  }

  terminate(): void {
    if (this.#isOver) return;
    this.#command(COMMAND_TERMINATE);
    this.#end();
  }

  pause(): void {
    if (!this.#isOver) this.#command(COMMAND_PAUSE);
  }

  resume(): void {
    if (!this.#isOver) this.#command(COMMAND_RESUME);
  }

  /** Tells the thread of a subscription on a bus; it ends with the socket. */
  subscribe(membership: number, topic: string): void {
    this.#tellTopic(COMMAND_SUBSCRIBE, membership, topic);
  }

  /** Tells the thread that it has ended. */
  unsubscribe(membership: number, topic: string): void {
    this.#tellTopic(COMMAND_UNSUBSCRIBE, membership, topic);
  }

  /**
   * Waits for the thread if it has far too much to do for this socket, which
   * only happens while JavaScript sends without a pause. No record may be begun.
   *
   * @returns Whether the thread has done what it had to.
   */
  catchUp(): boolean {
    const { most } = this.#limits;
    if (this.#isOver || this.#countWaiting() <= most) return true;
    return this.pump.catchUp(() => this.#countWaiting() <= most);
  }

  /**
   * Counts a message that is about to be sent.
   *
   * @param size The number of its bytes.
   * @param takesBack The thread makes room for it, once the client is slow.
   * @returns `DROPPED`, `WAITS` or `TAKEN`. Dropped ones are not counted, and
   * `overflow` must follow, which may run programs.
   */
  admit(size: number, takesBack: boolean = false): number {
    if (this.#isOver) return DROPPED;
    const waiting = this.#countWaiting();
    const limits = this.#limits;
    const isSlow = this.#isSlow();
    const sooner = isSlow ? limits.slow : limits.any;
    if (waiting > (takesBack ? limits.most : sooner)) return DROPPED;
    this.#waiting = waiting + size;
    if (!isSlow && waiting + size <= limits.ease) return TAKEN;
    this.#owe();
    return WAITS;
  }

  /**
   * A message was dropped.
   *
   * @param isCut The connection is cut for it.
   */
  overflow(isCut: boolean = this.#limits.isCut): 0 {
    if (this.#isOver || !isCut) return 0;
    this.terminate();
    this.#events.closed(this, 1006, "");
    return 0;
  }

  /** A message arrived; `at` is the index of its record's first word. */
  receive(batch: EventBatch, at: number): void {
    const { words } = batch;
    const flags = words[at + 1]! >>> 8;
    const size = words[at + 4]!;
    const isText = (flags & MESSAGE_TEXT) !== 0;
    if ((flags & MESSAGE_WAITS) !== 0) return this.#receiveLong(size, isText);
    const start = (at + 5) << 2;
    const data = isText
      ? textIn(batch, start, start + size)
      : batch.bufferOf(start, start + size);
    this.#events.message(this, data);
  }

  /** A ping arrived. */
  pinged(data: ArrayBuffer): void {
    this.#events.ping(this, data);
  }

  /** A pong arrived. */
  ponged(data: ArrayBuffer): void {
    this.#events.pong(this, data);
  }

  /** The connection is over, and not by us. */
  lost(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#events.closed(this, code, reason);
  }

  /** The I/O thread has written everything, which took the client a while. */
  drained(): void {
    if (this.#isOver || !this.#owesDrain) return;
    // More may have been sent since it said so.
    if (!this.#settle()) this.pump.watch(this);
  }

  /**
   * Looks whether everything has been written.
   *
   * @returns Whether the I/O thread will tell, or there is nothing to tell.
   */
  look(): boolean {
    return this.#isOver || this.#isSlow() || this.#settle();
  }

  /** Whether the I/O thread will tell when everything has been written. */
  #isSlow(): boolean {
    return this.#memory.blocked[this.connection] !== 0;
  }

  #owe(): void {
    if (this.#owesDrain) return;
    this.#owesDrain = true;
    if (!this.#isSlow()) this.pump.watch(this);
  }

  #settle(): boolean {
    if (this.#countWaiting() > 0) return false;
    this.#owesDrain = false;
    this.#events.drain(this);
    return true;
  }

  #countWaiting(): number {
    const delivered = this.#memory.delivered[this.connection]! | 0;
    if (delivered !== this.#seen) {
      this.#waiting -= (delivered - this.#seen) >>> 0;
      this.#seen = delivered;
    }
    return this.#waiting;
  }

  #sendInline(
    data: string | Uint8Array<ArrayBuffer>,
    flags: number,
    most: number,
  ): number {
    if (this.#isOver) return 0;
    const { pump, connection, generation } = this;
    const { commands } = pump;
    const kind = COMMAND_SEND | flags << 8;
    const at = commands.begin(kind, connection, generation, 8 + most);
    const start = (at + 6) << 2;
    const end = writePayload(commands.bytes, start, data);
    const size = end - start;
    const status = this.admit(size);
    // What was begun and does not end never was.
    if (status === DROPPED) return this.overflow();
    commands.words[at + 4] = size;
    commands.words[at + 5] = 0;
    commands.end(end);
    pump.wroteMore();
    return status === TAKEN ? size : -1;
  }

  /** Sends what may be too long for a record. */
  #sendLong(
    data: string | Uint8Array<ArrayBuffer>,
    flags: number,
    knownSize: number | undefined,
  ): number {
    if (this.#isOver) return 0;
    const size = knownSize ?? sizeOf(data);
    if (this.pump.commands.suits(size)) {
      return this.#sendInline(data, flags, size);
    }
    const status = this.admit(size);
    if (status === DROPPED) return this.overflow();
    const { pump, connection, generation } = this;
    const { commands } = pump;
    const kind = COMMAND_SEND | (flags | RESPOND_CONTENT_TOKEN) << 8;
    const at = commands.begin(kind, connection, generation, 8);
    commands.words[at + 4] = size;
    const end = (at + 6) << 2;
    const bytes = toBytes(data);
    if ((flags & SEND_COMPRESSED) !== 0) {
      // Compressing it is no work for this thread.
      commands.words[at + 5] = pump.calls.lend(bytes);
      commands.end(end);
    } else pump.endWithContent(end, at, at + 5, bytes);
    pump.wroteMore(size);
    return status === TAKEN ? size : -1;
  }

  #receiveLong(size: number, isText: boolean): void {
    const { pump: { calls }, connection, generation } = this;
    const bytes = isText ? scratchOf(size) : new Uint8Array(size);
    const taken = calls.take(connection, generation, bytes);
    // The connection is gone, which the next event tells.
    if (taken !== size) return;
    this.#events.message(this, isText ? decodeText(bytes) : bytes.buffer);
  }

  #tellTopic(kind: number, membership: number, topic: string): void {
    if (this.#isOver) return;
    const { pump: { commands }, connection, generation } = this;
    const room = 8 + topic.length * MOST_BYTES;
    const at = commands.begin(kind, connection, generation, room);
    const start = (at + 6) << 2;
    const end = writeText(commands.bytes, start, topic);
    commands.words[at + 4] = membership;
    commands.words[at + 5] = end - start;
    commands.end(end);
    this.pump.written();
  }

  #command(kind: number): void {
    const { pump, connection, generation } = this;
    const at = pump.commands.begin(kind, connection, generation, 0);
    pump.commands.end((at + 4) << 2);
    pump.written();
  }

  #end(): void {
    this.#isOver = true;
    this.pump.sockets.delete(this);
    this.pump.written();
  }
}

/** The flags of a command that sends `data`. */
export function sendFlags(
  data: string | Uint8Array<ArrayBuffer>,
  compress: boolean,
): number {
  return (typeof data === "string" ? SEND_TEXT : 0) |
    (compress ? SEND_COMPRESSED : 0);
}

/** The flag of a policy for slow clients. */
export function policyFlag(policy: PublishPolicy): number {
  switch (policy) {
    case "drop-newest":
      return 0;
    case "drop-oldest":
      return SEND_DROP_OLDEST;
    case "latest":
      return SEND_LATEST;
    case "disconnect":
      return SEND_DISCONNECT;
  }
}

/** Writes a payload, text as UTF-8; returns where it ends. */
export function writePayload(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  data: string | Uint8Array<ArrayBuffer>,
): number {
  if (typeof data === "string") return writeText(bytes, start, data);
  bytes.set(data, start);
  return start + data.length;
}

/** A payload as bytes, until text is written or read again. */
export function toBytes(
  data: string | Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return typeof data === "string" ? encodeText(data) : data;
}

function mostBytesOf(data: string | Uint8Array<ArrayBuffer>): number {
  return typeof data === "string" ? data.length * MOST_BYTES : data.length;
}

function sizeOf(data: string | Uint8Array<ArrayBuffer>): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}
