import type { HttpListener } from "../engine/engine.ts";
import type { RouteTarget } from "./route_table.ts";
import type { Router } from "./router.ts";
import { staticEntries } from "./static_entries.ts";

/** Tells a listener what it can answer without JavaScript. */
export class StaticPublisher {
  readonly #listener: HttpListener;
  #router: Router<RouteTarget> | undefined;
  #isPublished = false;
  #isStopped = false;

  constructor(listener: HttpListener) {
    this.#listener = listener;
  }

  /**
   * Publishes the fixed answers of a router as soon as their content has been
   * read. Those of the one before are gone when this returns.
   */
  publish(router: Router<RouteTarget>): void {
    if (router === this.#router || this.#isStopped) return;
    this.#router = router;
    if (this.#isPublished) {
      this.#isPublished = false;
      this.#listener.setStatic([]);
    }
    this.#publishLater(router).catch(console.error);
  }

  /** Publishes nothing more; what was published stays. */
  stop(): void {
    this.#isStopped = true;
  }

  async #publishLater(router: Router<RouteTarget>): Promise<void> {
    const entries = await staticEntries(router);
    if (entries.length === 0 || this.#router !== router) return;
    if (this.#isStopped) return;
    this.#isPublished = true;
    this.#listener.setStatic(entries);
  }
}
