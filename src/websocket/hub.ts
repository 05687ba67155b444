import type {
  Engine,
  EngineWebSocket,
  Publication,
  PublishPolicy,
  WebSocketEvents,
} from "../engine/engine.ts";
import type { WebSocketServerPlan } from "../options/websocket_options.ts";
import { EventStreams } from "../sse/event_streams.ts";
import { Bus } from "./bus.ts";
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
  readonly #engine: Pick<Engine, "broadcast" | "joinBus" | "sendEvent">;
  /** With whom topics are shared. */
  #bus: Bus | undefined;

  /** @param engine The one that the sockets will be of. */
  constructor(
    plan: WebSocketServerPlan | undefined,
    engine: Pick<Engine, "broadcast" | "joinBus" | "sendEvent">,
  ) {
    this.plan = plan;
    this.#engine = engine;
    this.eventStreams = new EventStreams(engine, () => this.#bus?.listen());
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

  /** Shares topics with all who name the same bus, while the server listens. */
  joinBus(name: string): void {
    this.#bus = Bus.join(name, this, this.#engine.joinBus?.(name));
  }

  /** Does so no longer. */
  leaveBus(): void {
    this.#bus?.leave(this);
    this.#bus = undefined;
  }

  /** A socket is subscribed to a topic. */
  subscribe(socket: ServerSocket, topic: string): void {
    if (this.#bus !== undefined && !this.topics.has(socket, topic)) {
      const source = internals.engineOf(socket);
      this.#bus.linkOf(this)?.subscribe(source, topic);
    }
    this.topics.subscribe(socket, topic);
  }

  /** It is not any more; false if it was not. */
  unsubscribe(socket: ServerSocket, topic: string): boolean {
    const wasSubscribed = this.topics.unsubscribe(socket, topic);
    if (wasSubscribed && this.#bus !== undefined) {
      const source = internals.engineOf(socket);
      this.#bus.linkOf(this)?.unsubscribe(source, topic);
    }
    return wasSubscribed;
  }

  /** How many are subscribed to a topic, on the whole bus if there is one. */
  subscriberCount(topic: string): number {
    return this.#bus?.subscriberCount(topic) ?? this.ownSubscriberCount(topic);
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

  /** How many are subscribed to a topic on this server, event streams included. */
  ownSubscriberCount(topic: string): number {
    return this.topics.count(topic) + this.eventStreams.count(topic);
  }

  /**
   * Sends to all subscribers of a topic, on the whole bus if there is one.
   *
   * @param policy What to do for those who are too slow; by default, what the
   * topic has.
   * @returns As {@linkcode ServerSocket.publish}.
   */
  publish(
    topic: string,
    data: Payload,
    compress: boolean,
    except?: ServerSocket,
    policy: PublishPolicy = this.plan?.policies.get(topic) ?? "drop-newest",
  ): number {
    if (this.#bus === undefined) {
      return this.deliver(topic, data, compress, policy, except) ?? 0;
    }
    return this.#bus.publish({ topic, data, compress, policy }, except);
  }

  /**
   * Sends to the subscribers of a topic on this server.
   *
   * @returns As `publish`; undefined if there are none.
   */
  deliver(
    topic: string,
    data: Payload,
    compress: boolean,
    policy: PublishPolicy,
    except?: ServerSocket,
  ): number | undefined {
    const streamed = this.eventStreams.publish(topic, data);
    const members = this.topics.membersOf(topic);
    if (members === undefined) return streamed;
    const status = this.#sendTo(members, data, compress, policy, topic, except);
    return worseOf(status, streamed);
  }

  #sendTo(
    members: ReadonlySet<ServerSocket>,
    data: Payload,
    compress: boolean,
    policy: PublishPolicy,
    topic: string,
    except: ServerSocket | undefined,
  ): number | undefined {
    const size = sizeOf(data);
    const publication: Publication | undefined = policy === "drop-newest"
      ? undefined
      : { topic, policy };
    const message: Message = { data, compress, size, publication };
    if (this.#engine.broadcast === undefined || data instanceof PendingBytes) {
      return deliverTo(members, message, except);
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
    if (direct.length === 0) return deliverTo(others, message);
    const status = this.#engine.broadcast(
      direct,
      data,
      compress,
      size,
      publication,
    );
    return worseOf(status, deliverTo(others, message));
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

/** What is published, and how. */
interface Message {
  readonly data: Payload;
  readonly compress: boolean;
  readonly size: number;
  readonly publication: Publication | undefined;
}

/** Sends to one after the other; returns as `deliver`. */
function deliverTo(
  members: Iterable<ServerSocket>,
  { data, compress, size, publication }: Message,
  except?: ServerSocket,
): number | undefined {
  const { deliver } = internals;
  let status: number | undefined;
  for (const member of members) {
    if (member === except) continue;
    status = worseOf(
      deliver(member, data, compress, size, publication),
      status,
    );
  }
  return status;
}

/** What to say of two: dropped rather than waiting rather than accepted. */
export function worseOf(one: number, other: number | undefined): number;
/** The same, where both may be nothing. */
export function worseOf(
  one: number | undefined,
  other: number | undefined,
): number | undefined;
export function worseOf(
  one: number | undefined,
  other: number | undefined,
): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one === 0 || other === 0 ? 0 : Math.min(one, other);
}
