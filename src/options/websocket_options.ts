/**
 * The `websocket` option: handlers, and limits.
 *
 * @module
 */

import type {
  DeflatePlan,
  DeflateWindow,
  PublishPolicy,
  WebSocketPlan,
} from "../engine/engine.ts";
import type { WebSocketHandler } from "../websocket/types.ts";
import { describe, outOfRange, wrongType } from "./option_error.ts";
import { topicsOption } from "./publish_options.ts";
import { booleanOption } from "./simple_options.ts";

const MEBIBYTE = 1024 * 1024;
const DEFAULT_LIMIT = 16 * MEBIBYTE;
const LARGEST_LIMIT = 2 ** 32 - 1;
const DEFAULT_IDLE_TIMEOUT = 120;
const SHORTEST_IDLE_TIMEOUT = 8;
const LONGEST_IDLE_TIMEOUT = 960;

const HANDLERS = [
  "open",
  "message",
  "close",
  "drain",
  "ping",
  "pong",
  "error",
] as const;

/** The handlers of a server's WebSockets, as they were when it started. */
export type WebSocketHandlers = Pick<
  // deno-lint-ignore no-explicit-any -- handlers know what their data is
  WebSocketHandler<any>,
  typeof HANDLERS[number]
>;

/** The `websocket` option, checked and frozen. */
export interface WebSocketServerPlan {
  /** What happens to sockets. */
  readonly handlers: WebSocketHandlers;
  /** What the engine needs to know. */
  readonly socket: WebSocketPlan;
  /** `socket.publish` reaches the socket itself too. */
  readonly publishToSelf: boolean;
  /** By topic, where it is not "drop-newest". */
  readonly policies: ReadonlyMap<string, PublishPolicy>;
}

/**
 * Resolves `websocket`; null is absent.
 *
 * @throws {TypeError} If it or one of its members has the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function webSocketOption(
  value: unknown,
): WebSocketServerPlan | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" && typeof value !== "function") {
    throw wrongType("websocket", value, "an object");
  }
  const options = value as Readonly<Record<string, unknown>>;
  const flag = (name: string, fallback: boolean): boolean =>
    booleanOption(`websocket.${name}`, options[name] ?? undefined, fallback);
  return Object.freeze<WebSocketServerPlan>({
    handlers: handlersOf(options),
    socket: Object.freeze<WebSocketPlan>({
      maxPayloadLength: limitOption(
        "maxPayloadLength",
        options.maxPayloadLength,
      ),
      backpressureLimit: limitOption(
        "backpressureLimit",
        options.backpressureLimit,
      ),
      closeOnBackpressureLimit: flag("closeOnBackpressureLimit", false),
      idleTimeout: idleTimeoutOption(options.idleTimeout),
      sendPings: flag("sendPings", true),
      deflate: deflateOption(options.perMessageDeflate),
    }),
    publishToSelf: flag("publishToSelf", false),
    policies: topicsOption(options.topics),
  });
}

function handlersOf(
  options: Readonly<Record<string, unknown>>,
): WebSocketHandlers {
  const handlers: Record<string, unknown> = {};
  for (const name of HANDLERS) {
    const handler = options[name];
    if (handler === undefined || handler === null) continue;
    if (typeof handler !== "function") {
      throw wrongType(`websocket.${name}`, handler, "a function");
    }
    handlers[name] = handler;
  }
  return Object.freeze(handlers) as WebSocketHandlers;
}

/** Larger values mean the largest, as Bun documents it. */
function limitOption(name: string, value: unknown): number {
  const bytes = integerOption(name, value, DEFAULT_LIMIT, LARGEST_LIMIT);
  if (bytes >= 0) return Math.min(bytes, LARGEST_LIMIT);
  throw outOfRange(
    `Cannot use websocket.${name} ${bytes}: expected an integer from 0 to ${LARGEST_LIMIT} (bytes)`,
  );
}

function idleTimeoutOption(value: unknown): number {
  const seconds = integerOption(
    "idleTimeout",
    value,
    DEFAULT_IDLE_TIMEOUT,
    LONGEST_IDLE_TIMEOUT,
  );
  if (seconds === 0) return 0;
  if (seconds > 0 && seconds <= LONGEST_IDLE_TIMEOUT) {
    return Math.max(seconds, SHORTEST_IDLE_TIMEOUT);
  }
  throw outOfRange(
    `Cannot use websocket.idleTimeout ${seconds}: expected an integer from 0 to ${LONGEST_IDLE_TIMEOUT} (seconds)`,
  );
}

function integerOption(
  name: string,
  value: unknown,
  fallback: number,
  largest: number,
): number {
  if (value === undefined || value === null) return fallback;
  const expected = `an integer from 0 to ${largest}`;
  if (typeof value !== "number") {
    throw wrongType(`websocket.${name}`, value, expected);
  }
  if (Number.isInteger(value)) return value;
  throw outOfRange(
    `Cannot use websocket.${name} ${value}: expected ${expected}`,
  );
}

/** Bytes of window by name; what both directions say "dedicated" differs in. */
const WINDOWS: Readonly<Record<string, DeflateWindow>> = {
  disable: "disable",
  shared: "shared",
  ...Object.fromEntries(
    [3, 4, 8, 16, 32, 64, 128, 256].map((size) => [`${size}KB`, size * 1024]),
  ),
};
const LARGEST_COMPRESSOR = 256 * 1024;
const LARGEST_DECOMPRESSOR = 32 * 1024;

function deflateOption(value: unknown): DeflatePlan | undefined {
  if (value === undefined || value === null || value === false) {
    return undefined;
  }
  if (value === true) return { compress: "shared", decompress: "shared" };
  if (typeof value !== "object") {
    throw wrongType(
      "websocket.perMessageDeflate",
      value,
      "a boolean or an object",
    );
  }
  const options = value as Readonly<Record<string, unknown>>;
  const compress = windowOption(
    "compress",
    options.compress,
    LARGEST_COMPRESSOR,
  );
  const decompress = windowOption(
    "decompress",
    options.decompress,
    LARGEST_DECOMPRESSOR,
  );
  const isOff = (window: DeflateWindow | undefined) =>
    window === undefined || window === "disable";
  if (isOff(compress) && isOff(decompress)) return undefined;
  return {
    // One direction alone turns the extension on, and the other shares.
    compress: compress ?? "shared",
    // Nothing can keep a client from compressing once that is negotiated.
    decompress: decompress === undefined || decompress === "disable"
      ? "shared"
      : decompress,
  };
}

function windowOption(
  name: "compress" | "decompress",
  value: unknown,
  largest: number,
): DeflateWindow | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === true) return "shared";
  if (value === false) return "disable";
  if (value === "dedicated") return largest;
  const window = typeof value === "string" && Object.hasOwn(WINDOWS, value)
    ? WINDOWS[value]
    : undefined;
  if (window === undefined) {
    throw wrongType(
      `websocket.perMessageDeflate.${name}`,
      value,
      `a boolean, "dedicated" or one of ${
        Object.keys(WINDOWS).map(describe).join(", ")
      }`,
    );
  }
  return typeof window === "number" ? Math.min(window, largest) : window;
}
