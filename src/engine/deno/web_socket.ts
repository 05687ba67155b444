import { Buffer } from "node:buffer";
import type {
  EngineWebSocket,
  Publication,
  WebSocketEvents,
  WebSocketPlan,
} from "../engine.ts";
import type { Sweepable } from "./idle_sweep.ts";
import type { Backlogged } from "./web_socket_backlog.ts";
import { WebSocketOutbox } from "./web_socket_outbox.ts";
import type { Pooled, WebSocketPool } from "./web_socket_pool.ts";
import {
  closeWebSocket,
  cutWebSocket,
  releaseWebSocket,
} from "./web_socket_slots.ts";

/** Milliseconds for a client to answer a close frame, or to take some bytes. */
const CLOSE_GRACE = 3_000;

/** Milliseconds for Deno to send the answer to a handshake. */
const OPEN_GRACE = 3_000;

/** Whoever has less to take than this is not slow. */
const SMALL_BACKLOG = 64 * 1024;

/**
 * While more than this waits, or `backpressureLimit` if that is less, published
 * messages that may have to be taken back are kept here.
 */
const MOST_GIVEN = 256 * 1024;

/**
 * About what the kernel takes for a client that reads nothing. What was sent
 * in one turn of the event loop has not been offered to it yet, so that much
 * may come on top of the limit.
 */
const KERNEL_BUFFER = 4 * 1024 * 1024;

const EVENTS = ["open", "message", "error", "close"];

