/**
 * The helper's library: opened when somebody needs it, closed when nobody does,
 * so that its descriptors and memory go back.
 *
 * @module
 */

import { ABI } from "./abi.ts";
import { type Helper, type HelperLibrary, symbols } from "./symbols.ts";

/** A library that is on disk and has been found to be the right one. */
export class SharedLibrary {
  readonly #path: string;
  #library: HelperLibrary | undefined;
  #users = 0;

  /** @param path Where it is; it is opened by the first `acquire`. */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The functions of the library, until `release` is called as often.
   *
   * @throws {Error} If it cannot be opened, or has another ABI.
   */
  acquire(): Helper {
    const library = this.#library ??= openLibrary(this.#path);
    this.#users++;
    return library.symbols;
  }

  /** The functions, to be used between `acquire` and `release` only. */
  get functions(): Helper {
    if (this.#library === undefined) throw new Error("The library is closed");
    return this.#library.symbols;
  }

  /**
   * Gives back what `acquire` gave. None of its functions may run any more:
   * closing takes their code away.
   */
  release(): void {
    if (--this.#users > 0) return;
    this.#library?.close();
    this.#library = undefined;
  }
}

function openLibrary(path: string): HelperLibrary {
  const library = Deno.dlopen(path, symbols);
  const abi = library.symbols.jstime_abi();
  if (abi === ABI) return library;
  library.close();
  throw new Error(`Cannot load ${path}: its ABI is ${abi}, expected ${ABI}`);
}
