import type {
  Engine,
  EngineWebSocket,
  WebSocketEvents,
} from "../engine/engine.ts";
import type { WebSocketServerPlan } from "../options/websocket_options.ts";
import { EventStreams } from "../sse/event_streams.ts";
import { type Payload, PendingBytes, sizeOf } from "./payload.ts";
import { internals, type ServerSocket } from "./server_web_socket.ts";
import { Topics } from "./topics.ts";

type Handlers = WebSocketServerPlan["handlers"];

/**
 * All WebSockets of a server: their handlers, topics, and who is there; and the
 * event streams, which have topics in common with them. Engines tell it what
 * happens.
 */
export class WebSocketHub implements WebSocketEvents {
  /** What the `websocket` option says; `reload` replaces it. */
  plan: WebSocketServerPlan | undefined;
  /** Who is subscribed to what. */
  readonly topics: Topics<ServerSocket> = new Topics();
  /** Who is sent what is published, besides. */
  readonly eventStreams: EventStreams;
  readonly #sockets: Set<ServerSocket> = new Set();
  readonly #engine: Pick<Engine, "broadcast" | "sendEvent">;

  /** @param engine The one that the sockets will be of. */
  constructor(
    plan: WebSocketServerPlan | undefined,
    engine: Pick<Engine, "broadcast" | "sendEvent">,
  ) {
    this.plan = plan;
    this.#engine = engine;
    this.eventStreams = new EventStreams(engine);
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

  /** How many are subscribed to a topic, event streams included. */
  subscriberCount(topic: string): number {
    return this.topics.count(topic) + this.eventStreams.count(topic);
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
    const status = this.eventStreams.publish(topic, data);
    const members = this.topics.membersOf(topic);
    if (members === undefined) return status ?? 0;
    if (status === undefined) {
      return this.#publishTo(members, data, compress, except);
    }
    const isAlone = except !== undefined && members.size === 1 &&
      members.has(except);
    if (isAlone) return status;
    return worse(status, this.#publishTo(members, data, compress, except));
  }

  #publishTo(
    members: ReadonlySet<ServerSocket>,
    data: Payload,
    compress: boolean,
    except: ServerSocket | undefined,
  ): number {
    const size = sizeOf(data);
    if (this.#engine.broadcast === undefined || data instanceof PendingBytes) {
      return deliverTo(members, data, compress, size, except);
    }
    const { directOf } = internals;
    const direct: EngineWebSocket[] = [];
    const others: ServerSocket[] = [];
    for (const member of members) {
      if (member === except) continue;
      const socket = directOf(member);
      if (socket === undefined) others.push(member);
      else direct.push(socket);
    }
    if (direct.length === 0) return deliverTo(others, data, compress, size);
    const status = this.#engine.broadcast(direct, data, compress, size);
    if (others.length === 0) return status;
    return worse(status, deliverTo(others, data, compress, size));
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
    this.#control(this.plan?.handlers.ping, source, data);
  }

  pong(source: EngineWebSocket, data: ArrayBuffer): void {
    this.#control(this.plan?.handlers.pong, source, data);
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

  #control(
    handler: Handlers["ping"],
    source: EngineWebSocket,
    data: ArrayBuffer,
  ): void {
    if (handler === undefined) return;
    const socket = source.context as ServerSocket;
    try {
      handler(socket, internals.toMessage(socket, data) as never);
    } catch (error) {
      this.fail(error, socket);
    }
  }
}

/** Sends to one after the other; returns as `publish`. */
function deliverTo(
  members: Iterable<ServerSocket>,
  data: Payload,
  compress: boolean,
  size: number,
  except?: ServerSocket,
): number {
  const { deliver } = internals;
  let status: number | undefined;
  for (const member of members) {
    if (member === except) continue;
    const own = deliver(member, data, compress, size);
    status = status === undefined ? own : worse(status, own);
  }
  return status ?? 0;
}

/** What to say of two: dropped rather than waiting rather than accepted. */
function worse(one: number, other: number): number {
  return one === 0 || other === 0 ? 0 : Math.min(one, other);
}
