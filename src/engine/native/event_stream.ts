import type {
  EngineEventStream,
  EventStreamEvents,
  EventStreamPlan,
} from "../engine.ts";
import {
  COMMAND_EVENT,
  COMMAND_EVENT_STREAM,
  INLINE_CONTENT,
  REQUEST_EVENT_STREAM,
  RESPOND_CONTENT_TOKEN,
} from "./abi.ts";
import { sendStreamHead } from "./answer.ts";
import { sendChunk, sendLastChunk } from "./commands.ts";
import type { NativeExchange } from "./exchange.ts";
import { linesLength, MOST_LINES, pairsOf } from "./header_lines.ts";
import type { Pump } from "./pump.ts";
import type { StreamedContent } from "./stream_sender.ts";
import { encodeText, writeText } from "./text.ts";

/** The most receivers of one record. */
const MOST_RECEIVERS = 8192;

/** Bytes of a receiver in a record. */
const RECEIVER_BYTES = 8;

/** The largest number that a word can carry. */
const LARGEST_WORD = 0xffff_ffff;

/** One event stream on an I/O thread. */
class NativeEventStream implements EngineEventStream, StreamedContent {
  context: unknown = undefined;
  /** The thread that it is on. */
  readonly pump: Pump;
  /** Its connection. */
  readonly connection: number;
  /** Tells it from other answers of the connection. */
  readonly generation: number;
  readonly #exchange: NativeExchange;
  readonly #events: EventStreamEvents;
  /** No more events, and nothing is sent: either side has ended it. */
  isOver = false;

  constructor(exchange: NativeExchange, events: EventStreamEvents) {
    this.pump = exchange.pump;
    this.connection = exchange.connection;
    this.generation = exchange.generation;
    this.#exchange = exchange;
    this.#events = events;
  }

  send(text: string, size: number): boolean {
    return sendEvent([this], text, size);
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    sendLastChunk(this.#exchange);
  }

  /** The thread counts for itself. */
  wrote(): void {}

  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#events.left(this);
  }
}

/** See `Exchange.openEventStream`. */
export function openEventStream(
  exchange: NativeExchange,
  plan: EventStreamPlan,
  headers: Headers,
  first: string,
  events: EventStreamEvents,
): EngineEventStream | undefined {
  const { batch, at: request } = exchange;
  const flags = batch.words[request + 1]! >>> 8;
  if ((flags & REQUEST_EVENT_STREAM) === 0) return undefined;
  const pairs = pairsOf(headers);
  const lines = linesLength(pairs);
  if (lines > MOST_LINES) return undefined;
  const { pump, connection, generation } = exchange;
  const { commands } = pump;
  pump.forgetBlocked(connection);
  sendStreamHead(exchange, 200, pairs, lines, undefined);
  const at = commands.begin(COMMAND_EVENT_STREAM, connection, generation, 8);
  commands.words[at + 4] = Math.min(plan.heartbeat * 1_000, LARGEST_WORD);
  commands.words[at + 5] = Math.min(plan.backpressureLimit, LARGEST_WORD);
  commands.end((at + 6) << 2);
  sendChunk(exchange, encodeText(first));
  const stream = new NativeEventStream(exchange, events);
  exchange.stream(stream);
  return stream;
}

/** See `Engine.sendEvent`. */
export function sendEvent(
  streams: readonly EngineEventStream[],
  text: string,
  size: number,
): boolean {
  let isWaiting = false;
  let left = streams as readonly NativeEventStream[];
  while (left.length > 0) {
    const { pump } = left[0]!;
    const others: NativeEventStream[] = [];
    for (let start = 0; start < left.length; start += MOST_RECEIVERS) {
      const piece = left.length > MOST_RECEIVERS
        ? left.slice(start, start + MOST_RECEIVERS)
        : left;
      if (sendPiece(pump, piece, text, size, others)) isWaiting = true;
    }
    left = others;
  }
  return isWaiting;
}

/** Sends to those on one thread; whether any has to wait. */
function sendPiece(
  pump: Pump,
  streams: readonly NativeEventStream[],
  text: string,
  size: number,
  others: NativeEventStream[],
): boolean {
  const { commands } = pump;
  const isLent = size > INLINE_CONTENT;
  const kind = COMMAND_EVENT | (isLent ? RESPOND_CONTENT_TOKEN << 8 : 0);
  const room = 12 + streams.length * RECEIVER_BYTES + (isLent ? 0 : size);
  const at = commands.begin(kind, 0, 0, room);
  const { words, bytes } = commands;
  const first = at + 7;
  let next = first;
  let isWaiting = false;
  for (const stream of streams) {
    if (stream.pump !== pump) {
      others.push(stream);
      continue;
    }
    if (stream.isOver) continue;
    const { connection } = stream;
    if (pump.isBlocked(connection)) isWaiting = true;
    words[next] = connection;
    words[next + 1] = stream.generation;
    next += 2;
  }
  // What was begun and does not end never was.
  if (next === first) return false;
  words[at + 4] = size;
  words[at + 5] = isLent ? pump.calls.lend(encodeText(text)) : 0;
  words[at + 6] = (next - first) >> 1;
  commands.end(isLent ? next << 2 : writeText(bytes, next << 2, text));
  pump.wroteMore(isLent ? size : 0);
  return isWaiting || commands.isWaiting;
}
