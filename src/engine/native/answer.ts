/**
 * Turns what the facade answers into commands for the I/O thread.
 *
 * @module
 */

import { OpenFileSource } from "../open_file_source.ts";
import type {
  Answer,
  ByteSource,
  FileAnswer,
  StreamAnswer,
} from "../engine.ts";
import {
  COMMAND_RESPOND_FILE,
  COMMAND_RESPOND_STREAM,
  RESPOND_LENGTH_KNOWN,
} from "./abi.ts";
import { ClientGoneError } from "./client_gone.ts";
import { beginAnswer, endAnswer, refuseHeaders } from "./commands.ts";
import type { NativeExchange } from "./exchange.ts";
import {
  type HeaderPair,
  linesLength,
  MOST_LINES,
  pairsOf,
  writeLines,
} from "./header_lines.ts";
import { NativeOpenFile } from "./open_file.ts";
import { sendResponse } from "./response.ts";
import { StreamSender } from "./stream_sender.ts";

const { Response } = globalThis;

const TWO_POWER_32 = 2 ** 32;

/** Sends an answer to the client of `exchange`, which has none so far. */
export function sendAnswer(exchange: NativeExchange, answer: Answer): void {
  if (answer instanceof Response) sendResponse(exchange, answer);
  else if (answer.kind === "file") sendFile(exchange, answer);
  else sendStream(exchange, answer);
}

/** Lets go of an answer that nobody will get. */
export function discard(answer: Answer): void {
  if (answer instanceof Response) return;
  if (answer.kind === "file") answer.file.close();
  else answer.source.cancel(new ClientGoneError());
}

function sendFile(exchange: NativeExchange, answer: FileAnswer): void {
  const { file, status, headers, start, end } = answer;
  if (!(file instanceof NativeOpenFile)) {
    return sendForeignFile(exchange, answer);
  }
  const pairs = pairsOf(headers);
  const lines = linesLength(pairs);
  if (lines > MOST_LINES) {
    file.close();
    return refuseHeaders(exchange, lines);
  }
  const { commands } = exchange.pump;
  const at = beginAnswer(exchange, COMMAND_RESPOND_FILE, 0, 32 + lines);
  const { words, bytes } = commands;
  words[at + 4] = status;
  words[at + 5] = lines;
  words[at + 6] = file.spend();
  words[at + 7] = 0;
  writeWide(words, at + 8, start);
  writeWide(words, at + 10, end);
  commands.end(writeLines(bytes, (at + 12) << 2, pairs));
  endAnswer(exchange);
}

/** Sends a file that the helper has not opened. */
function sendForeignFile(exchange: NativeExchange, answer: FileAnswer): void {
  const { file, status, headers, start, end, headOnly } = answer;
  headers.set("content-length", String(end - start));
  const content = new OpenFileSource(file, start, end);
  const source = headOnly ? withoutContent(content) : content;
  sendStream(exchange, { kind: "stream", status, headers, source });
}

/** A source of nothing, which lets go of another. */
function withoutContent(source: ByteSource): ByteSource {
  source.cancel(undefined);
  return { read: () => Promise.resolve(undefined), cancel: () => {} };
}

function sendStream(exchange: NativeExchange, answer: StreamAnswer): void {
  const { status, headers, source } = answer;
  const declared = headers.get("content-length");
  const pairs = pairsOf(headers).filter(isNoLength);
  const lines = linesLength(pairs);
  if (lines > MOST_LINES) {
    source.cancel(new RangeError("Cannot send the response: too many headers"));
    return refuseHeaders(exchange, lines);
  }
  const length = declared !== null && /^\d{1,15}$/.test(declared)
    ? Number(declared)
    : undefined;
  sendStreamHead(exchange, status, pairs, lines, length);
  const isHead = exchange.request.method === "HEAD";
  const sender = new StreamSender(
    exchange,
    source,
    isHead ? undefined : length,
  );
  exchange.stream(sender);
  sender.run();
}

/**
 * Begins a streamed answer.
 *
 * @param lines What `linesLength` says of `pairs`: at most `MOST_LINES`.
 * @param length Of the content, if it is known.
 */
export function sendStreamHead(
  exchange: NativeExchange,
  status: number,
  pairs: readonly HeaderPair[],
  lines: number,
  length: number | undefined,
): void {
  const { commands } = exchange.pump;
  const flags = length === undefined ? 0 : RESPOND_LENGTH_KNOWN;
  const at = beginAnswer(exchange, COMMAND_RESPOND_STREAM, flags, 16 + lines);
  const { words, bytes } = commands;
  words[at + 4] = status;
  words[at + 5] = lines;
  writeWide(words, at + 6, length ?? 0);
  commands.end(writeLines(bytes, (at + 8) << 2, pairs));
  exchange.pump.wroteChunk(0);
}

function isNoLength([name]: HeaderPair): boolean {
  return name.length !== 14 || name.toLowerCase() !== "content-length";
}

function writeWide(words: Uint32Array, at: number, value: number): void {
  words[at] = value % TWO_POWER_32;
  words[at + 1] = Math.floor(value / TWO_POWER_32);
}
