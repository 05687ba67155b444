/** How long to wait before listening again, in milliseconds. */
const PAUSE = 100;

/**
 * A server of Deno that goes on after it failed to accept, as it does when the
 * process is out of descriptors: Deno's ends then, for good.
 */
export class LastingServer {
  /** The bound address. */
  readonly address: Deno.Addr;
  readonly #serve: (address?: Deno.Addr) => Deno.HttpServer<Deno.Addr>;
  #server: Deno.HttpServer<Deno.Addr>;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #isReferenced = true;
  #isStopped = false;

  /**
   * @param serve Begins to serve; again at the address it is given.
   * @throws {Error} What `serve` throws the first time.
   */
  constructor(
    serve: (address?: Deno.Addr) => Deno.HttpServer<Deno.Addr>,
  ) {
    this.#serve = serve;
    this.#server = serve();
    this.address = this.#server.addr;
    this.#watch();
  }

  /** Stops accepting; resolves when the last request is answered. */
  async shutdown(): Promise<void> {
    this.stop();
    await this.#server.shutdown();
    // It may have ended before, and not as it should.
    await this.#server.finished.catch(() => {});
  }

  /** Does not listen again. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#pause);
  }

  /** Keeps the process alive (the default). */
  ref(): void {
    this.#isReferenced = true;
    this.#server.ref();
    this.#pause?.ref();
  }

  /** Lets the process end. */
  unref(): void {
    this.#isReferenced = false;
    this.#server.unref();
    this.#pause?.unref();
  }

  #watch(): void {
    this.#server.finished.catch((error) => {
      if (this.#isStopped) return;
      console.error("Cannot accept connections, listening again soon:", error);
      this.#listenSoon();
    });
  }

  #listenSoon(): void {
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      try {
        this.#server = this.#serve(this.address);
      } catch {
        // Descriptors are still missing.
        return this.#listenSoon();
      }
      if (!this.#isReferenced) this.#server.unref();
      this.#watch();
    }, PAUSE);
    if (!this.#isReferenced) this.#pause.unref();
  }
}
