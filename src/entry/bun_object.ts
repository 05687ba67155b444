/**
 * The `Bun` object: the network API and the shims that servers written for Bun
 * commonly need. What is not listed here does not exist.
 *
 * @module
 */

import process from "node:process";
import { JSTime, type JSTimeNamespace } from "../jstime.ts";
import { CryptoHasher } from "./shims/crypto_hasher.ts";
import { gc } from "./shims/gc.ts";
import { Glob } from "./shims/glob.ts";
import { type Semver, semver } from "./shims/semver.ts";
import { sleep } from "./shims/sleep.ts";
import { write } from "./shims/write.ts";

/** What the {@linkcode Bun} object holds. */
export interface BunNamespace extends JSTimeNamespace {
  /** The environment, as `process.env`. */
  readonly env: typeof process.env;
  /** The version of Bun whose network API this follows. */
  readonly version: string;
  /** Asks for garbage collection. */
  readonly gc: typeof gc;
  /** Replaces the content of a file. */
  readonly write: typeof write;
  /** Waits. */
  readonly sleep: typeof sleep;
  /** Compares versions. */
  readonly semver: Semver;
  /** Finds paths that match a pattern. */
  readonly Glob: typeof Glob;
  /** Hashes data. */
  readonly CryptoHasher: typeof CryptoHasher;
}

/** The version of Bun whose network API this follows. */
export const version = "1.4.5";

/** The environment, as `process.env`. */
export const env: typeof process.env = process.env;

/**
 * The `Bun` object, for code that writes `Bun.serve`.
 *
 * @example
 * ```ts
 * import Bun from "@jstime/serve/bun";
 *
 * const server = Bun.serve({ port: 0, fetch: () => new Response("Hello") });
 * await server.stop();
 * ```
 */
export const Bun: BunNamespace = {
  ...JSTime,
  env,
  version,
  gc,
  write,
  sleep,
  semver,
  Glob,
  CryptoHasher,
};
