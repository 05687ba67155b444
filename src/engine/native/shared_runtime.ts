import type { SharedLibrary } from "./library.ts";
import { Runtime } from "./runtime.ts";

/** The I/O threads of a JavaScript thread: they run while somebody uses them. */
export class SharedRuntime {
  readonly #library: SharedLibrary;
  #runtime: Runtime | undefined;
  #users = 0;

  /** @param library Where the threads come from. */
  constructor(library: SharedLibrary) {
    this.#library = library;
  }

  /**
   * The threads, until `release` is called as often.
   *
   * @throws {Error} If no threads can be started; `code` says why.
   */
  acquire(): Runtime {
    const runtime = this.#runtime ??= new Runtime(this.#library);
    this.#users++;
    return runtime;
  }

  /**
   * Gives back what `acquire` gave; not while events are handled. Resolves when
   * the threads have ended, if nobody else uses them.
   */
  async release(): Promise<void> {
    if (--this.#users > 0) return;
    const runtime = this.#runtime;
    this.#runtime = undefined;
    await runtime?.close();
  }
}
