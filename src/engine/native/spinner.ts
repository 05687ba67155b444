/** What a spinner looks at. */
export interface Spinnable {
  /** Whether there is something to do. */
  hasMore(): boolean;
}

/** How long to look for the next request, in milliseconds. */
const SPIN_TIME = 0.05;
/** A request that comes so soon after the answer before is a quick one. */
const QUICK = 0.1;
/** So many quick ones in a row promise another, at first. */
const SHORTEST_ROW = 16;
/** As many are asked for after they have broken their promise again and again. */
const LONGEST_ROW = 4096;
/** How often to look between two looks at the clock. */
const LOOKS = 100;

/**
 * Spares clients that ask one thing after another the way over the doorbell,
 * which takes longer than an answer does.
 *
 * It looks for the next request for a moment, but only while requests have come
 * one by one and at once, so that it burns nothing at rest and nothing under
 * load; and only where the I/O thread has a processor of its own.
 */
export class Spinner {
  readonly #isUseful: boolean;
  readonly #clock: { now(): number };
  #row = 0;
  #needed = SHORTEST_ROW;
  #since = 0;

  constructor(
    processors: number = navigator.hardwareConcurrency,
    clock: { now(): number } = performance,
  ) {
    this.#isUseful = processors > 1;
    this.#clock = clock;
  }

  /**
   * To be called when there is nothing to do.
   *
   * @param isSerial Since the last time, one request came, and it was answered.
   * @returns Whether there is something to do now; if not, go to sleep.
   */
  spin(work: Spinnable, isSerial: boolean): boolean {
    if (!isSerial || !this.#isUseful) {
      this.#row = 0;
      return false;
    }
    this.#since = this.#clock.now();
    if (this.#row < this.#needed) return false;
    do {
      for (let look = 0; look < LOOKS; look++) {
        if (work.hasMore()) return this.#succeed();
      }
    } while (this.#clock.now() - this.#since < SPIN_TIME);
    // Perhaps the client needs this processor.
    this.#row = 0;
    this.#needed = Math.min(this.#needed * 2, LONGEST_ROW);
    return false;
  }

  #succeed(): true {
    this.#row++;
    if (this.#row > this.#needed * 2) this.#needed = SHORTEST_ROW;
    return true;
  }

  /** To be called when the doorbell has ended the sleep. */
  woke(): void {
    if (this.#since === 0) return;
    const isQuick = this.#clock.now() - this.#since < QUICK;
    this.#row = isQuick ? this.#row + 1 : 0;
    this.#since = 0;
  }
}
