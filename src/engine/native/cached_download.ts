import { readEnvironment } from "../../runtime/environment.ts";
import { digestOf } from "./file_digest.ts";
import type { NoLibrary } from "./library_path.ts";

/** Downloads that are on their way, by the path where they will be. */
const downloads: Map<string, Promise<void>> = new Map();

/**
 * A file from the network that is kept in the user's cache directory, under a
 * name that says what it must contain.
 */
export class CachedDownload {
  readonly #url: URL;
  readonly #digest: string;

  /** @param digest SHA-256 in lower-case hexadecimal digits. */
  constructor(url: URL, digest: string) {
    this.#url = url;
    this.#digest = digest;
  }

  /** The path of the file; without it, its download begins. */
  find(directory: string | undefined = cacheDirectory()): string | NoLibrary {
    if (directory === undefined || !isUsable(directory)) {
      return {
        reason: "its helper needs a cache directory to read and write",
        isFault: false,
      };
    }
    const path = `${directory}/${this.#digest}`;
    if (this.#isComplete(path)) return path;
    this.#download(directory, path);
    return { reason: "its helper is being downloaded", isFault: false };
  }

  #isComplete(path: string): boolean {
    try {
      return digestOf(Deno.readFileSync(path)) === this.#digest;
    } catch {
      return false;
    }
  }

  #download(directory: string, path: string): void {
    if (downloads.has(path)) return;
    const done = this.#fetch(directory, path)
      .catch((error) => {
        console.warn("Cannot download the helper of the native engine:", error);
      })
      .finally(() => downloads.delete(path));
    downloads.set(path, done);
  }

  async #fetch(directory: string, path: string): Promise<void> {
    const response = await fetch(this.#url);
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${response.status} for ${this.#url}`);
    }
    const content = await response.bytes();
    if (digestOf(content) !== this.#digest) {
      throw new Error(`${this.#url} is not what was built`);
    }
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    // Whoever loads it meanwhile sees all of it or nothing.
    const part = `${path}.${crypto.randomUUID()}`;
    try {
      await Deno.writeFile(part, content, { mode: 0o600, createNew: true });
      await Deno.rename(part, path);
    } catch (error) {
      await Deno.remove(part).catch(() => {});
      throw error;
    }
  }
}

/** Settles when all downloads are there, or have failed. */
export async function downloadsDone(): Promise<void> {
  await Promise.all(downloads.values());
}

function cacheDirectory(): string | undefined {
  const home = readEnvironment("HOME");
  const given = readEnvironment("XDG_CACHE_HOME");
  if (given?.startsWith("/")) return `${given}/jstime-serve`;
  if (!home?.startsWith("/")) return undefined;
  return Deno.build.os === "darwin"
    ? `${home}/Library/Caches/jstime-serve`
    : `${home}/.cache/jstime-serve`;
}

function isUsable(path: string): boolean {
  return (["read", "write"] as const).every((name) =>
    Deno.permissions.querySync({ name, path }).state === "granted"
  );
}
