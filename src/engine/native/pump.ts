import { setImmediate } from "node:timers";
import type { HttpHandler, WebSocketEvents, WebSocketPlan } from "../engine.ts";
import {
  COMMANDS_BYTES,
  CONTENT_END,
  CONTENT_PRESENT,
  EVENT_CONTENT,
  EVENT_CONTENT_FAILED,
  EVENT_DONE,
  EVENT_GONE,
  EVENT_MESSAGE,
  EVENT_REQUEST,
  EVENT_STOPPED,
  EVENT_TCP_OPEN,
  EVENT_TCP_READABLE,
  EVENT_WRITTEN,
  IO_SLEEPS,
  JS_SLEEPS,
  REGION_BYTES,
  REQUESTS_STARTED,
} from "./abi.ts";
import { CommandWriter } from "./command_writer.ts";
import { type EventBatch, EventReader } from "./event_reader.ts";
import { NativeExchange } from "./exchange.ts";
import { IoMemory } from "./io_memory.ts";
import { RequestTexts } from "./request_texts.ts";
import { NativeWebSocket } from "./web_socket.ts";
import { WebSocketTable } from "./web_socket_table.ts";
import { Spinner } from "./spinner.ts";
import { TcpTable } from "./tcp_table.ts";
import type { EncodedClient } from "./tls_client.ts";

// Programs may put clocks of their own in their place.
const { clearTimeout, performance, setTimeout } = globalThis;

/** What JavaScript calls an I/O thread for; all else is in memory. */
export interface IoCalls {
  /** Wakes the thread, if it sleeps. */
  wake(): void;
  /** Carries out commands on this thread, if the other sleeps. */
  help(): void;
  /**
   * Carries out the commands up to `head` on this thread, unless the other is
   * at it. The last is for `connection`, and its content is there.
   *
   * @returns Whether that was done.
   */
  present(
    connection: number,
    head: number,
    content: Uint8Array<ArrayBuffer>,
  ): boolean;
  /**
   * Reads what has arrived on a TCP connection, after EVENT_TCP_READABLE.
   *
   * @param offer What that has said.
   * @returns The number of bytes, 0 at the end; below zero, the error number,
   * EBUSY if the other thread has to do it.
   */
  readTcp(
    connection: number,
    generation: number,
    offer: number,
    out: Uint8Array<ArrayBuffer>,
  ): number;
  /** Copies content into the helper; returns the token that stands for it. */
  lend(content: Uint8Array<ArrayBuffer>): number;
  /**
   * Keeps how a connection is to speak TLS; returns the token that stands for
   * it, 0 or less if the helper cannot.
   */
  lendClient(client: EncodedClient): number;
  /**
   * Copies request content, or a message, that has arrived; returns the number
   * of bytes, below zero if the request or the WebSocket is over.
   */
  take(
    connection: number,
    generation: number,
    target: Uint8Array<ArrayBuffer>,
  ): number;
  /**
   * What the client of a request has shown of itself, as the helper encodes it;
   * undefined without anything, and once it has left.
   */
  peerCertificate(
    connection: number,
    generation: number,
  ): Uint8Array<ArrayBuffer> | undefined;
}

/** Whoever answers the requests of a listener. */
export interface RequestSink {
  /** Answers a request. */
  readonly handler: HttpHandler;
  /** For the URLs of requests that name none. */
  readonly scheme: "http" | "https";
  /** Host and port for the URLs of requests that name none. */
  readonly authority: string;
  /** In bytes, for messages. */
  readonly maxRequestBodySize: number;
  /** The listener accepts nobody any more. */
  readonly isStopping: boolean;
  /** The listener has stopped, and its last connection has ended. */
  stopped(): void;
}

/** The most requests between two looks at the clock. */
const LONGEST_INTERVAL = 16;
/** Answers do not wait longer than this for those behind, in milliseconds. */
const PATIENCE = 1;
/** How long timers and other I/O may have to wait for a turn to end. */
const TURN = 10;
/** How many turns wait busily for space, since it seldom takes long. */
const BUSY_TURNS = 8;
/** So many bytes are not held back until a turn ends. */
const EARLY_BYTES = COMMANDS_BYTES / 4;
/** So many microtasks may be between the parts of a stream. */
const CHUNK_HOPS = 16;
/** And so many before what was written is shown, in all. */
const MOST_HOPS = 512;
/** How often a thread that has too much to do is looked at. */
const CATCH_UP_ROUNDS = 500;
/** Nobody ever wakes who waits for it. */
const pause = new Int32Array(new SharedArrayBuffer(4));
/** How often to look for slow clients that are none, in milliseconds. */
const LOOK = 1;

