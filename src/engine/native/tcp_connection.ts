import { constants } from "node:os";
import { setImmediate } from "node:timers";
import { TCP_TIMES } from "../deno/tcp_deadline.ts";
import { connectionError } from "../deno/tcp_error.ts";
import { TlsClient } from "../deno/tcp_tls_client.ts";
import { TlsConnection } from "../deno/tcp_tls_connection.ts";
import { noHandshake } from "../deno/tcp_tls_side.ts";
import { verificationError } from "../../tls/peer_certificate.ts";
import type {
  PeerAddress,
  TcpConnection,
  TcpEvents,
  TlsClientPlan,
  TlsHandshake,
} from "../engine.ts";
import {
  COMMAND_TCP_ASK_DRAIN,
  COMMAND_TCP_CLOSE,
  COMMAND_TCP_GIVE_BACK,
  COMMAND_TCP_KEEP_ALIVE,
  COMMAND_TCP_NO_DELAY,
  COMMAND_TCP_PAUSE,
  COMMAND_TCP_READ,
  COMMAND_TCP_RESUME,
  COMMAND_TCP_SHUTDOWN,
  COMMAND_TCP_SHUTDOWN_READ,
  COMMAND_TCP_START_TLS,
  COMMAND_TCP_TERMINATE,
  COMMAND_TCP_WRITE,
  RESPOND_CONTENT_TOKEN,
} from "./abi.ts";
import type { Pump } from "./pump.ts";
import { systemError } from "./system_error.ts";
import { encodeClient } from "./tls_client.ts";

const { EBUSY } = constants.errno;

/** Bytes that wait at most, besides the system's buffers. */
const WRITE_LIMIT = 1024 * 1024;
/** What is lent at a time at most. */
const LONGEST_LENT = 1 << 28;
/** What is read at a time, as the thread does. */
const READ_BYTES = 64 * 1024;

/** Keeps the I/O threads running, and the process alive. */
export interface TcpKeeper {
  /** One more connection needs the threads. */
  keep(): void;
  /** One less. */
  release(): void;
  /** One more keeps the process alive. */
  ref(): void;
  /** One less. */
  unref(): void;
}

/** Memory to read to that nobody else has. */
let spare: Uint8Array<ArrayBuffer> | undefined;

/** Hears nothing. */
const silent: TcpEvents = {
  handshake() {},
  data() {},
  end() {},
  drain() {},
  close() {},
};

/** What has arrived and cannot be told yet. */
type Held =
  | { kind: "data"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "end" }
  | {
    kind: "close";
    error: Error | undefined;
  };

/** One TCP or Unix-domain connection on an I/O thread. */
export class NativeTcpConnection implements TcpConnection {
  readonly remoteAddress: PeerAddress | undefined;
  readonly localAddress: PeerAddress | undefined;
  /** Its index on the thread. */
  readonly index: number;
  /** Tells it from others with the index. */
  readonly generation: number;
  readonly #pump: Pump;
  readonly #keeper: TcpKeeper;
  #events: TcpEvents = silent;
  /** A client's: the thread does not read before it is told to. */
  #mustBegin: boolean;
  /** Bytes that were taken and, when last looked at, not written. */
  #waiting = 0;
  /** What the thread's count of written bytes was then, modulo 2^32. */
  #seen = 0;
  #asksDrain = false;
  /** Bytes that have arrived, modulo 2^32; not counted in TLS. */
  #received = 0;
  /** It speaks TLS, or will. */
  #isTls = false;
  /** It becomes a TLS client, and what arrives is still in plaintext. */
  #isSecuring = false;
  #hasShutDown = false;
  #discards = false;
  #isPaused = false;
  #held: Held[] = [];
  /** The first that is held is being told. */
  #isTelling = false;
  #releaseScheduled = false;
  /** TLS on it is not ready for what arrives. */
  #isSettling = false;
  /** The end was told, or nobody wants to know. */
  #endTold = false;
  /** Closed by us; what was taken is still being sent. */
  #isClosed = false;
  /** The thread is through with it. */
  #isOver = false;
  #isReferenced = true;

