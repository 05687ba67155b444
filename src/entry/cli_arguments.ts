/**
 * The command line of the `./cli` entry.
 *
 * @module
 */

import type { AddressOverrides } from "./default_export.ts";

/** What the command line asks for. */
export interface CliArguments {
  /** The module to serve, as written; empty if only help is wanted. */
  readonly module: string;
  /** Where to listen, if not where the module says. */
  readonly overrides: AddressOverrides;
  /** Reload the module when it changes. */
  readonly hot: boolean;
  /** Print the usage. */
  readonly help: boolean;
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  /** Tells it from other errors. */
  override name = "UsageError";
}

/** What the command understands. */
export const usage =
  `Serves the default export of a module: an object with fetch or routes.

Usage: deno run -A jsr:@jstime/serve/cli MODULE [OPTIONS]

Options:
  --port N       Port to listen on; 0 picks a free one
  --hostname H   Host name to listen on
  --hot          Reload handlers when a source file changes
  --help         Print this`;

/**
 * Parses command-line arguments. Values follow their option as the next
 * argument or after `=`.
 *
 * @throws {UsageError} If they make no sense.
 */
export function parseArguments(args: readonly string[]): CliArguments {
  let module = "";
  let hot = false;
  let help = false;
  const overrides: { port?: string; hostname?: string } = {};
  const waiting = [...args];
  while (waiting.length > 0) {
    const arg = waiting.shift()!;
    const [name, inline] = splitOption(arg);
    switch (name) {
      case "--port":
        overrides.port = portValue(inline ?? waiting.shift());
        break;
      case "--hostname":
        overrides.hostname = hostnameValue(inline ?? waiting.shift());
        break;
      case "--hot":
        hot = flag(name, inline);
        break;
      case "-h":
      case "--help":
        help = flag(name, inline);
        break;
      default:
        if (arg.startsWith("-")) {
          throw new UsageError(`Cannot understand option "${arg}"`);
        }
        if (module !== "") {
          throw new UsageError(
            `Cannot serve both "${module}" and "${arg}": expected one module`,
          );
        }
        module = arg;
    }
  }
  if (module === "" && !help) {
    throw new UsageError("Cannot serve: expected a module");
  }
  return { module, overrides, hot, help };
}

function splitOption(arg: string): [string, string | undefined] {
  const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return equals === -1
    ? [arg, undefined]
    : [arg.slice(0, equals), arg.slice(equals + 1)];
}

function portValue(text: string | undefined): string {
  const isPort = text !== undefined && /^[0-9]{1,5}$/.test(text) &&
    Number(text) <= 65535;
  if (isPort) return text;
  throw new UsageError(
    `Cannot listen on port ${
      text ?? "(missing)"
    }: expected an integer from 0 to 65535`,
  );
}

function hostnameValue(text: string | undefined): string {
  if (text !== undefined && text !== "" && !text.startsWith("--")) return text;
  throw new UsageError(
    `Cannot listen on hostname ${
      text || "(missing)"
    }: expected a host name or an IP address`,
  );
}

function flag(name: string, value: string | undefined): boolean {
  if (value === undefined) return true;
  throw new UsageError(
    `Cannot set ${name} to "${value}": it takes no value`,
  );
}
