import type { EngineWebSocket, WebSocketEvents } from "../engine/engine.ts";
import type { WebSocketServerPlan } from "../options/websocket_options.ts";
import { type Payload, sizeOf } from "./payload.ts";
import { internals, type ServerSocket } from "./server_web_socket.ts";
import { Topics } from "./topics.ts";

/**
 * All WebSockets of a server: their handlers, topics, and who is there. Engines
 * tell it what happens.
 */
export class WebSocketHub implements WebSocketEvents {
  /** What the `websocket` option says; `reload` replaces it. */
  plan: WebSocketServerPlan | undefined;
  /** Who is subscribed to what. */
  readonly topics: Topics<ServerSocket> = new Topics();
  readonly #sockets: Set<ServerSocket> = new Set();

  constructor(plan: WebSocketServerPlan | undefined) {
    this.plan = plan;
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Whether what a socket publishes reaches itself. */
  get publishesToSelf(): boolean {
    return this.plan?.publishToSelf ?? false;
  }

  /** Bytes that may wait for one client; 0 is any number. */
  get backpressureLimit(): number {
    return this.plan?.socket.backpressureLimit ?? 0;
  }

  /** A socket is there: the `open` handler sees it before anybody else. */
  opened(socket: ServerSocket): void {
    this.#sockets.add(socket);
    const open = this.plan?.handlers.open;
    if (open === undefined) return;
    try {
      open(socket);
    } catch (error) {
      // Nobody knows in what state it is.
      socket.terminate();
      this.fail(error, socket);
    }
  }

  /** A socket is gone: the only place that calls the `close` handler. */
  ended(socket: ServerSocket, code: number, reason: string): void {
    this.#sockets.delete(socket);
    this.topics.leave(socket);
    const close = this.plan?.handlers.close;
    if (close === undefined) return;
    try {
      close(socket, code, reason);
    } catch (error) {
      this.fail(error, socket);
    }
  }

  /** Closes all sockets. */
  closeAll(code: number, reason: string): void {
    for (const socket of [...this.#sockets]) socket.close(code, reason);
  }

  /**
   * Sends to all subscribers of a topic.
   *
   * @returns As {@linkcode ServerSocket.publish}.
   */
  publish(
    topic: string,
    data: Payload,
    compress: boolean,
    except?: ServerSocket,
  ): number {
    const members = this.topics.membersOf(topic);
    if (members === undefined) return 0;
    const { deliver } = internals;
    const size = sizeOf(data);
    let accepted = 0;
    let isDropped = false;
    let isWaiting = false;
    for (const member of members) {
      if (member === except) continue;
      const status = deliver(member, data, compress, size);
      if (status > 0) accepted = status;
      else if (status < 0) isWaiting = true;
      else isDropped = true;
    }
    if (isDropped) return 0;
    return isWaiting ? -1 : accepted;
  }

  /** A handler threw, or something failed behind its back. */
  fail(error: unknown, socket: ServerSocket): void {
    const onError = this.plan?.handlers.error;
    if (onError === undefined) return reportError(error);
    try {
      onError(error as Error, socket);
    } catch (second) {
      reportError(second);
    }
  }

  message(source: EngineWebSocket, data: string | ArrayBuffer): void {
    const message = this.plan?.handlers.message;
    if (message === undefined) return;
    const socket = source.context as ServerSocket;
    try {
      message(
        socket,
        typeof data === "string"
          ? data
          // What the type says by default; `binaryType` is known to its user.
          : internals.toMessage(socket, data) as never,
      );
    } catch (error) {
      this.fail(error, socket);
    }
  }

  ping(source: EngineWebSocket, data: ArrayBuffer): void {
    const ping = this.plan?.handlers.ping;
    if (ping === undefined) return;
    const socket = source.context as ServerSocket;
    try {
      ping(socket, internals.toMessage(socket, data) as never);
    } catch (error) {
      this.fail(error, socket);
    }
  }

  pong(source: EngineWebSocket, data: ArrayBuffer): void {
    const pong = this.plan?.handlers.pong;
    if (pong === undefined) return;
    const socket = source.context as ServerSocket;
    try {
      pong(socket, internals.toMessage(socket, data) as never);
    } catch (error) {
      this.fail(error, socket);
    }
  }

  drain(source: EngineWebSocket): void {
    const drain = this.plan?.handlers.drain;
    if (drain === undefined) return;
    const socket = source.context as ServerSocket;
    try {
      drain(socket);
    } catch (error) {
      this.fail(error, socket);
    }
  }

  closed(source: EngineWebSocket, code: number, reason: string): void {
    const socket = source.context as ServerSocket;
    if (internals.markClosed(socket)) this.ended(socket, code, reason);
  }
}
