/**
 * Import this first in a module whose default export has `fetch` or `routes`,
 * and `deno run` serves it:
 *
 * ```ts ignore
 * import "@jstime/serve/auto";
 *
 * export default {
 *   fetch: () => new Response("Hello"),
 * };
 * ```
 *
 * It serves once the main module has been loaded. Without such a default
 * export, and in modules that are not the main module, nothing happens.
 *
 * @module
 */

import { servableDefault, serveDefault } from "./default_export.ts";

// Waiting for the main module right here would be waiting for ourselves.
setTimeout(serveMainModule);

async function serveMainModule(): Promise<void> {
  // Importing a main module that still awaits something gives it half-loaded;
  // a module that depends on it has to wait until it is whole.
  const dependant = `export * as main from ${JSON.stringify(Deno.mainModule)}`;
  const url = `data:text/javascript,${encodeURIComponent(dependant)}`;
  let main: { default?: unknown };
  try {
    ({ main } = await import(url));
  } catch {
    // The runtime reports it where it happened.
    return;
  }
  const options = servableDefault(main);
  if (options !== undefined) serveDefault(options);
}
