import type { EventStreamSettings } from "../sse/event_stream.ts";
import {
  describe,
  invalidOption,
  outOfRange,
  wrongType,
} from "./option_error.ts";

/** Headers that the server decides about. */
const OWN_HEADERS = [
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "keep-alive",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What a number may be. */
interface Bounds {
  readonly largest: number;
  readonly unit: string;
  readonly isFraction?: boolean;
}

/**
 * Resolves the options of `sse()`; null is absent.
 *
 * @throws {TypeError} If one has the wrong type, or cannot be used.
 * @throws {RangeError} If a number is out of range.
 */
export function eventStreamOptions(options: unknown): EventStreamSettings {
  if (typeof options !== "object" || options === null) {
    throw wrongType("sse options", options, "an object");
  }
  const given = options as Readonly<Record<string, unknown>>;
  const number = (option: string, fallback: number, bounds: Bounds) =>
    numberOption(option, given[option] ?? fallback, bounds);
  return Object.freeze<EventStreamSettings>({
    topic: lineOption("topic", given.topic, false),
    event: given.event === undefined || given.event === null
      ? undefined
      : lineOption("event", given.event, true),
    retry: given.retry === undefined || given.retry === null
      ? undefined
      : number("retry", 0, { largest: 2 ** 31 - 1, unit: "milliseconds" }),
    heartbeat: number("heartbeat", 15, {
      largest: 86_400,
      unit: "seconds",
      isFraction: true,
    }),
    history: number("history", 100, { largest: 10_000, unit: "messages" }),
    backpressureLimit: number("backpressureLimit", 2 ** 20, {
      largest: 2 ** 30,
      unit: "bytes",
    }),
    headers: headersOption(given.headers),
  });
}

function lineOption(option: string, value: unknown, isLine: boolean): string {
  const expected = isLine
    ? "a string that is not empty, without line breaks and NUL"
    : "a string that is not empty";
  if (typeof value !== "string") throw wrongType(option, value, expected);
  if (value === "" || isLine && /[\r\n\0]/.test(value)) {
    throw invalidOption(
      `Cannot use ${option} ${describe(value)}: expected ${expected}`,
      "ERR_INVALID_ARG_VALUE",
    );
  }
  return value;
}

function numberOption(
  option: string,
  value: unknown,
  { largest, unit, isFraction = false }: Bounds,
): number {
  const kind = isFraction ? "a number" : "an integer";
  const expected = `${kind} from 0 to ${largest} (${unit})`;
  if (typeof value !== "number") throw wrongType(option, value, expected);
  const isWithin = value >= 0 && value <= largest;
  if (isWithin && (isFraction || Number.isInteger(value))) return value;
  throw outOfRange(`Cannot use ${option} ${value}: expected ${expected}`);
}

function headersOption(value: unknown): Headers {
  const headers = new Headers(value as HeadersInit | undefined ?? {});
  for (const name of OWN_HEADERS) {
    if (!headers.has(name)) continue;
    throw invalidOption(
      `Cannot use headers with ${name}: the server decides about it`,
      "ERR_INVALID_ARG_VALUE",
    );
  }
  headers.set("content-type", "text/event-stream; charset=utf-8");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  return headers;
}
