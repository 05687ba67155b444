/**
 * Options that are a single boolean, string or number.
 *
 * @module
 */

import { readEnvironment } from "../runtime/environment.ts";
import { outOfRange, wrongType } from "./option_error.ts";

const DEFAULT_IDLE_TIMEOUT = 10;
const LONGEST_IDLE_TIMEOUT = 255;
const DEFAULT_BODY_SIZE = 128 * 1024 * 1024;

/**
 * Checks a boolean option; null is false, as in Bun.
 *
 * @throws {TypeError} If it is something else.
 */
export function booleanOption(
  option: string,
  value: unknown,
  fallback: boolean,
): boolean {
  if (value === undefined) return fallback;
  if (value === null) return false;
  if (typeof value === "boolean") return value;
  throw wrongType(option, value, "a boolean");
}

/**
 * Checks a text option; null is absent.
 *
 * @throws {TypeError} If it is something else.
 */
export function stringOption(
  option: string,
  value: unknown,
): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw wrongType(option, value, "a string");
}

/**
 * Resolves `development`: on by default unless `NODE_ENV` is `production`. An
 * object, which in Bun configures a bundler, turns it on.
 *
 * @throws {TypeError} If it is neither a boolean nor an object.
 */
export function developmentOption(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return true;
  if (value === undefined) return readEnvironment("NODE_ENV") !== "production";
  if (value === null) return false;
  if (typeof value === "boolean") return value;
  throw wrongType("development", value, "a boolean or an object");
}

/**
 * Resolves `idleTimeout` in seconds, 0 to 255; 10 by default.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is out of range or not an integer.
 */
export function idleTimeoutOption(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_IDLE_TIMEOUT;
  const expected = `an integer from 0 to ${LONGEST_IDLE_TIMEOUT} (seconds)`;
  if (typeof value !== "number") {
    throw wrongType("idleTimeout", value, expected);
  }
  if (
    Number.isInteger(value) && value >= 0 && value <= LONGEST_IDLE_TIMEOUT
  ) {
    return value;
  }
  throw outOfRange(`Cannot use idleTimeout ${value}: expected ${expected}`);
}

/**
 * Resolves `maxRequestBodySize` in bytes; 128 MiB by default.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is negative, fractional or not a number.
 */
export function bodySizeOption(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_BODY_SIZE;
  const expected = "a non-negative integer or Infinity (bytes)";
  if (typeof value !== "number") {
    throw wrongType("maxRequestBodySize", value, expected);
  }
  if (value >= 0 && (Number.isInteger(value) || value === Infinity)) {
    return value;
  }
  throw outOfRange(
    `Cannot use maxRequestBodySize ${value}: expected ${expected}`,
  );
}

/**
 * Resolves `engine`, else `$JSTIME_ENGINE`, else `auto`.
 *
 * @throws {TypeError} If it names no engine.
 */
export function engineOption(value: unknown): "auto" | "deno" | "native" {
  const isAbsent = value === undefined || value === null;
  const chosen = isAbsent ? readEnvironment("JSTIME_ENGINE") || "auto" : value;
  if (chosen === "auto" || chosen === "deno" || chosen === "native") {
    return chosen;
  }
  throw wrongType(
    isAbsent ? "JSTIME_ENGINE" : "engine",
    chosen,
    '"auto", "deno" or "native"',
  );
}