/**
 * JavaScript's side of one I/O thread: takes events, hands requests to whoever
 * answers them, and passes the answers on.
 *
 * Events are handled in turns, between which the event loop gets to everything
 * else. What a turn answers at once is shown to the thread together, at its
 * end; what is answered later, when the microtasks of that moment are done.
 */
export class Pump {
  /** Where commands are written. After them, `written` must be called. */
  readonly commands: CommandWriter;
  /** The texts of the request that is being read. */
  readonly texts: RequestTexts = new RequestTexts();
  /** The WebSockets on the thread. */
  readonly sockets: WebSocketTable = new WebSocketTable();
  /** The TCP connections on the thread. */
  readonly tcp: TcpTable = new TcpTable(this);
  /** What the thread can be called for. */
  readonly calls: IoCalls;
  /** The thread is gone: nothing can be answered any more. */
  isClosed = false;
  #memory: IoMemory;
  #events: EventReader;
  readonly #sinks: Map<number, RequestSink> = new Map();
  /** Exchanges that events may be for, by connection. */
  readonly #kept: (NativeExchange | undefined)[] = [];
  #keptCount = 0;
  readonly #spinner: Spinner = new Spinner();
  #started = 0;
  /** Requests and messages in this turn. */
  #asked = 0;
  #interval = 1;
  #isInTurn = false;
  #isScheduled = false;
  #isFlushing = false;
  #isAsleep = false;
  /** Microtasks that a flush waits for, and those that it has waited for. */
  #hopsLeft = 0;
  #hops = 0;
  #crowdedTurns = 0;
  #look: ReturnType<typeof setTimeout> | undefined;

  constructor(memory: IoMemory, calls: IoCalls) {
    this.#memory = memory;
    this.calls = calls;
    this.commands = new CommandWriter(memory);
    this.#events = new EventReader(memory, () => calls.wake());
  }

  /** Requests of `listener` go to `sink` from now on. */
  listen(listener: number, sink: RequestSink): void {
    this.#sinks.set(listener, sink);
  }

