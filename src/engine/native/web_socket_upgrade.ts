import type {
  DeflateWindow,
  WebSocketEvents,
  WebSocketPlan,
} from "../engine.ts";
import {
  COMMAND_UPGRADE,
  DEFLATE_NONE,
  DEFLATE_SHARED,
  REQUEST_UPGRADE,
  UPGRADE_CLOSE_ON_LIMIT,
  UPGRADE_DEFLATE,
  UPGRADE_SEND_PINGS,
} from "./abi.ts";
import type { NativeExchange } from "./exchange.ts";
import {
  linesLength,
  MOST_LINES,
  pairsOf,
  writeLatin1,
  writeLines,
} from "./header_lines.ts";
import { headerIn } from "./request_record.ts";
import type { NativeWebSocket } from "./web_socket.ts";

/**
 * Makes a WebSocket of an exchange that nobody has answered.
 *
 * @param headers Sent besides those of the handshake.
 * @returns undefined if the request did not ask for it, or too much was to be
 * sent with the answer.
 */
export function upgradeToWebSocket(
  exchange: NativeExchange,
  plan: WebSocketPlan,
  headers: Headers,
  events: WebSocketEvents,
): NativeWebSocket | undefined {
  const { pump, connection, generation, batch, at: request } = exchange;
  if (((batch.words[request + 1]! >>> 8) & REQUEST_UPGRADE) === 0) return;
  const key = headerIn(batch, request, "sec-websocket-key");
  if (key === null) return;
  const extensions = headerIn(batch, request, "sec-websocket-extensions") ?? "";
  const pairs = pairsOf(headers);
  const lines = linesLength(pairs);
  const length = lines + key.length + extensions.length;
  if (length > MOST_LINES) return;
  const socket = pump.openWebSocket(connection, generation, plan, events);
  const { commands } = pump;
  const kind = COMMAND_UPGRADE | flagsOf(plan) << 8;
  const at = commands.begin(kind, connection, generation, 32 + length);
  const { words, bytes } = commands;
  words[at + 4] = lines;
  words[at + 5] = key.length;
  words[at + 6] = extensions.length;
  words[at + 7] = plan.maxPayloadLength;
  words[at + 8] = plan.backpressureLimit;
  words[at + 9] = plan.idleTimeout * 1_000;
  words[at + 10] = windowOf(plan.deflate?.compress ?? "disable");
  words[at + 11] = windowOf(plan.deflate?.decompress ?? "shared");
  let end = writeLines(bytes, (at + 12) << 2, pairs);
  end = writeLatin1(bytes, end, key);
  commands.end(writeLatin1(bytes, end, extensions));
  pump.written();
  return socket;
}

function flagsOf(plan: WebSocketPlan): number {
  return (plan.closeOnBackpressureLimit ? UPGRADE_CLOSE_ON_LIMIT : 0) |
    (plan.sendPings ? UPGRADE_SEND_PINGS : 0) |
    (plan.deflate === undefined ? 0 : UPGRADE_DEFLATE);
}

function windowOf(window: DeflateWindow): number {
  if (window === "disable") return DEFLATE_NONE;
  return window === "shared" ? DEFLATE_SHARED : window;
}
