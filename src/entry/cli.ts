/**
 * Serves the default export of a module.
 *
 * ```sh
 * deno run -A jsr:@jstime/serve/cli server.ts --port 8080 --hot
 * ```
 *
 * - `--port N` and `--hostname H` take precedence over what the module says;
 * - `--hot` reloads the handlers when a local source file changes. Connections
 *   and requests in flight go on, and a version that cannot be loaded leaves
 *   the old handlers in place. The address stays as it was.
 *
 * SIGINT and SIGTERM stop gracefully; a second one cuts what is in flight. The
 * exit code is 0 after that, 1 if the module cannot be served, 2 if the
 * command line makes no sense.
 *
 * @example
 * ```ts
 * import { main } from "@jstime/serve/cli";
 *
 * await main(["--help"]);
 * ```
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import type { Server } from "../server.ts";
import {
  type CliArguments,
  parseArguments,
  usage,
  UsageError,
} from "./cli_arguments.ts";
import {
  NothingToServeError,
  requireServable,
  serveDefault,
} from "./default_export.ts";
import { HotReload } from "./hot_reload.ts";

/**
 * Runs the command.
 *
 * @param args Command-line arguments, without the program.
 * @returns The exit code once the command has failed or printed its help;
 * undefined while it serves.
 */
export async function main(
  args: readonly string[],
): Promise<number | undefined> {
  try {
    const settings = parseArguments(args);
    if (settings.help) {
      console.log(usage);
      return 0;
    }
    await start(settings);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage}`);
      return 2;
    }
    // Where that happened in here helps nobody.
    console.error(error instanceof NothingToServeError ? error.message : error);
    return 1;
  }
}

async function start(settings: CliArguments): Promise<void> {
  const url = moduleUrl(settings.module);
  const hotReload = settings.hot ? new HotReload(url) : undefined;
  try {
    const module = await (hotReload?.load() ?? import(url));
    const options = requireServable(module, url);
    const server = serveDefault(options, settings.overrides);
    hotReload?.attach(server);
    stopOnSignals(server, hotReload);
  } catch (error) {
    hotReload?.[Symbol.dispose]();
    throw error;
  }
}

/** Paths are relative to the working directory; URLs stay what they are. */
function moduleUrl(module: string): string {
  // One letter before a colon is a drive, not a scheme.
  return /^[a-z][a-z0-9+.-]+:/i.test(module)
    ? module
    : pathToFileURL(resolve(module)).href;
}

function stopOnSignals(
  server: Server,
  hotReload: HotReload | undefined,
): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  let isStopping = false;
  const stop = async () => {
    hotReload?.[Symbol.dispose]();
    const force = isStopping;
    isStopping = true;
    await server.stop(force);
    Deno.exit(0);
  };
  for (const signal of signals) Deno.addSignalListener(signal, stop);
}

if (import.meta.main) {
  const code = await main(Deno.args);
  if (code !== undefined) Deno.exit(code);
}
