/** How often to look for events while there is no connection, milliseconds. */
const POLL = 5;

/** The connection's part that is used here. */
type Connection = Deno.UnixConn;

/**
 * Tells when an I/O thread has events, while JavaScript waits for them: the
 * thread then writes a byte to a socket.
 *
 * Should that socket not be to be had, as when the process has no descriptors
 * left, a timer stands in for it.
 */
export class Doorbell {
  readonly #path: string;
  readonly #onRing: () => void;
  #connection: Connection | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isReferenced = true;
  #isClosed = false;
  readonly #listening: Promise<void>;

  /**
   * @param path Of the Unix socket; an abstract one begins with a NUL.
   * @param onRing Called when it rings, and once as soon as it can ring.
   */
  constructor(path: string, onRing: () => void) {
    this.#path = path;
    this.#onRing = onRing;
    this.#listening = this.#listen();
  }

  /** Keeps the process alive (the default), or lets it end. */
  setReferenced(isReferenced: boolean): void {
    this.#isReferenced = isReferenced;
    if (isReferenced) this.#connection?.ref();
    else this.#connection?.unref();
    if (this.#timer === undefined) return;
    if (isReferenced) Deno.refTimer(this.#timer as unknown as number);
    else Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** It does not ring any more. Resolves when everything was given back. */
  close(): Promise<void> {
    this.#isClosed = true;
    // Or nobody would wait for the read to end.
    this.#connection?.ref();
    this.#connection?.close();
    clearInterval(this.#timer);
    return this.#listening;
  }

  async #listen(): Promise<void> {
    const connection = await this.#connect();
    if (connection === undefined) return;
    this.#connection = connection;
    this.setReferenced(this.#isReferenced);
    this.#onRing();
    const buffer = new Uint8Array(64);
    try {
      while (await connection.read(buffer) !== null) this.#onRing();
      console.error(new Error("An I/O thread has ended unexpectedly"));
    } catch (error) {
      // Closing ends the read that waits.
      if (!this.#isClosed) console.error(error);
    }
  }

  /** The connection; undefined if it is not needed any more. */
  async #connect(): Promise<Connection | undefined> {
    const options = { transport: "unix", path: this.#path } as const;
    try {
      const connection = await Deno.connect(options);
      if (!this.#isClosed) return connection;
      connection.close();
    } catch {
      if (this.#isClosed) return undefined;
      this.#timer = setInterval(this.#onRing, POLL);
      this.setReferenced(this.#isReferenced);
    }
  }
}
