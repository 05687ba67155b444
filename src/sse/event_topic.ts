import { Buffer } from "node:buffer";
import type { Engine, EngineEventStream } from "../engine/engine.ts";
import type { Outbox } from "../websocket/outbox.ts";
import { encodeEvent } from "./event_encoding.ts";
import type { EventIds } from "./event_ids.ts";
import { StreamedEvents } from "./streamed_events.ts";

/** The most bytes of a topic's history. */
const HISTORY_BYTES = 1024 * 1024;

/** A message that is kept. */
interface Entry {
  readonly number: number;
  /** What `encodeData` made. */
  readonly data: string;
  readonly size: number;
}

/** Clients who get the same: events of one type. */
interface Audience {
  /** Streams of the engine. */
  readonly direct: Set<EngineEventStream>;
  /** Streams of our own. */
  readonly streamed: Set<EngineEventStream>;
}

/** One topic: who listens, and what was said last. */
export class EventTopic {
  /** Its name. */
  readonly name: string;
  /** A route names it. */
  isPinned = false;
  /** Keeps the order while a Blob is being read. */
  outbox: Outbox | undefined;
  readonly #ids: EventIds;
  readonly #audiences: Map<string | undefined, Audience> = new Map();
  readonly #history: Entry[] = [];
  #historyBytes = 0;
  #historyLimit = 0;
  #size = 0;

  constructor(name: string, ids: EventIds) {
    this.name = name;
    this.#ids = ids;
  }

  /** How many clients there are. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the messages that are kept. */
  get historyBytes(): number {
    return this.#historyBytes;
  }

  /** Keeps at least so many messages from now on. */
  keep(messages: number): void {
    this.#historyLimit = Math.max(this.#historyLimit, messages);
  }

  /** The events behind a number that are kept, for clients of one type. */
  eventsAfter(number: number, event: string | undefined): string {
    const ids = this.#ids;
    return this.#history
      .filter((entry) => entry.number > number)
      .map((entry) => encodeEvent(ids.idOf(entry.number), event, entry.data))
      .join("");
  }

  /** A client is there. */
  add(stream: EngineEventStream, event: string | undefined): void {
    let audience = this.#audiences.get(event);
    if (audience === undefined) {
      audience = { direct: new Set(), streamed: new Set() };
      this.#audiences.set(event, audience);
    }
    setFor(audience, stream).add(stream);
    this.#size++;
  }

  /** A client is gone. */
  delete(stream: EngineEventStream, event: string | undefined): void {
    const audience = this.#audiences.get(event);
    if (audience === undefined || !setFor(audience, stream).delete(stream)) {
      return;
    }
    this.#size--;
    if (audience.direct.size + audience.streamed.size === 0) {
      this.#audiences.delete(event);
    }
  }

  /** Everybody who listens. */
  *clients(): Iterable<EngineEventStream> {
    for (const { direct, streamed } of this.#audiences.values()) {
      yield* direct;
      yield* streamed;
    }
  }

  /**
   * Sends a message to everybody, and keeps it.
   *
   * @param data What `encodeData` made.
   * @returns Whether anybody has to wait for it.
   */
  send(data: string, engine: Pick<Engine, "sendEvent">): boolean {
    const number = this.#ids.next();
    this.#remember(number, data);
    const id = this.#ids.idOf(number);
    let isWaiting = false;
    for (const [event, { direct, streamed }] of this.#audiences) {
      const text = encodeEvent(id, event, data);
      const size = Buffer.byteLength(text);
      if (direct.size > 0 && engine.sendEvent!([...direct], text, size)) {
        isWaiting = true;
      }
      // Who is cut leaves at once.
      for (const stream of [...streamed]) {
        if (stream.send(text, size)) isWaiting = true;
      }
    }
    return isWaiting;
  }

  #remember(number: number, data: string): void {
    if (this.#historyLimit === 0) return;
    const size = Buffer.byteLength(data);
    const history = this.#history;
    history.push({ number, data, size });
    this.#historyBytes += size;
    while (
      history.length > this.#historyLimit || this.#historyBytes > HISTORY_BYTES
    ) {
      this.#historyBytes -= history.shift()!.size;
    }
  }
}

function setFor(
  { direct, streamed }: Audience,
  stream: EngineEventStream,
): Set<EngineEventStream> {
  return stream instanceof StreamedEvents ? streamed : direct;
}
