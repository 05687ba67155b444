import { readEnvironment } from "../runtime/environment.ts";
import { outOfRange, wrongType } from "./option_error.ts";

const VARIABLES = ["JSTIME_PORT", "BUN_PORT", "PORT", "NODE_PORT"];
const DEFAULT_PORT = 3000;
const HIGHEST_PORT = 65535;
const EXPECTED = `expected an integer from 0 to ${HIGHEST_PORT}`;

/**
 * Resolves `port`: a number or its decimal digits, else the first of
 * `$JSTIME_PORT`, `$BUN_PORT`, `$PORT` and `$NODE_PORT` that holds a port,
 * else 3000. Empty text and null are absent.
 *
 * @returns 0 to 65535; 0 lets the system choose.
 * @throws {TypeError} If it is neither a number nor a string.
 * @throws {RangeError} If it is no port.
 */
export function portOption(value: unknown): number {
  if (value === undefined || value === null) return defaultPort();
  if (typeof value !== "number" && typeof value !== "string") {
    throw wrongType("port", value, "a number or a string");
  }
  if (value === "") return defaultPort();
  const port = typeof value === "number" ? value : parsePort(value.trim());
  // Adding 0 turns -0 into 0.
  if (port !== undefined && isPort(port)) return port + 0;
  const shown = typeof value === "number" ? value : JSON.stringify(value);
  throw outOfRange(`Cannot listen on port ${shown}: ${EXPECTED}`);
}

function defaultPort(): number {
  for (const variable of VARIABLES) {
    // Containers set variables such as BUN_PORT=tcp://10.0.0.7:80 when another
    // service has that name, so anything that is not a port is passed over.
    const port = parsePort(readEnvironment(variable) ?? "");
    if (port !== undefined && isPort(port)) return port;
  }
  return DEFAULT_PORT;
}

function parsePort(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= HIGHEST_PORT;
}
