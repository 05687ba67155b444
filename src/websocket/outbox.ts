interface Errand {
  readonly bytes: number;
  readonly run: () => void | Promise<void>;
}

/**
 * Keeps the order of messages while a Blob is being read: what is sent behind
 * it waits for it.
 */
export class Outbox {
  readonly #errands: Errand[] = [];
  readonly #onEmpty: () => void;
  #bytes = 0;

  /** @param onEmpty Called when nothing waits any more. */
  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Does something in its turn.
   *
   * @param bytes How long the message is that it sends.
   * @param run Must neither throw nor reject.
   */
  add(bytes: number, run: () => void | Promise<void>): void {
    this.#bytes += bytes;
    this.#errands.push({ bytes, run });
    if (this.#errands.length === 1) this.#go();
  }

  async #go(): Promise<void> {
    // The list grows while it is worked on.
    for (const { bytes, run } of this.#errands) {
      await run();
      this.#bytes -= bytes;
    }
    this.#onEmpty();
  }
}
