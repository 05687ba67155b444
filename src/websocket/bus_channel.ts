import { BroadcastChannel } from "node:worker_threads";
import type { BusMessage } from "./bus.ts";

/** Before the name of a bus. */
const PREFIX = "@jstime/serve bus ";

/**
 * Whoever listens is asked whether it still does, since a Worker that is
 * terminated says nothing; in milliseconds.
 */
const REFRESH = 10_000;

/**
 * Deno closes the last channel of an isolate only when the event loop gets to
 * it, and whatever was opened meanwhile with it. So who opens one soon after
 * that waits for some turns.
 */
const SOON = 5_000;
const TURNS = 3;

// Programs may put clocks of their own in their place.
const { clearTimeout, performance, setTimeout } = globalThis;

/** When a channel of this isolate was closed last. */
let closedAt = -Infinity;

type Message = BusMessage<string | Uint8Array<ArrayBuffer>>;

/** What isolates say to each other. */
type Post =
  /** Messages, and whether engines have carried them to where they can. */
  | { readonly kind: "messages"; readonly messages: readonly Envelope[] }
  /** An isolate listens: everything has to be posted. */
  | { readonly kind: "listens"; readonly isolate: string }
  /** It does not any more. */
  | { readonly kind: "left"; readonly isolate: string }
  /** Who listens? */
  | { readonly kind: "who" };

interface Envelope extends Message {
  readonly isLinked: boolean;
}

/**
 * Carries messages between the isolates of a process, to whoever an engine does
 * not. What is published in one turn of the event loop travels together. Deno
 * keeps some hundred of such posts for an isolate that is busy, and drops the
 * oldest beyond.
 */
export class BusChannel {
  readonly #name: string;
  #channel: BroadcastChannel | undefined;
  #opening: ReturnType<typeof setTimeout> | undefined;
  readonly #isolate: string = crypto.randomUUID();
  readonly #onMessage: (message: Message, isLinked: boolean) => void;
  /** Isolates that listen, as far as is known. */
  #listeners: Set<string> = new Set();
  /** Those that did when they were last asked. */
  #before: Set<string> = new Set();
  #askedAt = performance.now();
  #isListening = false;
  #isClosed = false;
  #queue: Envelope[] = [];

  /**
   * @param onMessage Told what arrives, and whether the sender's engine has
   * carried it to where it can.
   */
  constructor(
    name: string,
    onMessage: (message: Message, isLinked: boolean) => void,
  ) {
    this.#onMessage = onMessage;
    this.#name = name;
    this.#openIn(performance.now() - closedAt < SOON ? TURNS : 0);
  }

  /** This isolate has servers that are reached by the channel alone. */
  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#sayListens();
  }

  /** It has none any more. */
  stopListening(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#post({ kind: "left", isolate: this.#isolate });
  }

  /**
   * Sends a message to the other isolates. Its bytes may change when this
   * returns.
   *
   * @param isLinked The sender's engine has carried it to where it can.
   */
  post(message: Message, isLinked: boolean): void {
    // Without a link nobody knows who is there.
    if (isLinked && !this.#hasListeners()) return;
    const { topic, data, compress, policy } = message;
    const kept = typeof data === "string" ? data : data.slice();
    if (this.#queue.length === 0) queueMicrotask(() => this.#flush());
    this.#queue.push({ topic, data: kept, compress, policy, isLinked });
  }

  /** Hears and says nothing any more. */
  close(): void {
    clearTimeout(this.#opening);
    this.#flush();
    this.stopListening();
    this.#isClosed = true;
    if (this.#channel === undefined) return;
    this.#channel.close();
    this.#channel = undefined;
    closedAt = performance.now();
  }

  #openIn(turns: number): void {
    if (turns === 0) return this.#open();
    this.#opening = setTimeout(() => this.#openIn(turns - 1), 1);
  }

  #open(): void {
    const channel = new BroadcastChannel(PREFIX + this.#name);
    channel.onmessage = (event) =>
      this.#receive((event as MessageEvent<Post>).data);
    // Servers keep the process alive, or not.
    channel.unref();
    this.#channel = channel;
    this.#post({ kind: "who" });
    if (this.#isListening) this.#sayListens();
    this.#flush();
  }

  #sayListens(): void {
    this.#post({ kind: "listens", isolate: this.#isolate });
  }

  #hasListeners(): boolean {
    const count = this.#listeners.size + this.#before.size;
    if (count > 0 && performance.now() - this.#askedAt > REFRESH) {
      this.#askedAt = performance.now();
      this.#before = this.#listeners;
      this.#listeners = new Set();
      this.#post({ kind: "who" });
    }
    return count > 0;
  }

  #flush(): void {
    const messages = this.#queue;
    if (messages.length === 0 || this.#channel === undefined) return;
    this.#queue = [];
    this.#post({ kind: "messages", messages });
  }

  #post(post: Post): void {
    this.#channel?.postMessage(post);
  }

  #receive(post: Post): void {
    if (this.#isClosed) return;
    switch (post.kind) {
      case "messages":
        for (const { isLinked, ...message } of post.messages) {
          this.#onMessage(message, isLinked);
        }
        return;
      case "listens":
        this.#listeners.add(post.isolate);
        return;
      case "left":
        this.#listeners.delete(post.isolate);
        this.#before.delete(post.isolate);
        return;
      case "who":
        if (this.#isListening) this.#sayListens();
    }
  }
}
