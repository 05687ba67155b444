/**
 * What the bare specifier `"bun"` maps to, so that a server file written for
 * Bun runs unchanged:
 *
 * ```json
 * { "imports": { "bun": "jsr:@jstime/serve/bun" } }
 * ```
 *
 * It has the names of the network API, their types under Bun's names, and a
 * few small shims: `env`, `version`, `gc`, `write`, `sleep`,
 * `semver.satisfies`, `Glob` and `CryptoHasher`. Nothing else of Bun is here.
 * Globals are left alone; import `@jstime/serve/global` for those.
 *
 * @example
 * ```ts
 * import { file, serve } from "@jstime/serve/bun";
 *
 * const server = serve({
 *   port: 0,
 *   fetch: () => new Response(file("README.md")),
 * });
 * await server.stop();
 * ```
 *
 * @module
 */

import type { JSTimeFile } from "../file/jstime_file.ts";
import type { JSTimeRequest } from "../serve_types.ts";

export * from "../../mod.ts";
export {
  Bun as default,
  type BunNamespace,
  env,
  version,
} from "./bun_object.ts";
export { CryptoHasher, type DigestEncoding } from "./shims/crypto_hasher.ts";
export { gc } from "./shims/gc.ts";
export { Glob, type GlobScanOptions } from "./shims/glob.ts";
export { type Semver, semver } from "./shims/semver.ts";
export { sleep } from "./shims/sleep.ts";
export { write, type WriteOptions } from "./shims/write.ts";

/**
 * The request that a route handler receives.
 *
 * @typeParam Path The route's pattern.
 */
export type BunRequest<Path extends string = string> = JSTimeRequest<Path>;

/** A file as a lazy `Blob`. */
export type BunFile = JSTimeFile;