  /** The doorbell rang, or may have. */
  wake(): void {
    if (this.#isScheduled || this.#isInTurn || this.isClosed) return;
    this.#awake();
    this.#spinner.woke();
    this.#turn();
  }

  /** Events for the connection of `exchange` are told to it. */
  keep(exchange: NativeExchange): void {
    const { connection } = exchange;
    const kept = this.#kept;
    while (kept.length <= connection) kept.push(undefined);
    if (kept[connection] === undefined) this.#keptCount++;
    kept[connection] = exchange;
  }

  /** Events are not told to `exchange` any more. */
  forget(exchange: NativeExchange): void {
    const { connection } = exchange;
    if (this.#kept[connection] !== exchange) return;
    this.#kept[connection] = undefined;
    this.#keptCount--;
  }

  /**
   * Whether the client of an open connection does not take what it is sent.
   * Begins anew with `forgetBlocked`.
   */
  isBlocked(connection: number): boolean {
    return this.#memory.blocked[connection] !== 0;
  }

  /** What was said of the connection before does not count any more. */
  forgetBlocked(connection: number): void {
    this.#memory.blocked[connection] = 0;
  }

  /** A request becomes a WebSocket, of which the thread is told next. */
  openWebSocket(
    connection: number,
    generation: number,
    plan: WebSocketPlan,
    events: WebSocketEvents,
  ): NativeWebSocket {
    const memory = this.#memory;
    // Nothing was sent that the thread could be counting.
    memory.delivered[connection] = 0;
    memory.blocked[connection] = 0;
    const socket = new NativeWebSocket(
      this,
      memory,
      connection,
      generation,
      plan,
      events,
    );
    this.sockets.add(socket);
    return socket;
  }

  /** What the thread has written of what was sent, by connection. */
  get delivered(): Uint32Array<ArrayBuffer> {
    return this.#memory.delivered;
  }

  /** Bytes wait for a client that need not be slow: it is looked at soon. */
  watch(socket: NativeWebSocket): void {
    this.sockets.watch(socket);
    if (this.#isAsleep) this.#lookSoon();
  }

  /** A command was written: the thread is shown it soon. */
  written(): void {
    if (this.#isInTurn || this.#isFlushing) return;
    this.#isFlushing = true;
    // Other answers may be a few microtasks away.
    queueMicrotask(this.#onFlush);
  }

  /**
   * As `written`, after commands of which there may be many: the thread begins
   * with them while others are written.
   *
   * @param lent Bytes that were lent with it.
   */
  wroteMore(lent: number = 0): void {
    this.written();
    if (this.commands.unpublished + lent > EARLY_BYTES) this.show();
  }

  /**
   * As `wroteMore`, after the head or a part of a stream: the parts behind it
   * are often only a few microtasks away, and what the thread sees together it
   * writes together.
   */
  wroteChunk(lent: number): void {
    if (this.#hops < MOST_HOPS) this.#hopsLeft = CHUNK_HOPS;
    this.wroteMore(lent);
  }

  /**
   * Ends the record that was begun, whose content has no place in it: where the
   * thread sleeps, this one carries out the command from where the content is;
   * otherwise the content is copied.
   *
   * @param end Where the record's last byte is, plus one.
   * @param at The index of its first word.
   * @param token The index of the word that stands for the content.
   */
  endWithContent(
    end: number,
    at: number,
    token: number,
    content: Uint8Array<ArrayBuffer>,
  ): void {
    const { commands, calls } = this;
    const { words } = commands;
    commands.end(end);
    const isIdle = Atomics.load(this.#memory.control, IO_SLEEPS) !== 0;
    if (isIdle && !commands.isWaiting && !this.isClosed) {
      words[token] = CONTENT_PRESENT;
      if (calls.present(words[at + 2]!, commands.head, content)) {
        return commands.shown();
      }
    }
    words[token] = calls.lend(content);
  }

  /** Shows the thread what was written. */
  show(): void {
    const { commands } = this;
    const isLight = commands.isLight;
    if (!commands.publish()) return;
    if (Atomics.load(this.#memory.control, IO_SLEEPS) === 0) return;
    if (isLight) this.calls.help();
    else this.calls.wake();
  }

  /**
   * Waits until the thread, which waits for nobody, has done enough of what it
   * was shown. No record may be begun.
   *
   * @returns Whether it has; not if it hardly runs.
   */
  catchUp(hasCaughtUp: () => boolean): boolean {
    for (let round = 0; round < CATCH_UP_ROUNDS; round++) {
      if (this.commands.isWaiting) this.commands.retry();
      this.show();
      if (hasCaughtUp()) return true;
      if (this.isClosed) return false;
      Atomics.wait(pause, 0, 0, 1);
    }
    return false;
  }

  /** The memory and the thread are about to go. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.#look);
    for (const exchange of this.#kept) exchange?.leave();
    this.sockets.close();
    this.tcp.close();
    this.#sinks.clear();
    this.#memory = new IoMemory(new ArrayBuffer(REGION_BYTES));
    this.#events = new EventReader(this.#memory, () => {});
    this.commands.close(this.#memory);
  }

  readonly #onTurn = (): void => {
    this.#isScheduled = false;
    if (!this.isClosed) this.#turn();
  };

  readonly #onLook = (): void => {
    this.#look = undefined;
    if (this.#isScheduled || this.isClosed) return;
    this.#awake();
    this.#turn();
  };

  readonly #onFlush = (): void => {
    if (this.#hopsLeft > 0) {
      this.#hopsLeft--;
      this.#hops++;
      return queueMicrotask(this.#onFlush);
    }
    this.#hops = 0;
    this.#isFlushing = false;
    if (this.isClosed) return;
    this.show();
    // What has no place in the ring is up to the next turn.
    if (this.commands.isWaiting) this.#schedule();
  };

  #turn(): void {
    this.#isInTurn = true;
    this.#asked = 0;
    const isCrowded = this.commands.isCrowded;
    if (!isCrowded) this.#handleEvents();
    if (this.sockets.hasWatched) this.sockets.look();
    this.#isInTurn = false;
    const isSerial = this.#asked === 1 && this.commands.unpublished > 0;
    this.show();
    this.#crowdedTurns = isCrowded ? this.#crowdedTurns + 1 : 0;
    if (this.#crowdedTurns > BUSY_TURNS) {
      this.#waitForSpace();
    } else if (isCrowded || this.#hasWork(isSerial)) {
      this.#schedule();
    } else {
      this.#fallAsleep();
    }
  }

  /**
   * Whether there is something to do, or will be in a moment.
   *
   * @param isSerial This turn had one request or message, and answered it.
   */
  #hasWork(isSerial: boolean): boolean {
    if (this.#events.hasMore()) return true;
    // While something else is waited for, it must not wait for this.
    return this.#spinner.spin(this.#events, isSerial && this.#keptCount === 0);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#awake();
    this.#isScheduled = true;
    setImmediate(this.#onTurn);
  }

  #fallAsleep(): void {
    if (this.sockets.hasWatched) this.#lookSoon();
    const { control } = this.#memory;
    Atomics.store(control, JS_SLEEPS, 1);
    this.#isAsleep = true;
    if (this.#events.hasMore()) this.#schedule();
  }

  /** Sleeps until the thread has made space, of which it tells. */
  #waitForSpace(): void {
    Atomics.store(this.#memory.control, JS_SLEEPS, 1);
    this.#isAsleep = true;
    if (!this.commands.isCrowded) return this.#schedule();
    // It finds no room to tell while there are events that were not read.
    this.#lookSoon();
  }

  #lookSoon(): void {
    this.#look ??= setTimeout(this.#onLook, LOOK);
  }

  #awake(): void {
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    Atomics.store(this.#memory.control, JS_SLEEPS, 0);
  }

  /** Handles what there is, for a while. */
  #handleEvents(): void {
    const events = this.#events;
    if (events.position === events.end && !events.refill()) return;
    const { commands } = this;
    let untilCheck = this.#interval;
    let start = 0;
    let last = 0;
    do {
      try {
        this.#handle(events.batch, events.take());
      } catch (error) {
        // Whatever is wrong with one request, the others get their answers.
        console.error(error);
      }
      if (commands.isCrowded) break;
      if (--untilCheck > 0) continue;
      const now = performance.now();
      if (last === 0) {
        start = now;
      } else {
        this.#adapt(now - last);
        if (now - start > TURN) break;
      }
      last = now;
      untilCheck = this.#interval;
    } while (
      events.position < events.end || events.isInPlace && events.refill()
    );
    events.release();
  }

  /** Looks at the clock as often as requests take long. */
  #adapt(elapsed: number): void {
    if (elapsed > PATIENCE) {
      this.#interval = 1;
      this.show();
    } else if (elapsed < PATIENCE / 4 && this.#interval < LONGEST_INTERVAL) {
      this.#interval *= 2;
    }
  }

  #handle(batch: EventBatch, at: number): void {
    const { words } = batch;
    const kind = words[at + 1]! & 0xff;
    if (kind === EVENT_REQUEST) return this.#request(batch, at);
    if (kind >= EVENT_TCP_OPEN && kind <= EVENT_TCP_READABLE) {
      this.#asked++;
      return this.tcp.handle(kind, batch, at);
    }
    if (kind >= EVENT_MESSAGE) {
      this.#asked++;
      return this.sockets.handle(kind, batch, at);
    }
    if (kind === EVENT_STOPPED) return this.#stopped(words[at + 4]!);
    const exchange = this.#kept[words[at + 2]!];
    if (exchange === undefined || exchange.generation !== words[at + 3]!) {
      // Its client has left before the thread was told of the upgrade.
      if (kind === EVENT_GONE) {
        this.sockets.lose(words[at + 2]!, words[at + 3]!);
      }
      return;
    }
    switch (kind) {
      case EVENT_CONTENT: {
        const isLast = (words[at + 1]! >>> 8 & CONTENT_END) !== 0;
        exchange.content?.arrived(words[at + 4]!, isLast);
        break;
      }
      case EVENT_CONTENT_FAILED:
        exchange.contentFailed(words[at + 4]!);
        break;
      case EVENT_GONE:
        exchange.leave();
        break;
      case EVENT_WRITTEN:
        exchange.wrote(words[at + 4]!);
        break;
      case EVENT_DONE:
        exchange.end();
    }
  }

  #request(batch: EventBatch, at: number): void {
    const { words } = batch;
    const memory = this.#memory;
    this.#asked++;
    this.#started = (this.#started + 1) >>> 0;
    memory.control[REQUESTS_STARTED] = this.#started;
    this.texts.read(batch, at, words[at + 1]! >>> 8);
    // Nobody waits for an answer any more.
    if (memory.generations[words[at + 2]!] !== words[at + 3]) return;
    const sink = this.#sinks.get(words[at + 4]!);
    if (sink === undefined) return;
    const exchange = new NativeExchange(this, sink, batch, at);
    const answer = sink.handler(exchange.request, exchange);
    if (answer instanceof Promise) {
      if (!exchange.answered) this.keep(exchange);
      answer.then((late) => exchange.settle(late));
    } else {
      exchange.settle(answer);
    }
  }

  #stopped(listener: number): void {
    const sink = this.#sinks.get(listener);
    this.#sinks.delete(listener);
    sink?.stopped();
  }
}
