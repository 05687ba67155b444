/**
 * Importing this module, once and first, prepares the globals for programs
 * written for Bun:
 *
 * - `globalThis.JSTime`, and `globalThis.Bun` where there is none: the network
 *   API and a few small shims, see {@linkcode BunNamespace};
 * - `Response` accepts async iterables and async generator functions that
 *   yield strings, text with status 204 (it is dropped, a 204 has no content),
 *   and `Response.redirect("/relative")`;
 * - `Headers.prototype.toJSON()`.
 *
 * A package may not declare types of globals. For those, write
 * `const Bun = globalThis.Bun as BunNamespace`, or import
 * `@jstime/serve/bun` instead.
 *
 * @example
 * ```ts
 * import "@jstime/serve/global";
 *
 * const response = new Response(async function* () {
 *   yield "Hello";
 * } as unknown as BodyInit);
 * console.log(await response.text()); // Hello
 * ```
 *
 * @module
 */

import { JSTime } from "../jstime.ts";
import { Bun } from "./bun_object.ts";
import { installHeadersToJson } from "./shims/headers.ts";
import { installResponse } from "./shims/response.ts";

export type { BunNamespace } from "./bun_object.ts";
export type { JSTimeNamespace } from "../jstime.ts";

installResponse();
installHeadersToJson();
define("JSTime", JSTime);
define("Bun", Bun);

/** As built-in globals are defined: not enumerable, but replaceable. */
function define(name: "JSTime" | "Bun", value: object): void {
  if (name in globalThis) return;
  Object.defineProperty(globalThis, name, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
