/** A connection to whose client more may have been sent than it takes. */
export interface Backlogged {
  /** Bytes that Deno was given and has not written. */
  readonly givenBytes: number;
  /** The client is slow: the kernel did not take everything. */
  congested(): void;
  /** All is written. */
  drained(): void;
}

/** How often slow clients are looked at, in milliseconds. */
const SHORTEST_INTERVAL = 4;
const LONGEST_INTERVAL = 64;

/**
 * Finds out which clients are slow, and when they no longer are.
 *
 * Deno writes what was sent when the present turn of the event loop is over,
 * and tells nobody. So bytes that wait mean nothing during that turn; those
 * that still wait afterwards, the kernel did not take.
 */
export class BacklogWatch {
  readonly #suspects: Set<Backlogged> = new Set();
  readonly #congested: Set<Backlogged> = new Set();
  #check: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #interval = SHORTEST_INTERVAL;

  /** Looks at a connection when this turn of the event loop is over. */
  suspect(connection: Backlogged): void {
    this.#suspects.add(connection);
    this.#check ??= setTimeout(() => this.#checkSuspects(), 0);
  }

  /** Forgets a connection that is gone. */
  delete(connection: Backlogged): void {
    this.#suspects.delete(connection);
    this.#congested.delete(connection);
    if (this.#suspects.size === 0) {
      clearTimeout(this.#check);
      this.#check = undefined;
    }
    if (this.#congested.size === 0) this.#stopPolling();
  }

  #checkSuspects(): void {
    this.#check = undefined;
    const suspects = [...this.#suspects];
    this.#suspects.clear();
    for (const connection of suspects) {
      if (connection.givenBytes === 0) {
        // It never was slow, and may be suspected again.
        connection.drained();
        continue;
      }
      connection.congested();
      this.#congested.add(connection);
      this.#pollSoon(SHORTEST_INTERVAL);
    }
  }

  #pollCongested(): void {
    this.#poll = undefined;
    let hasProgress = false;
    for (const connection of [...this.#congested]) {
      if (connection.givenBytes > 0) continue;
      hasProgress = true;
      this.#congested.delete(connection);
      connection.drained();
    }
    if (this.#congested.size === 0) return;
    this.#pollSoon(
      hasProgress
        ? SHORTEST_INTERVAL
        : Math.min(this.#interval * 2, LONGEST_INTERVAL),
    );
  }

  #pollSoon(interval: number): void {
    if (this.#poll !== undefined && interval >= this.#interval) return;
    clearTimeout(this.#poll);
    this.#interval = interval;
    this.#poll = setTimeout(() => this.#pollCongested(), interval);
  }

  #stopPolling(): void {
    clearTimeout(this.#poll);
    this.#poll = undefined;
  }
}