const NOT_A_PROTOCOL_ERROR = /\(os error|EOF|Bad resource|No response/;

/** What is done when the connection is open. */
type Held = string | Uint8Array<ArrayBuffer> | (() => void);

/** What came while reading was paused. */
interface Inbox {
  readonly messages: (string | ArrayBuffer)[];
  bytes: number;
  end: { readonly code: number; readonly reason: string } | undefined;
  isPaused: boolean;
}

/** One WebSocket on `Deno.serve`. */
export class DenoWebSocket
  implements
    EngineWebSocket,
    EventListenerObject,
    Backlogged,
    Pooled,
    Sweepable {
  context: unknown = undefined;
  deadline = Infinity;
  readonly #platform: WebSocket;
  readonly #plan: WebSocketPlan;
  readonly #events: WebSocketEvents;
  readonly #pool: WebSocketPool;
  readonly #smallBacklog: number;
  /** Before the answer is out nothing can be sent. */
  #held: Held[] | undefined = [];
  #heldBytes = 0;
  #inbox: Inbox | undefined;
  /** What Deno is not given yet; undefined if that is nothing. */
  #outbox: WebSocketOutbox | undefined;
  /** No more events: the facade, or the client, has closed. */
  #isOver = false;
  /** Nothing is left of the connection. */
  #isGone = false;
  /** No fewer bytes than wait to be written. */
  #backlog = 0;
  /** Bytes have outlived the turn of the event loop that sent them. */
  #isCongested = false;
  /** Whether that is so will be known when this turn is over. */
  #isSuspect = false;
  #owesDrain = false;
  /** How much there was to write when the grace began. */
  #lastBacklog = 0;
  /** Milliseconds of silence until it is over; 0 if Deno looks after that. */
  readonly #silence: number;

  constructor(
    platform: WebSocket,
    plan: WebSocketPlan,
    events: WebSocketEvents,
    pool: WebSocketPool,
  ) {
    this.#platform = platform;
    this.#plan = plan;
    this.#events = events;
    this.#pool = pool;
    this.#smallBacklog = plan.backpressureLimit === 0
      ? SMALL_BACKLOG
      : Math.min(SMALL_BACKLOG, plan.backpressureLimit);
    this.#silence = plan.sendPings ? 0 : plan.idleTimeout * 1_000;
    platform.binaryType = "arraybuffer";
    for (const type of EVENTS) platform.addEventListener(type, this);
    pool.add(this);
    this.#expireAfter(OPEN_GRACE);
  }

  get bufferedAmount(): number {
    return this.givenBytes + (this.#outbox?.bytes ?? 0);
  }

  /** Bytes that Deno was given and has not written. */
  get givenBytes(): number {
    if (this.#held !== undefined) return this.#heldBytes;
    // Asking about a connection that was cut ends the process.
    return this.#isGone ? 0 : this.#platform.bufferedAmount;
  }

  send(
    data: string | Uint8Array<ArrayBuffer>,
    _compress?: boolean,
    size: number = lengthOf(data),
    publication?: Publication,
  ): number {
    if (this.#isOver) return 0;
    if (this.#outbox !== undefined || publication !== undefined) {
      return this.#sendPublished(data, size, publication);
    }
    return this.#send(data, size);
  }

  #send(
    data: string | Uint8Array<ArrayBuffer>,
    size: number,
    isCut?: boolean,
  ): number {
    if (this.#held !== undefined) return this.#hold(data, size, isCut);
    // At most this much waits; looking it up each time would cost more.
    this.#backlog += size;
    if (this.#backlog > this.#smallBacklog) {
      return this.#sendMuch(data, size, isCut);
    }
    this.#platform.send(data);
    return this.#isCongested ? -1 : size;
  }

  /** Deno answers pings, and sends them to silent clients, by itself. */
  ping(): number {
    return 0;
  }

  pong(): number {
    return 0;
  }

  close(code: number | undefined, reason: string): void {
    this.#isOver = true;
    this.#inbox = undefined;
    if (this.#held === undefined) this.#sendClose(code, reason);
    else this.#held.push(() => this.#sendClose(code, reason));
  }

  terminate(): void {
    this.#isOver = true;
    this.#inbox = undefined;
    if (this.#held === undefined) this.#giveOut(Infinity);
    if (this.#held === undefined) this.cut();
    else this.#held.push(() => this.cut());
  }

  pause(): void {
    this.#inbox ??= { messages: [], bytes: 0, end: undefined, isPaused: true };
    this.#inbox.isPaused = true;
  }

  resume(): void {
    if (this.#inbox === undefined) return;
    this.#inbox.isPaused = false;
    queueMicrotask(() => this.#empty());
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case "message":
        return this.#receive((event as MessageEvent).data);
      case "open":
        return this.#open();
      case "close": {
        const { code, reason } = event as CloseEvent;
        return this.#lost(code === 0 ? 1006 : code, reason);
      }
      default: {
        const { message } = event as ErrorEvent;
        const isKnown = !NOT_A_PROTOCOL_ERROR.test(message);
        return this.#lost(1006, isKnown ? message : "");
      }
    }
  }

  congested(): void {
    this.#isCongested = true;
    this.#owesDrain = true;
  }

  drained(): void {
    if (this.#outbox !== undefined && !this.#isGone) {
      this.#isCongested = false;
      this.#giveOut(MOST_GIVEN);
      return this.#suspect();
    }
    const owesDrain = this.#owesDrain;
    this.#isCongested = false;
    this.#isSuspect = false;
    this.#owesDrain = false;
    if (owesDrain && !this.#isOver) this.#events.drain(this);
  }

  cut(): void {
    if (this.#isGone) return;
    this.#outbox = undefined;
    this.#isGone = cutWebSocket(this.#platform);
    if (this.#isGone) return;
    // All that is left is to ask, again.
    if (this.#platform.readyState === WebSocket.OPEN) this.#platform.close();
  }

  expire(): void {
    if (this.#held !== undefined) return this.#giveUp();
    if (this.#isOver) return this.#expireClosing();
    // While we do not listen, the client's silence says nothing.
    if (this.#inbox !== undefined) return this.#expireAfter(this.#silence);
    this.#isOver = true;
    this.cut();
    this.#events.closed(this, 1006, "");
  }

  #open(): void {
    if (this.#silence > 0) this.#expireAfter(this.#silence);
    else this.#pool.sweep.remove(this);
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const item of held) {
      if (typeof item === "function") item();
      else this.#platform.send(item);
    }
    if (this.#outbox !== undefined && !this.#isSuspect) this.#suspect();
  }

  /**
   * Deno says nothing of a client that has left before the answer to its
   * handshake was out.
   */
  #giveUp(): void {
    const wasOver = this.#isOver;
    this.#isOver = true;
    // Should it open all the same.
    this.#held = [() => this.cut()];
    this.#pool.lose(this);
    if (!wasOver) this.#events.closed(this, 1006, "");
  }

  #hold(
    data: string | Uint8Array<ArrayBuffer>,
    size: number,
    isCut?: boolean,
  ): number {
    const { backpressureLimit: limit } = this.#plan;
    if (limit > 0 && this.#heldBytes > limit + KERNEL_BUFFER) {
      return this.#drop(isCut);
    }
    this.#heldBytes += size;
    // The sender may reuse its buffer as soon as this returns.
    this.#held!.push(typeof data === "string" ? data : data.slice());
    return size;
  }

  /** Sends to a client that may be slow. */
  #sendMuch(
    data: string | Uint8Array<ArrayBuffer>,
    size: number,
    isCut?: boolean,
  ): number {
    const backlog = this.#platform.bufferedAmount;
    this.#backlog = backlog + size;
    if (backlog > this.#smallBacklog && this.#isFull(backlog)) {
      return this.#drop(isCut);
    }
    this.#platform.send(data);
    if (this.#isCongested) return -1;
    if (this.#backlog <= this.#smallBacklog) return size;
    if (!this.#isSuspect) this.#suspect();
    if (this.#backlog <= KERNEL_BUFFER) return size;
    this.#owesDrain = true;
    return -1;
  }

  #isFull(backlog: number): boolean {
    return this.#excess(backlog) > 0;
  }

  /** By how much more waits than may. */
  #excess(backlog: number): number {
    const { backpressureLimit: limit } = this.#plan;
    if (limit === 0) return 0;
    return backlog - (this.#isCongested ? limit : limit + KERNEL_BUFFER);
  }

  /** Sends what may have to be taken back, or is behind that. */
  #sendPublished(
    data: string | Uint8Array<ArrayBuffer>,
    size: number,
    publication: Publication | undefined,
  ): number {
    const isCut = publication?.policy === "disconnect" ? true : undefined;
    if (this.#outbox === undefined) {
      if (isCut) return this.#send(data, size, isCut);
      const { backpressureLimit: limit } = this.#plan;
      const most = limit === 0 ? Infinity : Math.min(limit, MOST_GIVEN);
      if (this.givenBytes <= most) return this.#send(data, size);
      this.#outbox = new WebSocketOutbox();
    }
    const outbox = this.#outbox;
    const isFull = !this.#makeRoom(outbox, publication);
    if (isFull) return this.#drop(isCut);
    outbox.add(data, size, isCut ? undefined : publication);
    this.#owesDrain = true;
    if (!this.#isSuspect && this.#held === undefined) this.#suspect();
    return -1;
  }

  /** Makes room in the way of a policy; false if there is none. */
  #makeRoom(
    outbox: WebSocketOutbox,
    publication: Publication | undefined,
  ): boolean {
    const isFull = this.#isFull(this.bufferedAmount);
    if (publication?.policy === "latest") {
      if (isFull || outbox.isBehind) outbox.supersede(publication.topic);
      // There may be many topics.
      const { backpressureLimit: limit } = this.#plan;
      return limit === 0 || outbox.bytes <= limit + KERNEL_BUFFER;
    }
    if (publication?.policy !== "drop-oldest") return !isFull;
    // What Deno was given leaves when it likes.
    const excess = this.#excess(outbox.bytes);
    if (excess > 0) outbox.shed(excess);
    return !this.#isFull(outbox.bytes);
  }

  /** Looks whether the client is slow. */
  #suspect(): void {
    this.#isSuspect = true;
    this.#pool.backlog.suspect(this);
  }

  /**
   * Gives Deno what it was not given yet.
   *
   * @param most As long as no more bytes than this wait.
   */
  #giveOut(most: number): void {
    const outbox = this.#outbox;
    if (outbox === undefined) return;
    while (!this.#isGone && this.givenBytes <= most) {
      const data = outbox.take();
      if (data === undefined) break;
      this.#platform.send(data);
    }
    if (outbox.isEmpty) this.#outbox = undefined;
  }

  /**
   * The client is too slow for what it is sent.
   *
   * @param isCut The connection ends for it.
   */
  #drop(isCut: boolean = this.#plan.closeOnBackpressureLimit): number {
    if (isCut) {
      this.terminate();
      this.#events.closed(this, 1006, "");
    }
    return 0;
  }

  #receive(data: string | ArrayBuffer): void {
    if (this.#isOver) return;
    if (isLonger(data, this.#plan.maxPayloadLength)) {
      return this.#refuse(1009, "Message too big");
    }
    if (this.#silence > 0) {
      this.deadline = this.#pool.sweep.now + this.#silence;
    }
    if (this.#inbox === undefined) this.#events.message(this, data);
    else this.#keep(data, this.#inbox);
  }

  #keep(data: string | ArrayBuffer, inbox: Inbox): void {
    const { backpressureLimit: limit } = this.#plan;
    if (limit > 0 && inbox.bytes > limit) {
      return this.#refuse(1008, "Too much was sent while reading was paused");
    }
    inbox.bytes += lengthOf(data);
    inbox.messages.push(data);
  }

  /** Delivers what came meanwhile; handlers may pause again. */
  #empty(): void {
    const inbox = this.#inbox;
    if (inbox === undefined || inbox.isPaused) return;
    let delivered = 0;
    for (const message of inbox.messages) {
      delivered++;
      inbox.bytes -= lengthOf(message);
      this.#events.message(this, message);
      if (inbox.isPaused || this.#inbox !== inbox) break;
    }
    inbox.messages.splice(0, delivered);
    if (this.#inbox !== inbox || inbox.isPaused) return;
    this.#inbox = undefined;
    if (inbox.end === undefined) return;
    const { code, reason } = inbox.end;
    this.#events.closed(this, code, reason);
  }

  /** The client does what it must not. */
  #refuse(code: number, reason: string): void {
    this.close(code, reason);
    this.#events.closed(this, 1006, reason);
  }

  #sendClose(code: number | undefined, reason: string): void {
    if (this.#isGone) return;
    this.#giveOut(Infinity);
    closeWebSocket(this.#platform, code, reason);
    // Deno would wait for the client's answer for ever.
    this.#lastBacklog = this.bufferedAmount;
    this.#expireAfter(CLOSE_GRACE);
  }

  #expireAfter(milliseconds: number): void {
    const { sweep } = this.#pool;
    this.deadline = sweep.now + milliseconds;
    sweep.add(this);
  }

  /** A slow client may have much to read before it sees the close frame. */
  #expireClosing(): void {
    const backlog = this.bufferedAmount;
    if (backlog >= this.#lastBacklog) return this.cut();
    this.#lastBacklog = backlog;
    this.#expireAfter(CLOSE_GRACE);
  }

  /** The connection is gone. */
  #lost(code: number, reason: string): void {
    this.#isGone = true;
    this.#outbox = undefined;
    for (const type of EVENTS) this.#platform.removeEventListener(type, this);
    releaseWebSocket(this.#platform);
    this.#pool.delete(this);
    this.#pool.backlog.delete(this);
    this.#pool.sweep.remove(this);
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#inbox !== undefined) this.#inbox.end = { code, reason };
    else this.#events.closed(this, code, reason);
  }
}

function lengthOf(data: string | Uint8Array | ArrayBuffer): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
}

/** Whether a message is longer than a limit in bytes. */
function isLonger(data: string | ArrayBuffer, limit: number): boolean {
  // Each UTF-16 unit is at most three bytes: few texts have to be counted.
  if (typeof data === "string" && data.length * 3 <= limit) return false;
  return lengthOf(data) > limit;
}
