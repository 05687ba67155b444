import { clearTimeout, setTimeout } from "node:timers";

/** How long connections wait for their peers, in seconds. */
export interface TcpTimes {
  /** For a TLS handshake. */
  readonly handshake: number;
  /** Without progress, until a closed connection gives up its bytes. */
  readonly flush: number;
  /** For the peer's end, once everything was sent. */
  readonly linger: number;
  /** The same if the peer goes on sending. */
  readonly longestLinger: number;
}

/** The times of every connection outside of tests. */
export const TCP_TIMES: TcpTimes = {
  handshake: 60,
  flush: 60,
  linger: 5,
  longestLinger: 30,
};

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
