import { BacklogWatch } from "./web_socket_backlog.ts";
import type { IdleSweep } from "./idle_sweep.ts";

/** A connection that can be ended from outside. */
export interface Pooled {
  /** Drops the connection. */
  cut(): void;
}

/** How long clients may take to answer a close frame when a server stops. */
const STOP_GRACE = 250;

/**
 * The WebSocket connections of a server, from the upgrade until nothing is left
 * of them: longer than users know of them.
 */
export class WebSocketPool {
  /** Ends connections on which nothing happens. */
  readonly sweep: IdleSweep;
  /** Finds slow clients. */
  readonly backlog: BacklogWatch = new BacklogWatch();
  readonly #connections: Set<Pooled> = new Set();
  #onEmpty: (() => void)[] = [];
  #isStopping = false;
  #hasLost = false;

  constructor(sweep: IdleSweep) {
    this.sweep = sweep;
  }

  /** No connection may begin any more: Deno would drop it without a word. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Whether Deno holds connections of which it will never say anything. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#connections.size;
  }

  /** A connection begins. */
  add(connection: Pooled): void {
    this.#connections.add(connection);
  }

  /** A connection is over. */
  delete(connection: Pooled): void {
    if (!this.#connections.delete(connection) || this.size > 0) return;
    const listeners = this.#onEmpty;
    this.#onEmpty = [];
    for (const listener of listeners) listener();
  }

  /** A connection is over that Deno will never say anything of. */
  lose(connection: Pooled): void {
    this.#hasLost = true;
    this.delete(connection);
  }

  /** Lets no connection begin from now on. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Settles when no connection is left. */
  empty(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Ends all connections, after a moment in which close frames can travel. */
  async end(): Promise<void> {
    this.stop();
    if (this.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_GRACE);
    });
    await Promise.race([this.empty(), grace]);
    clearTimeout(timer);
    for (const connection of [...this.#connections]) {
      connection.cut();
      // Of some that were just beginning, Deno never says that they are over.
      this.lose(connection);
    }
  }
}