  constructor(
    pump: Pump,
    keeper: TcpKeeper,
    index: number,
    generation: number,
    isClient: boolean,
    remoteAddress: PeerAddress | undefined,
    localAddress: PeerAddress | undefined,
  ) {
    this.#pump = pump;
    this.#keeper = keeper;
    this.index = index;
    this.generation = generation;
    this.#mustBegin = isClient;
    this.remoteAddress = remoteAddress;
    this.localAddress = localAddress;
    this.#seen = pump.delivered[index]! | 0;
    keeper.keep();
    keeper.ref();
  }

  start(events: TcpEvents): void {
    this.#events = events;
    if (!this.#mustBegin) return;
    this.#mustBegin = false;
    if (!this.#isPaused) this.#command(COMMAND_TCP_RESUME);
  }

  write(bytes: Uint8Array): number {
    if (!this.#canWrite) return 0;
    const { length } = bytes;
    const room = WRITE_LIMIT - this.#countWaiting();
    if (length <= room) {
      this.#send(bytes);
      return length;
    }
    if (room > 0) this.#send(bytes.subarray(0, room));
    if (!this.#asksDrain) {
      this.#asksDrain = true;
      this.#command(COMMAND_TCP_ASK_DRAIN);
    }
    return Math.max(room, 0);
  }

  flush(): void {
    if (!this.#isOver) this.#pump.show();
  }

  shutdown(): void {
    if (!this.#canWrite) return;
    this.#hasShutDown = true;
    this.#command(COMMAND_TCP_SHUTDOWN);
  }

  shutdownRead(): void {
    if (this.#discards || this.#isClosed) return;
    this.#discards = true;
    this.#isPaused = false;
    this.#held = this.#held.filter(({ kind }) => kind === "close");
    this.#command(COMMAND_TCP_SHUTDOWN_READ);
    queueMicrotask(() => {
      this.#tellEnd();
      this.#tellHeld();
    });
  }

  close(last?: Uint8Array): void {
    if (this.#isClosed) return;
    if (last !== undefined && this.#canWrite) this.#send(last);
    this.#command(COMMAND_TCP_CLOSE);
    this.#fallSilent();
  }

  terminate(): void {
    this.#command(COMMAND_TCP_TERMINATE);
    this.#fallSilent();
  }

  pause(): void {
    if (this.#discards || this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    if (!this.#mustBegin) this.#command(COMMAND_TCP_PAUSE);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#mustBegin) this.#command(COMMAND_TCP_RESUME);
    if (this.#held.length === 0 || this.#releaseScheduled) return;
    this.#releaseScheduled = true;
    // Not from inside this command.
    queueMicrotask(() => {
      this.#releaseScheduled = false;
      this.#tellHeld();
    });
  }

  ref(): void {
    if (this.#isReferenced) return;
    this.#isReferenced = true;
    if (!this.#isOver) this.#keeper.ref();
  }

  unref(): void {
    if (!this.#isReferenced) return;
    this.#isReferenced = false;
    if (!this.#isOver) this.#keeper.unref();
  }

  setNoDelay(noDelay: boolean): boolean {
    return this.#setOption(COMMAND_TCP_NO_DELAY, noDelay, 0);
  }

  setKeepAlive(enable: boolean, initialDelay: number): boolean {
    const delay = initialDelay > 0 ? Math.ceil(initialDelay) : 0;
    return this.#setOption(
      COMMAND_TCP_KEEP_ALIVE,
      enable,
      Math.min(delay, 0xffff_ffff),
    );
  }

  /**
   * TLS is the platform's, over this connection, if this one speaks TLS already,
   * or if the helper cannot use something in the plan.
   */
  startTls(plan: TlsClientPlan): TcpConnection {
    const client = this.#isTls ? undefined : encodeClient(plan);
    const token = client === undefined
      ? 0
      : this.#pump.calls.lendClient(client);
    if (token <= 0) {
      this.settle();
      return new TlsConnection(this, new TlsClient(plan), TCP_TIMES);
    }
    this.#secure(token);
    return this;
  }

  #secure(token: number): void {
    this.#events = silent;
    this.#isTls = true;
    this.#isSecuring = true;
    this.#asksDrain = false;
    this.#endTold = false;
    this.#discards = false;
    const held = this.#isTelling ? this.#held.slice(1) : this.#held;
    this.#held = [];
    const early = held.flatMap((one) => one.kind === "data" ? [one.bytes] : []);
    const size = early.reduce((sum, { length }) => sum + length, 0);
    this.#command(COMMAND_TCP_START_TLS, token, (this.#received - size) >>> 0);
    for (const bytes of early) this.#giveBack(bytes);
    if (this.#isPaused) {
      this.#isPaused = false;
      if (!this.#mustBegin) this.#command(COMMAND_TCP_RESUME);
    }
    if (!this.#isOver) return;
    // It was lost before anybody was told.
    const lost = held.find((one) => one.kind === "close");
    queueMicrotask(() => this.#failHandshake(lost?.error));
  }

  /**
   * Holds back what arrives until the next turn of the event loop: the
   * platform's TLS fails if something does before it has begun.
   */
  settle(): void {
    this.#isSettling = true;
    setImmediate(() => {
      this.#isSettling = false;
      this.#tellHeld();
    });
  }

  // What the thread tells

  /** The TLS handshake is complete. */
  secured(result: TlsHandshake): void {
    this.#isTls = true;
    this.#isSecuring = false;
    this.#events.handshake(result);
  }

  /** Bytes arrived; they may change when this returns. */
  receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isSecuring) return this.#giveBack(bytes);
    this.#received = (this.#received + bytes.length) >>> 0;
    if (this.#discards || bytes.length === 0) return;
    if (this.#mustHold) {
      this.#held.push({ kind: "data", bytes: bytes.slice() });
    } else this.#events.data(bytes);
  }

  /**
   * Much has arrived, and nothing is read before this does.
   *
   * @param offer Tells it from others, some of which may not stand any more.
   */
  readable(offer: number): void {
    // Both sides know: the thread tells anew, or reads for nobody.
    if (this.#discards || this.#isPaused || this.#isSecuring) return;
    const { index, generation } = this;
    const bytes = spare ?? new Uint8Array(READ_BYTES);
    spare = undefined;
    const count = this.#pump.calls.readTcp(index, generation, offer, bytes);
    const isOwn = count === READ_BYTES;
    if (!isOwn) spare = bytes;
    if (count === -EBUSY) return this.#letRead(offer);
    if (count <= 0) return;
    this.#received = (this.#received + count) >>> 0;
    const read = isOwn ? bytes : bytes.subarray(0, count);
    if (this.#mustHold) {
      this.#held.push({ kind: "data", bytes: isOwn ? read : read.slice() });
    } else this.#events.data(read, isOwn);
  }

  /** The peer will send nothing more. */
  ended(): void {
    // The thread knows.
    if (this.#isSecuring) return;
    if (this.#mustHold) this.#held.push({ kind: "end" });
    else this.#tellEnd();
  }

  /** What was written has gone, after some was refused. */
  drained(): void {
    if (!this.#asksDrain) return;
    this.#asksDrain = false;
    if (this.#canWrite) this.#events.drain();
  }

  /**
   * The connection is gone; nothing follows.
   *
   * @param refusal What is wrong with the peer's certificate, if that is why.
   */
  closed(
    errno: number,
    syscall: "read" | "write" | "handshake",
    refusal?: string,
  ): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pump.tcp.delete(this);
    if (this.#isReferenced) this.#keeper.unref();
    this.#keeper.release();
    if (this.#isClosed) return;
    const cause = refusal === undefined
      ? systemError(errno)
      : verificationError(refusal);
    if (syscall === "handshake" || this.#isSecuring) {
      return this.#failHandshake(errno === 0 ? undefined : cause);
    }
    const error = errno === 0 ? undefined : connectionError(cause, syscall);
    // Nobody reads what is left, and what is written would wait for ever.
    if (this.#isPaused && syscall === "write") this.#held = [];
    // What has arrived before comes first. And who does not read does not notice
    // what reading has found out, although the thread may have been quicker.
    const isUnnoticed = this.#isPaused && syscall === "read" && errno !== 0;
    if (this.#held.length > 0 || this.#isSettling || isUnnoticed) {
      this.#held.push({ kind: "close", error });
    } else this.#tellClose(error);
  }

  #failHandshake(cause: Error | undefined): void {
    const error = connectionError(cause ?? endedError(), "handshake");
    this.#events.handshake({ ...noHandshake, error });
    this.#tellClose(error);
  }

  get #canWrite(): boolean {
    return !this.#hasShutDown && !this.#isClosed && !this.#isOver;
  }

  get #mustHold(): boolean {
    return this.#isPaused || this.#isSettling || this.#held.length > 0;
  }

  #fallSilent(): void {
    this.#isClosed = true;
    this.#events = silent;
    this.#discards = true;
    this.#isPaused = false;
    this.#endTold = true;
    this.#held = [];
  }

  #tellHeld(): void {
    while (!this.#isPaused && !this.#isSettling) {
      // What arrives meanwhile waits behind it.
      const next = this.#held[0];
      if (next === undefined) return;
      this.#isTelling = true;
      if (next.kind === "data") this.#events.data(next.bytes);
      else if (next.kind === "end") this.#tellEnd();
      else this.#tellClose(next.error);
      this.#isTelling = false;
      this.#held.shift();
    }
  }

  #tellEnd(): void {
    if (this.#endTold) return;
    this.#endTold = true;
    this.#events.end();
  }

  #tellClose(error: Error | undefined): void {
    if (this.#isClosed) return;
    const events = this.#events;
    this.#fallSilent();
    events.close(error);
  }

  #countWaiting(): number {
    const delivered = this.#pump.delivered[this.index]! | 0;
    if (delivered !== this.#seen) {
      this.#waiting -= (delivered - this.#seen) >>> 0;
      this.#seen = delivered;
    }
    return this.#waiting;
  }

  #send(bytes: Uint8Array): void {
    const { length } = bytes;
    const { commands } = this.#pump;
    if (!commands.suits(length)) return this.#sendLong(bytes);
    const { index, generation } = this;
    const room = 8 + length;
    const at = commands.begin(COMMAND_TCP_WRITE, index, generation, room);
    const start = (at + 6) << 2;
    commands.words[at + 4] = length;
    commands.words[at + 5] = 0;
    commands.bytes.set(bytes, start);
    commands.end(start + length);
    this.#waiting += length;
    this.#pump.wroteMore();
  }

  /** Sends what would fill the ring. */
  #sendLong(bytes: Uint8Array): void {
    const { commands } = this.#pump;
    const { index, generation } = this;
    for (let start = 0; start < bytes.length; start += LONGEST_LENT) {
      const part = lendable(bytes.subarray(start, start + LONGEST_LENT));
      const kind = COMMAND_TCP_WRITE | RESPOND_CONTENT_TOKEN << 8;
      const at = commands.begin(kind, index, generation, 8);
      commands.words[at + 4] = part.length;
      this.#waiting += part.length;
      this.#pump.endWithContent((at + 6) << 2, at, at + 5, part);
      this.#pump.wroteMore(part.length);
    }
  }

  /** Returns what is not for the program but for TLS. */
  #giveBack(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    // They may be many, and this is rare.
    const token = this.#pump.calls.lend(bytes.slice());
    const kind = COMMAND_TCP_GIVE_BACK | RESPOND_CONTENT_TOKEN << 8;
    this.#command(kind, bytes.length, token);
  }

  #setOption(kind: number, enable: boolean, delay: number): boolean {
    const canSet = !this.#isClosed && !this.#isOver &&
      this.remoteAddress !== undefined;
    if (canSet) this.#command(kind, enable ? 1 : 0, delay);
    return canSet;
  }

  /** The thread is to read by itself, since it is at work anyway. */
  #letRead(offer: number): void {
    this.#command(COMMAND_TCP_READ, offer);
  }

  #command(kind: number, ...parameters: number[]): void {
    if (this.#isOver) return;
    const { commands } = this.#pump;
    const { length } = parameters;
    const at = commands.begin(kind, this.index, this.generation, length * 4);
    for (let index = 0; index < length; index++) {
      commands.words[at + 4 + index] = parameters[index]!;
    }
    commands.end((at + 4 + length) << 2);
    this.#pump.written();
  }
}

/** Bytes that the helper can read: not of memory that threads share. */
function lendable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? bytes as Uint8Array<ArrayBuffer>
    : new Uint8Array(bytes);
}

function endedError(): Error {
  return Object.assign(new Error("the connection ended"), {
    code: "ECONNRESET",
  });
}
