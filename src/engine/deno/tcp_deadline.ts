import { clearTimeout, setTimeout } from "node:timers";

/**
 * Calls back when nothing has moved for a while. It never keeps the process
 * alive by itself.
 */
export class Deadline {
  readonly #expire: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(expire: () => void) {
    this.#expire = expire;
  }

  /** Starts, or starts again: `seconds` from now. */
  start(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#expire, seconds * 1_000);
    this.#timer.unref();
  }

  /** Never calls back, until it is started again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
