/**
 * The commands that exchanges have in common.
 *
 * @module
 */

import {
  COMMAND_ABORT,
  COMMAND_CHUNK,
  COMMAND_RESPOND,
  INLINE_CONTENT,
  RESPOND_CONTENT_TOKEN,
  RESPOND_END,
  RESPOND_NO_CONTENT,
  RESPOND_NOTIFY,
} from "./abi.ts";
import type { NativeExchange } from "./exchange.ts";

/**
 * Begins a command that answers.
 *
 * @param room The most bytes that follow its first four words.
 * @returns The index of its first word.
 */
export function beginAnswer(
  exchange: NativeExchange,
  command: number,
  flags: number,
  room: number,
): number {
  const { pump, connection, generation } = exchange;
  const all = exchange.isWatched ? flags | RESPOND_NOTIFY : flags;
  const kind = command | all << 8;
  return pump.commands.begin(kind, connection, generation, room);
}

/** After a command that answers whole. */
export function endAnswer(exchange: NativeExchange): void {
  const { pump } = exchange;
  pump.written();
  // It can still turn out that the client left before all was written.
  if (exchange.isWatched) pump.keep(exchange);
  else exchange.end();
}

/** Answers with a status and nothing else. */
export function sendStatus(exchange: NativeExchange, status: number): void {
  const { commands } = exchange.pump;
  const at = beginAnswer(exchange, COMMAND_RESPOND, RESPOND_NO_CONTENT, 16);
  const { words } = commands;
  words[at + 4] = status;
  words[at + 5] = 0;
  words[at + 6] = 0;
  words[at + 7] = 0;
  commands.end((at + 8) << 2);
  endAnswer(exchange);
}

/** Answers 500 instead of headers that have no place in a record. */
export function refuseHeaders(exchange: NativeExchange, length: number): void {
  console.error(
    new RangeError(
      `Cannot send the response: its headers are too large (${length} bytes)`,
    ),
  );
  sendStatus(exchange, 500);
}

/** Sends a part of a streamed response. */
export function sendChunk(
  exchange: NativeExchange,
  chunk: Uint8Array<ArrayBuffer>,
): void {
  const { pump, connection, generation } = exchange;
  const { commands } = pump;
  if (chunk.length > INLINE_CONTENT) {
    const kind = COMMAND_CHUNK | RESPOND_CONTENT_TOKEN << 8;
    const at = commands.begin(kind, connection, generation, 8);
    commands.words[at + 4] = chunk.length;
    // Those of a stream are written together.
    commands.words[at + 5] = pump.calls.lend(chunk);
    commands.end((at + 6) << 2);
  } else {
    const room = 8 + chunk.length;
    const at = commands.begin(COMMAND_CHUNK, connection, generation, room);
    commands.words[at + 4] = chunk.length;
    commands.words[at + 5] = 0;
    const start = (at + 6) << 2;
    commands.bytes.set(chunk, start);
    commands.end(start + chunk.length);
  }
  pump.wroteChunk(chunk.length > INLINE_CONTENT ? chunk.length : 0);
}

/** Ends a streamed response. */
export function sendLastChunk(exchange: NativeExchange): void {
  const { commands } = exchange.pump;
  const at = beginAnswer(exchange, COMMAND_CHUNK, RESPOND_END, 8);
  commands.words[at + 4] = 0;
  commands.words[at + 5] = 0;
  commands.end((at + 6) << 2);
  endAnswer(exchange);
}

/** Cuts the connection: a response cannot be completed. */
export function sendAbort(exchange: NativeExchange): void {
  const { pump, connection, generation } = exchange;
  const at = pump.commands.begin(COMMAND_ABORT, connection, generation, 0);
  pump.commands.end((at + 4) << 2);
  pump.written();
  exchange.end();
}
