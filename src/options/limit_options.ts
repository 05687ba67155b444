/**
 * The `limits` option, and what bounds the requests that wait.
 *
 * @module
 */

import type { HttpLimits } from "../engine/engine.ts";
import { outOfRange, wrongType } from "./option_error.ts";

/** What holds where `limits` says nothing. */
export const DEFAULT_LIMITS: HttpLimits = Object.freeze<HttpLimits>({
  headBytes: 64 * 1024,
  headerCount: 128,
  targetBytes: 16 * 1024,
  connections: 65_536,
  headTimeout: 30,
  contentRate: 500,
});

const DEFAULT_PENDING_REQUESTS = 10_000;
const LARGEST_COUNT = 2 ** 32 - 1;
const LONGEST_TIME = 24 * 60 * 60;

/** The numbers that a limit may be, and what they count. */
interface Bounds {
  readonly smallest: number;
  readonly largest: number;
  readonly unit: string;
  /** Fractions are fine, too. */
  readonly isFraction?: boolean;
}

const BOUNDS: Readonly<Record<keyof HttpLimits, Bounds>> = {
  headBytes: { smallest: 1_024, largest: 256 * 1024, unit: "bytes" },
  headerCount: { smallest: 1, largest: 1_024, unit: "fields" },
  targetBytes: { smallest: 1, largest: 65_535, unit: "bytes" },
  connections: { smallest: 1, largest: 2 ** 18, unit: "connections" },
  headTimeout: {
    smallest: 0,
    largest: LONGEST_TIME,
    unit: "seconds",
    isFraction: true,
  },
  contentRate: {
    smallest: 0,
    largest: LARGEST_COUNT,
    unit: "bytes per second",
  },
};

/**
 * Resolves `limits`; null is absent, and unknown members are ignored.
 *
 * @throws {TypeError} If it is no object, or a member no number.
 * @throws {RangeError} If a number is out of range.
 */
export function limitsOption(value: unknown): HttpLimits {
  if (value === undefined || value === null) return DEFAULT_LIMITS;
  if (typeof value !== "object") {
    throw wrongType("limits", value, "an object");
  }
  const given = value as Readonly<Record<string, unknown>>;
  const limit = (name: keyof HttpLimits): number =>
    numberWithin(
      `limits.${name}`,
      given[name] ?? DEFAULT_LIMITS[name],
      BOUNDS[name],
    );
  return Object.freeze<HttpLimits>({
    headBytes: limit("headBytes"),
    headerCount: limit("headerCount"),
    targetBytes: limit("targetBytes"),
    connections: limit("connections"),
    headTimeout: limit("headTimeout"),
    contentRate: limit("contentRate"),
  });
}

/**
 * Resolves `maxPendingRequests`; 10,000 by default. `Infinity` becomes the
 * largest count that an engine can take.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is not positive or not an integer.
 */
export function pendingRequestsOption(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_PENDING_REQUESTS;
  const expected = "a positive integer or Infinity";
  if (typeof value !== "number") {
    throw wrongType("maxPendingRequests", value, expected);
  }
  if (value > 0 && (Number.isInteger(value) || value === Infinity)) {
    return Math.min(value, LARGEST_COUNT);
  }
  throw outOfRange(
    `Cannot use maxPendingRequests ${value}: expected ${expected}`,
  );
}

/** A time in seconds, up to a day; it must not be 0. */
export function durationOption(option: string, value: unknown): number {
  const expected = `a positive number up to ${LONGEST_TIME} (seconds)`;
  if (typeof value !== "number") throw wrongType(option, value, expected);
  if (value > 0 && value <= LONGEST_TIME) return value;
  throw outOfRange(`Cannot use ${option} ${value}: expected ${expected}`);
}

function numberWithin(
  option: string,
  value: unknown,
  { smallest, largest, unit, isFraction = false }: Bounds,
): number {
  const kind = isFraction ? "a number" : "an integer";
  const expected = `${kind} from ${smallest} to ${largest} (${unit})`;
  if (typeof value !== "number") throw wrongType(option, value, expected);
  if (
    value >= smallest && value <= largest &&
    (isFraction || Number.isInteger(value))
  ) {
    return value;
  }
  throw outOfRange(`Cannot use ${option} ${value}: expected ${expected}`);
}
