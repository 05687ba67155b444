import { Buffer } from "node:buffer";
import type {
  Answer,
  ByteSource,
  Engine,
  EngineEventStream,
  EventStreamEvents,
  Exchange,
} from "../engine/engine.ts";
import { headerOf } from "../runtime/request_slots.ts";
import { Outbox } from "../websocket/outbox.ts";
import { type Payload, PendingBytes, sizeOf } from "../websocket/payload.ts";
import { COMMENT, encodeData } from "./event_encoding.ts";
import { EventIds } from "./event_ids.ts";
import {
  type EventStream,
  type EventStreamSettings,
  settingsOf,
} from "./event_stream.ts";
import { EventTopic } from "./event_topic.ts";
import { StreamedEvents } from "./streamed_events.ts";

/** The most topics that are kept although nobody listens and no route has them. */
const IDLE_TOPICS = 1_000;
/** The most bytes of their histories. */
const IDLE_BYTES = 16 * 1024 * 1024;
/** The most bytes that wait for a Blob before them to be read. */
const OUTBOX_BYTES = 16 * 1024 * 1024;

/** The least time, in seconds, until an engine cuts who takes nothing. */
const SOON = 0.001;

/** Where a client belongs. */
interface Membership {
  readonly topic: EventTopic;
  readonly event: string | undefined;
}

/** All event streams of a server. */
export class EventStreams implements EventStreamEvents {
  readonly #engine: Pick<Engine, "sendEvent">;
  readonly #topics: Map<string, EventTopic> = new Map();
  /** Topics that may be forgotten, those first that nobody has used longest. */
  readonly #idle: Set<EventTopic> = new Set();
  #idleBytes = 0;
  #pinned: ReadonlySet<EventTopic> = new Set();
  readonly #ids: EventIds = new EventIds();
  #isStopped = false;
  readonly #onFirstTopic: () => void;

  /**
   * @param engine The one that the streams will be of.
   * @param onFirstTopic Called when what is published begins to matter.
   */
  constructor(
    engine: Pick<Engine, "sendEvent">,
    onFirstTopic: () => void = () => {},
  ) {
    this.#engine = engine;
    this.#onFirstTopic = onFirstTopic;
  }

  /** How many listen to a topic. */
  count(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0;
  }

  /** How many topics are known. */
  get topicCount(): number {
    return this.#topics.size;
  }

  /** The routes have these from now on, and no others. */
  pin(streams: readonly EventStream[]): void {
    const before = this.#pinned;
    const now = new Set<EventTopic>();
    for (const stream of streams) {
      const topic = this.#topicOf(settingsOf(stream));
      topic.isPinned = true;
      now.add(topic);
    }
    this.#pinned = now;
    for (const topic of before) {
      if (now.has(topic)) continue;
      topic.isPinned = false;
      this.#release(topic);
    }
  }

