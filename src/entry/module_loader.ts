/**
 * Loads a module again and again, each time with the present text of every
 * local module that it imports.
 *
 * Modules are cached by URL for the life of the process. So each load after
 * the first marks the URLs of local modules with its number while they are
 * resolved, which also tells which files the module consists of. Installed
 * packages, remote modules and this package itself stay as they are.
 *
 * @module
 */

import * as nodeModule from "node:module";

interface Resolution {
  url: string;
}

type ResolveHook = (
  specifier: string,
  context: unknown,
  next: (specifier: string, context: unknown) => Resolution,
) => Resolution;

type RegisterHooks = (hooks: { resolve: ResolveHook }) => unknown;

/** Modules of this package hold the running server. */
const OWN_PACKAGE = new URL("../../", import.meta.url).href;
const OWN_SOURCES = ["src/", "mod.ts"].map((path) => OWN_PACKAGE + path);

/** Loads one module repeatedly. */
export class ModuleLoader {
  readonly #url: string;
  readonly #files = new Set<string>();
  readonly #followsImports: boolean;
  #loads = 0;

  /**
   * Loads nothing yet.
   *
   * @param url The URL of the module.
   */
  constructor(url: string) {
    this.#url = url;
    const { registerHooks } = nodeModule as { registerHooks?: RegisterHooks };
    this.#followsImports = registerHooks !== undefined;
    registerHooks?.({
      resolve: (specifier, context, next) =>
        this.#mark(next(specifier, context)),
    });
    this.#addFile(url);
  }

  /** Whether imported modules are reloaded too, or only the module itself. */
  get followsImports(): boolean {
    return this.#followsImports;
  }

  /** The URLs of all local modules that have been loaded so far. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /**
   * Loads the module with its present text.
   *
   * @throws {Error} Whatever it throws, or why it cannot be loaded.
   */
  async load(): Promise<{ default?: unknown }> {
    const count = this.#loads++;
    return await import(
      this.#followsImports ? this.#url : withMark(this.#url, count)
    );
  }

  #mark(resolution: Resolution): Resolution {
    if (!this.#addFile(resolution.url)) return resolution;
    return {
      ...resolution,
      url: withMark(resolution.url, this.#loads - 1),
    };
  }

  #addFile(url: string): boolean {
    if (!isReloadable(url)) return false;
    this.#files.add(url.replace(/[?#].*$/s, ""));
    return true;
  }
}

function isReloadable(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") &&
    !OWN_SOURCES.some((own) => url.startsWith(own));
}

/** The first load goes unmarked, so that URLs look as everybody expects. */
function withMark(url: string, count: number): string {
  if (count === 0) return url;
  return `${url}${url.includes("?") ? "&" : "?"}reload=${count}`;
}
