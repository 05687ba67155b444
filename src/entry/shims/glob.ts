/**
 * `Bun.Glob`.
 *
 * @module
 */

import { readdir } from "node:fs/promises";
import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { GlobPattern } from "./glob_pattern.ts";

/** Options of `Glob.scan()`. */
export interface GlobScanOptions {
  /** Directory to look in. Default: the working directory. */
  cwd?: string;
  /** Find names that begin with a dot too. Default: false. */
  dot?: boolean;
  /** Return absolute paths. Default: false. */
  absolute?: boolean;
  /**
   * Look into directories behind symbolic links, except those that lead back
   * to a directory on the way. Default: false.
   */
  followSymlinks?: boolean;
  /** Find files only, not directories. Default: true. */
  onlyFiles?: boolean;
}

/** The part of a directory entry that scanning needs. */
interface Entry {
  readonly name: string;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** A directory to visit. */
interface Directory {
  /** Its path below the root, empty or with a slash at its end. */
  readonly path: string;
  /** What it really is, if links are followed. */
  readonly realPath: string;
  /** The directory that it was found in. */
  readonly parent: Directory | undefined;
}

/**
 * Finds paths that match a pattern: `*`, `?`, `**`, `[a-z]`, `[!a]`, `{a,b}`,
 * `\` to escape and `!` in front to negate. `match()` lets wildcards match
 * names that begin with a dot; scanning skips those unless asked.
 *
 * @example
 * ```ts
 * import { Glob } from "@jstime/serve/bun";
 *
 * console.log(new Glob("**\/*.{ts,js}").match("src/server.ts")); // true
 * ```
 */
export class Glob {
  readonly #pattern: GlobPattern;

  /**
   * Compiles a pattern.
   *
   * @throws {TypeError} If it is no string.
   * @throws {RangeError} If its braces stand for more than 4096 patterns.
   */
  constructor(pattern: string) {
    this.#pattern = new GlobPattern(requireString("pattern", pattern));
  }

  /**
   * Whether a path matches the pattern.
   *
   * @throws {TypeError} If it is no string.
   */
  match(path: string): boolean {
    return this.#pattern.matches(requireString("path", path));
  }

  /**
   * Finds matching paths below a directory, relative to it, in no order.
   *
   * @throws {Error} With `code`, if a directory cannot be read.
   */
  async *scan(
    options?: string | GlobScanOptions,
  ): AsyncIterableIterator<string> {
    const walk = new Walk(this.#pattern, options);
    for (let next = walk.next(); next !== undefined; next = walk.next()) {
      yield* walk.visit(
        next,
        await readdir(walk.pathOf(next.path), { withFileTypes: true }),
      );
    }
  }

  /**
   * As `scan()`, but blocks.
   *
   * @throws {Error} With `code`, if a directory cannot be read.
   */
  *scanSync(options?: string | GlobScanOptions): IterableIterator<string> {
    const walk = new Walk(this.#pattern, options);
    for (let next = walk.next(); next !== undefined; next = walk.next()) {
      yield* walk.visit(
        next,
        readdirSync(walk.pathOf(next.path), { withFileTypes: true }),
      );
    }
  }
}

/** What scanning with and without blocking have in common. */
class Walk {
  readonly #pattern: GlobPattern;
  readonly #options: GlobScanOptions;
  readonly #root: string;
  readonly #dot: boolean;
  readonly #waiting: Directory[];

  constructor(pattern: GlobPattern, options: string | GlobScanOptions = {}) {
    this.#pattern = pattern;
    this.#options = typeof options === "string" ? { cwd: options } : options;
    this.#root = resolve(this.#options.cwd ?? ".");
    this.#dot = this.#options.dot ?? pattern.namesHidden;
    this.#waiting = [this.#directory("", undefined)];
  }

  next(): Directory | undefined {
    return this.#waiting.pop();
  }

  pathOf(relative: string): string {
    return join(this.#root, relative);
  }

  *visit(directory: Directory, entries: readonly Entry[]): Iterable<string> {
    const depth = directory.path.split("/").length;
    for (const entry of entries) {
      if (entry.name.startsWith(".") && !this.#dot) continue;
      const path = directory.path + entry.name;
      const isLink = entry.isSymbolicLink() && this.#options.followSymlinks;
      const isDirectory = entry.isDirectory() ||
        (isLink === true && this.#isDirectory(path));
      if (isDirectory && depth < this.#pattern.depth) {
        const found = this.#directory(`${path}/`, directory);
        if (!isLoop(found)) this.#waiting.push(found);
      }
      const isWanted = !isDirectory || this.#options.onlyFiles === false;
      if (isWanted && this.#pattern.matches(path)) {
        yield this.#options.absolute ? this.pathOf(path) : path;
      }
    }
  }

  #directory(path: string, parent: Directory | undefined): Directory {
    const realPath = this.#options.followSymlinks
      ? realpathSync(this.pathOf(path))
      : path;
    return { path, realPath, parent };
  }

  #isDirectory(path: string): boolean {
    try {
      return statSync(this.pathOf(path)).isDirectory();
    } catch {
      // A link that leads nowhere.
      return false;
    }
  }
}

/** Whether links have led back to a directory that led here. */
function isLoop({ realPath, parent }: Directory): boolean {
  for (let above = parent; above !== undefined; above = above.parent) {
    if (above.realPath === realPath) return true;
  }
  return false;
}

function requireString(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(
    `Cannot use a value of type ${typeof value} as ${name}: expected a string`,
  );
}