  /**
   * Answers a request with an event stream.
   *
   * @param cookies Values of `Set-Cookie` headers.
   */
  answer(
    stream: EventStream,
    exchange: Exchange,
    cookies: readonly string[] = [],
  ): Answer {
    const settings = settingsOf(stream);
    const { method } = exchange.request;
    const headers = new Headers(
      method === "GET" || method === "HEAD"
        ? settings.headers
        : { allow: "GET, HEAD" },
    );
    for (const line of cookies) headers.append("set-cookie", line);
    if (method === "HEAD") return streamAnswer(headers, NOTHING);
    if (method !== "GET") return new Response(null, { status: 405, headers });
    const { retry } = settings;
    const greeting = retry === undefined ? COMMENT : `retry: ${retry}\n\n`;
    // The client comes again, when there may be another server.
    if (this.#isStopped) return new Response(greeting, { headers });
    return this.#open(settings, exchange, headers, greeting);
  }

  /**
   * Sends a message to everybody who listens to a topic.
   *
   * @returns The number of its bytes; -1 if it has to wait for anybody, 0 if it
   * was dropped; undefined if nobody listens.
   */
  publish(topic: string, data: Payload): number | undefined {
    const target = this.#topics.get(topic);
    if (target === undefined || this.#isStopped) return undefined;
    const isHeard = target.size > 0;
    const status = this.#send(target, data);
    return isHeard ? status : undefined;
  }

  /**
   * Opens no more streams.
   *
   * @param isCut Whether those that are open are about to be cut anyway.
   */
  stop(isCut: boolean): void {
    this.#isStopped = true;
    if (isCut) return;
    for (const topic of this.#topics.values()) {
      for (const stream of [...topic.clients()]) {
        this.#remove(stream);
        stream.end();
      }
    }
  }

  left(stream: EngineEventStream): void {
    this.#remove(stream);
  }

  #open(
    settings: EventStreamSettings,
    exchange: Exchange,
    headers: Headers,
    greeting: string,
  ): Answer {
    const { event } = settings;
    const topic = this.#topicOf(settings);
    const lastId = headerOf(exchange.request, "last-event-id");
    const seen = this.#ids.lastSeen(lastId);
    const first = greeting + topic.eventsAfter(seen, event);
    const plan = {
      heartbeat: settings.heartbeat,
      backpressureLimit: settings.backpressureLimit + Buffer.byteLength(first),
    };
    const direct = exchange.openEventStream?.(plan, headers, first, this);
    if (direct !== undefined) {
      this.#add(direct, { topic, event });
      // It was answered: the engine drops this.
      return new Response(null);
    }
    // It may be quiet for long; whether its client is there is looked at here.
    exchange.setIdleTimeout(0);
    const streamed = new StreamedEvents(
      plan,
      first,
      this,
      () => exchange.setIdleTimeout(SOON),
    );
    this.#add(streamed, { topic, event });
    return streamAnswer(headers, streamed);
  }

  #send(topic: EventTopic, data: Payload): number {
    const size = sizeOf(data);
    const { outbox } = topic;
    if (outbox === undefined && !(data instanceof PendingBytes)) {
      return this.#sendNow(topic, encodeData(data)) ? -1 : size;
    }
    if (outbox !== undefined && outbox.bytes + size > OUTBOX_BYTES) return 0;
    const box = topic.outbox ??= new Outbox(() => topic.outbox = undefined);
    if (data instanceof PendingBytes) {
      box.add(size, () =>
        data.bytes.then(
          (bytes) => void this.#sendNow(topic, encodeData(bytes)),
          reportError,
        ));
    } else {
      const encoded = encodeData(data);
      box.add(size, () => void this.#sendNow(topic, encoded));
    }
    return size;
  }

  #sendNow(topic: EventTopic, data: string): boolean {
    const before = topic.historyBytes;
    const isWaiting = topic.send(data, this.#engine);
    if (this.#idle.has(topic)) {
      this.#idleBytes += topic.historyBytes - before;
      this.#forgetIdle();
    }
    return isWaiting;
  }

  #topicOf({ topic: name, history }: EventStreamSettings): EventTopic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new EventTopic(name, this.#ids);
      this.#topics.set(name, topic);
      if (this.#topics.size === 1) this.#onFirstTopic();
    }
    topic.keep(history);
    if (this.#idle.delete(topic)) this.#idleBytes -= topic.historyBytes;
    return topic;
  }

  #add(stream: EngineEventStream, membership: Membership): void {
    stream.context = membership;
    membership.topic.add(stream, membership.event);
  }

  #remove(stream: EngineEventStream): void {
    const { topic, event } = stream.context as Membership;
    topic.delete(stream, event);
    this.#release(topic);
  }

  /** Nobody may need a topic any more. */
  #release(topic: EventTopic): void {
    if (topic.size > 0 || topic.isPinned || this.#idle.has(topic)) return;
    this.#idle.add(topic);
    this.#idleBytes += topic.historyBytes;
    this.#forgetIdle();
  }

  #forgetIdle(): void {
    for (const topic of this.#idle) {
      if (this.#idle.size <= IDLE_TOPICS && this.#idleBytes <= IDLE_BYTES) {
        return;
      }
      this.#idle.delete(topic);
      this.#idleBytes -= topic.historyBytes;
      this.#topics.delete(topic.name);
    }
  }
}

function streamAnswer(headers: Headers, source: ByteSource): Answer {
  return { kind: "stream", status: 200, headers, source };
}

const NOTHING: ByteSource = {
  read: () => Promise.resolve(undefined),
  cancel: () => {},
};
