/**
 * A folder that disappears when disposed, and when the user interrupts; then
 * all processes that were started end, too.
 *
 * @module
 */

import { killChildren } from "./children.ts";

const signals: readonly Deno.Signal[] = ["SIGINT", "SIGTERM"];

/** A temporary folder. */
export class TemporaryFolder implements Disposable {
  /** Where it is. */
  readonly path: string = Deno.makeTempDirSync({ prefix: "bench-" });
  readonly #interrupted = () => {
    killChildren();
    this[Symbol.dispose]();
    Deno.exit(130);
  };

  /** Makes a folder. */
  constructor() {
    for (const signal of signals) {
      Deno.addSignalListener(signal, this.#interrupted);
    }
  }

  /** Removes it with everything in it. */
  [Symbol.dispose](): void {
    for (const signal of signals) {
      Deno.removeSignalListener(signal, this.#interrupted);
    }
    Deno.removeSync(this.path, { recursive: true });
  }
}
