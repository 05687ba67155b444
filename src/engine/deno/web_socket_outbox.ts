import type { Publication } from "../engine.ts";

/** A message that Deno has not been given. */
interface Entry {
  readonly data: string | Uint8Array<ArrayBuffer>;
  readonly size: number;
  /** undefined if it must not be taken back. */
  readonly publication: Publication | undefined;
}

/**
 * Messages for a slow client, in order. What Deno was given cannot be taken
 * back, so that what may have to be waits here, and everything behind it.
 */
export class WebSocketOutbox {
  readonly #entries: Set<Entry> = new Set();
  /** Those that make room for later ones. */
  readonly #oldest: Set<Entry> = new Set();
  /** Those that a later one of the same topic takes the place of. */
  readonly #latest: Map<string, Set<Entry>> = new Map();
  #bytes = 0;
  /**
   * The client was too slow once, and has not caught up since: of each topic
   * only the last message waits.
   */
  isBehind = false;

  /** Bytes of all messages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /**
   * Appends a message; the bytes may change when this returns.
   *
   * @param publication undefined if it must not be taken back.
   */
  add(
    data: string | Uint8Array<ArrayBuffer>,
    size: number,
    publication: Publication | undefined,
  ): void {
    const kept = typeof data === "string" ? data : data.slice();
    const entry: Entry = { data: kept, size, publication };
    this.#entries.add(entry);
    this.#bytes += size;
    if (publication?.policy === "drop-oldest") this.#oldest.add(entry);
    if (publication?.policy === "latest") {
      const { topic } = publication;
      const entries = this.#latest.get(topic);
      if (entries === undefined) this.#latest.set(topic, new Set([entry]));
      else entries.add(entry);
    }
  }

  /** Removes and returns the first message. */
  take(): string | Uint8Array<ArrayBuffer> | undefined {
    for (const entry of this.#entries) {
      this.#delete(entry);
      return entry.data;
    }
  }

  /**
   * Takes back the oldest messages that may be, of at least so many bytes if
   * there are as many.
   */
  shed(bytes: number): void {
    const most = this.#bytes - bytes;
    for (const entry of this.#oldest) {
      if (this.#bytes <= most) return;
      this.#delete(entry);
    }
  }

  /** Takes back what a later message of the topic takes the place of. */
  supersede(topic: string): void {
    this.isBehind = true;
    for (const entry of this.#latest.get(topic) ?? []) this.#delete(entry);
  }

  #delete(entry: Entry): void {
    this.#entries.delete(entry);
    this.#oldest.delete(entry);
    this.#bytes -= entry.size;
    if (entry.publication?.policy !== "latest") return;
    const { topic } = entry.publication;
    const entries = this.#latest.get(topic);
    entries?.delete(entry);
    if (entries?.size === 0) this.#latest.delete(topic);
  }
}
