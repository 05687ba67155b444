import { clearInterval, setInterval } from "node:timers";
import type {
  ByteSource,
  EngineEventStream,
  EventStreamEvents,
  EventStreamPlan,
} from "../engine/engine.ts";
import { COMMENT } from "./event_encoding.ts";

const encoder = new TextEncoder();

/** While no more waits, that need not be the client's doing. */
const EASE_BYTES = 64 * 1024;

/** The event stream of one client, on engines that have none. */
export class StreamedEvents implements EngineEventStream, ByteSource {
  context: unknown = undefined;
  readonly #plan: EventStreamPlan;
  readonly #events: EventStreamEvents;
  readonly #onCut: () => void;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #queue: string[];
  #queuedBytes = 0;
  /** Nothing was sent or taken since the timer fired last. */
  #isQuiet = true;
  #isEnded = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  /**
   * @param first Sent at once; the limit of the plan is for what follows.
   * @param onCut Called when the client is cut, which may be reading nothing.
   */
  constructor(
    plan: EventStreamPlan,
    first: string,
    events: EventStreamEvents,
    onCut: () => void,
  ) {
    this.#onCut = onCut;
    this.#plan = plan;
    this.#events = events;
    this.#queue = [first];
    if (plan.heartbeat === 0) return;
    const timer = setInterval(() => this.#beat(), plan.heartbeat * 1_000);
    // A listening server keeps the process alive, or is not meant to.
    timer.unref();
    this.#timer = timer;
  }

  send(text: string, size: number): boolean {
    if (this.#isEnded) return false;
    if (this.#queuedBytes > this.#plan.backpressureLimit) {
      this.#cut("too much waits for its client");
      return true;
    }
    const isWaiting = this.#queuedBytes > EASE_BYTES;
    this.#push(text, size);
    return isWaiting;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#finish();
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#isQuiet = false;
    while (this.#queue.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#queue.length === 0) return undefined;
    const text = this.#queue.join("");
    this.#queue = [];
    this.#queuedBytes = 0;
    return encoder.encode(text);
  }

  cancel(): void {
    if (this.#isEnded) return;
    this.#queue = [];
    this.#finish();
    this.#events.left(this);
  }

  #push(text: string, size: number): void {
    this.#queue.push(text);
    this.#queuedBytes += size;
    this.#isQuiet = false;
    this.#resume();
  }

  #beat(): void {
    if (!this.#isQuiet) {
      this.#isQuiet = true;
    } else if (this.#queue.length === 0) {
      this.#push(COMMENT, COMMENT.length);
      this.#isQuiet = true;
    } else {
      this.#cut("its client takes nothing");
    }
  }

  /** The client comes again, and asks for what it has missed. */
  #cut(reason: string): void {
    this.#failure = new Error(`Cannot go on with the event stream: ${reason}`);
    this.cancel();
    this.#onCut();
  }

  #finish(): void {
    this.#isEnded = true;
    clearInterval(this.#timer);
    this.#resume();
  }

  #resume(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
