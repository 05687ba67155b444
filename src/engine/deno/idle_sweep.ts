/** Something that is cut when nothing happens to it for too long. */
export interface Sweepable {
  /** When to cut it, in `IdleSweep.now` milliseconds; Infinity is never. */
  readonly deadline: number;
  /** Cuts it. Called at most once, after it was removed. */
  expire(): void;
}

const TICK = 1_000;

/**
 * Deadlines for many requests from one timer. A timer for each request would
 * cost more than answering it, and nobody needs an idle timeout to be exact:
 * one fires up to a second late, never early.
 */
export class IdleSweep {
  readonly #watched: Set<Sweepable> = new Set();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Milliseconds on the clock that deadlines are measured by. */
  get now(): number {
    return performance.now();
  }

  /** Watches an item until it is removed or expires. */
  add(item: Sweepable): void {
    this.#watched.add(item);
    if (this.#timer !== undefined) return;
    const timer = setInterval(() => this.#sweep(), TICK);
    // An idle timeout alone is no reason for the process to live.
    Deno.unrefTimer(timer);
    this.#timer = timer;
  }

  /** Stops watching an item. */
  remove(item: Sweepable): void {
    this.#watched.delete(item);
  }

  /** Stops the timer; watched items no longer expire. */
  stop(): void {
    this.#watched.clear();
    this.#stopTimer();
  }

  /** Cuts everything watched, whatever its deadline. */
  expireAll(): void {
    for (const item of [...this.#watched]) this.#expire(item);
  }

  #sweep(): void {
    const { now } = this;
    for (const item of this.#watched) {
      if (item.deadline <= now) this.#expire(item);
    }
    if (this.#watched.size === 0) this.#stopTimer();
  }

  #expire(item: Sweepable): void {
    this.#watched.delete(item);
    item.expire();
  }

  #stopTimer(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
