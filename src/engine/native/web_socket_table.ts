import {
  EVENT_CLOSED,
  EVENT_DRAIN,
  EVENT_MESSAGE,
  EVENT_PING,
  EVENT_PONG,
} from "./abi.ts";
import type { EventBatch } from "./event_reader.ts";
import { textIn } from "./text.ts";
import type { NativeWebSocket } from "./web_socket.ts";

/** The open WebSockets of one I/O thread. */
export class WebSocketTable {
  readonly #sockets: (NativeWebSocket | undefined)[] = [];
  /** Those to look at, since the I/O thread may have no reason to tell. */
  readonly #watched: Set<NativeWebSocket> = new Set();

  /** Whether `look` should be called again soon. */
  get hasWatched(): boolean {
    return this.#watched.size > 0;
  }

  /** Events for its connection are told to a socket. */
  add(socket: NativeWebSocket): void {
    const { connection } = socket;
    const sockets = this.#sockets;
    while (sockets.length <= connection) sockets.push(undefined);
    sockets[connection] = socket;
  }

  /** Events are not told to a socket any more. */
  delete(socket: NativeWebSocket): void {
    this.#watched.delete(socket);
    if (this.#sockets[socket.connection] === socket) {
      this.#sockets[socket.connection] = undefined;
    }
  }

  /** Bytes wait for a client that need not be slow. */
  watch(socket: NativeWebSocket): void {
    this.#watched.add(socket);
  }

  /** Looks for those for whose client nothing waits any more. */
  look(): void {
    const sockets = [...this.#watched];
    // Programs that are told send more, and must be told again.
    this.#watched.clear();
    for (const socket of sockets) {
      if (!socket.look()) this.#watched.add(socket);
    }
  }

  /** Tells a socket of an event. */
  handle(kind: number, batch: EventBatch, at: number): void {
    const { words } = batch;
    const socket = this.#sockets[words[at + 2]!];
    if (socket === undefined || socket.generation !== words[at + 3]) return;
    switch (kind) {
      case EVENT_MESSAGE:
        return socket.receive(batch, at);
      case EVENT_PING:
        return socket.pinged(bytesIn(batch, at));
      case EVENT_PONG:
        return socket.ponged(bytesIn(batch, at));
      case EVENT_DRAIN:
        return socket.drained();
      case EVENT_CLOSED: {
        const start = (at + 6) << 2;
        const reason = textIn(batch, start, start + words[at + 5]!);
        return socket.lost(words[at + 4]!, reason);
      }
    }
  }

  /** The connection is gone, and perhaps never became a WebSocket. */
  lose(connection: number, generation: number): void {
    const socket = this.#sockets[connection];
    if (socket?.generation === generation) socket.lost(1006, "");
  }

  /** All connections are about to go. */
  close(): void {
    for (const socket of this.#sockets) socket?.lost(1006, "");
  }
}

/** The payload of a control frame as bytes of its own. */
function bytesIn(batch: EventBatch, at: number): ArrayBuffer {
  const start = (at + 5) << 2;
  return batch.bufferOf(start, start + batch.words[at + 4]!);
}
