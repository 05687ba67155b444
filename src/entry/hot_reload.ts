/**
 * Keeps the handlers of a server equal to the sources of its module.
 *
 * @module
 */

import type { Server } from "../server.ts";
import { replacingHandlers, requireServable } from "./default_export.ts";
import { FileWatcher } from "./file_watcher.ts";
import { ModuleLoader } from "./module_loader.ts";

/** Reloads one module into one server whenever its local files change. */
export class HotReload implements Disposable {
  readonly #url: string;
  readonly #loader: ModuleLoader;
  readonly #watcher: FileWatcher;
  readonly #server = Promise.withResolvers<Server>();
  #last = Promise.resolve();

  /**
   * Loads nothing yet.
   *
   * @param url The URL of the module.
   */
  constructor(url: string) {
    this.#url = url;
    this.#loader = new ModuleLoader(url);
    this.#watcher = new FileWatcher(() => {
      this.#last = this.#last.then(() => this.#reload());
    });
    if (!this.#loader.followsImports) {
      console.warn("Only the module itself is reloaded, not what it imports");
    }
  }

  /**
   * Loads the module and watches its files, also if it cannot be loaded.
   *
   * @throws {Error} Whatever the module throws, or why it cannot be loaded.
   */
  async load(): Promise<{ default?: unknown }> {
    try {
      return await this.#loader.load();
    } finally {
      this.#watcher.add(this.#loader.files);
    }
  }

  /** Names the server to keep up to date. */
  attach(server: Server): void {
    this.#server.resolve(server);
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#watcher.close();
  }

  async #reload(): Promise<void> {
    const server = await this.#server.promise;
    try {
      const options = requireServable(await this.load(), this.#url);
      server.reload(replacingHandlers(options));
      console.log("Reloaded");
    } catch (error) {
      console.error(error);
      console.error("Cannot reload: the handlers from before stay in place");
    }
  }
}
