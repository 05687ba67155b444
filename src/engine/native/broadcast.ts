/**
 * Sends one message to many sockets.
 *
 * @module
 */

import type { EngineWebSocket, Publication } from "../engine.ts";
import {
  COMMAND_SEND_MANY,
  INLINE_CONTENT,
  RESPOND_CONTENT_TOKEN,
} from "./abi.ts";
import type { Pump } from "./pump.ts";
import { MOST_BYTES, writeText } from "./text.ts";
import { topicKey } from "./topic_key.ts";
import {
  DROPPED,
  type NativeWebSocket,
  policyFlag,
  sendFlags,
  toBytes,
  WAITS,
  writePayload,
} from "./web_socket.ts";

/** The most receivers of one record. */
const MOST_RECEIVERS = 8192;

/** Bytes of a receiver in a record. */
const RECEIVER_BYTES = 8;

/** What is sent, and what became of it. */
interface Broadcast {
  readonly data: string | Uint8Array<ArrayBuffer>;
  /** The number of its bytes. */
  readonly size: number;
  readonly flags: number;
  /** The I/O thread makes room for it. */
  readonly takesBack: boolean;
  /** For what makes room by topic. */
  readonly topic: string | undefined;
  isDropped: boolean;
  isWaiting: boolean;
  /** Sockets that were not sent it. */
  readonly dropped: NativeWebSocket[];
}

/** See `Engine.broadcast`. */
export function broadcast(
  sockets: readonly EngineWebSocket[],
  data: string | Uint8Array<ArrayBuffer>,
  compress: boolean,
  size: number,
  publication?: Publication,
): number {
  const policy = publication?.policy;
  const takesBack = policy === "drop-oldest" || policy === "latest";
  const flag = takesBack ? policyFlag(policy) : 0;
  const message: Broadcast = {
    data,
    size,
    flags: sendFlags(data, compress) | flag,
    takesBack,
    topic: policy === "latest" ? topicKey(publication!.topic) : undefined,
    isDropped: false,
    isWaiting: false,
    dropped: [],
  };
  let left = sockets as readonly NativeWebSocket[];
  if (takesBack) left.every((socket) => socket.catchUp());
  while (left.length > 0) left = sendOnThread(left[0]!.pump, left, message);
  // This may run programs, which may send.
  const isCut = policy === "disconnect" ? true : undefined;
  for (const socket of message.dropped) socket.overflow(isCut);
  if (message.isDropped) return 0;
  return message.isWaiting ? -1 : size;
}

/** Sends to the sockets on one thread; returns the others. */
function sendOnThread(
  pump: Pump,
  sockets: readonly NativeWebSocket[],
  message: Broadcast,
): readonly NativeWebSocket[] {
  const others: NativeWebSocket[] = [];
  for (let start = 0; start < sockets.length; start += MOST_RECEIVERS) {
    const end = Math.min(start + MOST_RECEIVERS, sockets.length);
    sendPiece(pump, sockets, start, end, message, others);
  }
  return others;
}

function sendPiece(
  pump: Pump,
  sockets: readonly NativeWebSocket[],
  start: number,
  end: number,
  message: Broadcast,
  others: NativeWebSocket[],
): void {
  const { commands } = pump;
  const { data, size, flags } = message;
  const isLent = size > INLINE_CONTENT;
  const kind = COMMAND_SEND_MANY |
    (isLent ? flags | RESPOND_CONTENT_TOKEN : flags) << 8;
  const room = 16 + (end - start) * RECEIVER_BYTES + (isLent ? 0 : size) +
    (message.topic?.length ?? 0) * MOST_BYTES;
  const at = commands.begin(kind, 0, 0, room);
  const { words, bytes } = commands;
  const first = at + 7;
  let next = first;
  for (let index = start; index < end; index++) {
    const socket = sockets[index]!;
    if (socket.pump !== pump) {
      others.push(socket);
      continue;
    }
    const status = socket.admit(size, message.takesBack);
    if (status === DROPPED) {
      message.isDropped = true;
      message.dropped.push(socket);
      continue;
    }
    if (status === WAITS) message.isWaiting = true;
    words[next] = socket.connection;
    words[next + 1] = socket.generation;
    next += 2;
  }
  // What was begun and does not end never was.
  if (next === first) return;
  words[at + 4] = size;
  words[at + 5] = isLent ? pump.calls.lend(toBytes(data)) : 0;
  words[at + 6] = (next - first) >> 1;
  let last = next << 2;
  if (message.topic !== undefined) {
    last = writeText(bytes, last + 4, message.topic);
    words[next] = last - (next << 2) - 4;
  }
  commands.end(isLent ? last : writePayload(bytes, last, data));
  pump.wroteMore(isLent ? size : 0);
}
