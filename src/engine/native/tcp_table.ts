import {
  COMMAND_TCP_CLOSE,
  EVENT_TCP_CLOSED,
  EVENT_TCP_DATA,
  EVENT_TCP_DRAIN,
  EVENT_TCP_END,
  EVENT_TCP_OPEN,
  EVENT_TCP_READABLE,
  EVENT_TCP_REFUSED,
  EVENT_TCP_SECURED,
  TCP_CONNECTED,
  TCP_IN_HANDSHAKE,
  TCP_UNTRUSTED,
  TCP_WHILE_WRITING,
} from "./abi.ts";
import type { EventBatch } from "./event_reader.ts";
import { addressIn } from "./peer_address.ts";
import type { Pump } from "./pump.ts";
import { systemError } from "./system_error.ts";
import { NativeTcpConnection, type TcpKeeper } from "./tcp_connection.ts";
import { handshakeIn } from "./tcp_handshake.ts";
import { textIn } from "./text.ts";

/** Whoever wants connections. */
export interface TcpSink {
  /** Sees to it that the I/O threads run while there are connections. */
  readonly keeper: TcpKeeper;
  /** There is a connection. */
  opened(connection: NativeTcpConnection): void;
}

/** A connection that was asked for. */
interface Attempt extends PromiseWithResolvers<void> {
  readonly sink: TcpSink;
}

/** The TCP connections of one I/O thread, and whom to tell of them. */
export class TcpTable {
  readonly #pump: Pump;
  readonly #connections: (NativeTcpConnection | undefined)[] = [];
  readonly #listeners: Map<number, TcpSink> = new Map();
  readonly #attempts: Map<number, Attempt> = new Map();
  #lastAttempt = 0;

  /** @param pump The thread's. */
  constructor(pump: Pump) {
    this.#pump = pump;
  }

  /** Connections of a listener go to `sink` from now on. */
  listen(listener: number, sink: TcpSink): void {
    this.#listeners.set(listener, sink);
  }

  /** Connections of a listener are closed from now on. */
  forget(listener: number): void {
    this.#listeners.delete(listener);
  }

  /** Somebody connects. The promise is for what comes of it. */
  attempt(sink: TcpSink): { promise: Promise<void>; number: number } {
    const number = this.#lastAttempt = (this.#lastAttempt + 1) >>> 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#attempts.set(number, { promise, resolve, reject, sink });
    return { promise, number };
  }

  /** A connection is over. */
  delete(connection: NativeTcpConnection): void {
    const { index } = connection;
    if (this.#connections[index] === connection) {
      this.#connections[index] = undefined;
    }
  }

  /** Passes an event on; `at` is the index of its record's first word. */
  handle(kind: number, batch: EventBatch, at: number): void {
    const { words } = batch;
    if (kind === EVENT_TCP_OPEN) return this.#open(batch, at);
    if (kind === EVENT_TCP_REFUSED) {
      return this.#refuse(words[at + 4]!, words[at + 5]!);
    }
    const connection = this.#connections[words[at + 2]!];
    if (connection === undefined) return;
    if (connection.generation !== words[at + 3]) return;
    switch (kind) {
      case EVENT_TCP_DATA: {
        const start = (at + 5) << 2;
        const bytes = batch.bytes.subarray(start, start + words[at + 4]!);
        return connection.receive(bytes);
      }
      case EVENT_TCP_READABLE:
        return connection.readable(words[at + 4]!);
      case EVENT_TCP_END:
        return connection.ended();
      case EVENT_TCP_DRAIN:
        return connection.drained();
      case EVENT_TCP_SECURED:
        return connection.secured(handshakeIn(batch, at));
      case EVENT_TCP_CLOSED: {
        const flags = words[at + 1]! >>> 8;
        const start = (at + 6) << 2;
        const code = (flags & TCP_UNTRUSTED) === 0
          ? undefined
          : textIn(batch, start, start + words[at + 5]!);
        return connection.closed(words[at + 4]!, whatFailed(flags), code);
      }
    }
  }

  /** All connections are about to go. */
  close(): void {
    for (const connection of this.#connections) connection?.closed(0, "read");
    this.#listeners.clear();
  }

  #open(batch: EventBatch, at: number): void {
    const { words } = batch;
    const isClient = (words[at + 1]! >>> 8 & TCP_CONNECTED) !== 0;
    const origin = words[at + 4]!;
    const attempt = isClient ? this.#attempts.get(origin) : undefined;
    const sink = isClient ? attempt?.sink : this.#listeners.get(origin);
    const index = words[at + 2]!;
    const generation = words[at + 3]!;
    // Accepted just before its listener was closed.
    if (sink === undefined) return this.#turnAway(index, generation);
    const connection = new NativeTcpConnection(
      this.#pump,
      sink.keeper,
      index,
      generation,
      isClient,
      addressIn(batch, at + 5) ?? undefined,
      addressIn(batch, at + 10) ?? undefined,
    );
    const connections = this.#connections;
    while (connections.length <= index) connections.push(undefined);
    connections[index] = connection;
    sink.opened(connection);
    if (attempt === undefined) return;
    this.#attempts.delete(origin);
    attempt.resolve();
  }

  #refuse(number: number, errno: number): void {
    const attempt = this.#attempts.get(number);
    this.#attempts.delete(number);
    attempt?.reject(systemError(errno));
  }

  #turnAway(index: number, generation: number): void {
    const { commands } = this.#pump;
    const at = commands.begin(COMMAND_TCP_CLOSE, index, generation, 0);
    commands.end((at + 4) << 2);
    this.#pump.written();
  }
}

/** What has failed when a connection ended, by the flags of the event. */
function whatFailed(flags: number): "read" | "write" | "handshake" {
  if ((flags & TCP_IN_HANDSHAKE) !== 0) return "handshake";
  return (flags & TCP_WHILE_WRITING) !== 0 ? "write" : "read";
}
