/**
 * Tells when one of a set of files changes.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";

/** An editor may write a file in several steps; these many milliseconds. */
const QUIET_MILLISECONDS = 100;

/**
 * Watches files until closed.
 *
 * Their directories are watched rather than the files: many editors replace a
 * file instead of writing to it, and a watch on it would follow the old one.
 */
export class FileWatcher {
  readonly #onChange: () => void;
  readonly #paths = new Set<string>();
  readonly #watchers = new Map<string, Deno.FsWatcher>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Watches nothing yet.
   *
   * @param onChange Called once changes have settled.
   */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches further files; those watched already are skipped. */
  add(fileUrls: Iterable<string>): void {
    for (const url of fileUrls) {
      const path = realPath(fileURLToPath(url));
      if (path === undefined || this.#paths.has(path)) continue;
      this.#paths.add(path);
      this.#watch(dirname(path));
    }
  }

  /** Stops watching. */
  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(directory: string): void {
    if (this.#watchers.has(directory)) return;
    const watcher = Deno.watchFs(directory, { recursive: false });
    this.#watchers.set(directory, watcher);
    this.#follow(watcher).catch(console.error);
  }

  async #follow(watcher: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind === "access") continue;
      if (paths.some((path) => this.#paths.has(path))) this.#settle();
    }
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onChange, QUIET_MILLISECONDS);
  }
}

/** The path under which changes are reported; the file itself may be a link. */
function realPath(path: string): string | undefined {
  try {
    return join(
      Deno.realPathSync(dirname(path)),
      path.slice(
        dirname(path).length,
      ),
    );
  } catch {
    // Its directory is gone; nothing there can change.
    return undefined;
  }
}
