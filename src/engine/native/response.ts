/**
 * Sends responses whose content is in memory.
 *
 * @module
 */

import {
  COMMAND_RESPOND,
  INLINE_CONTENT,
  RESPOND_CONTENT_TOKEN,
  RESPOND_NO_CONTENT,
  TYPE_JSON,
  TYPE_NONE,
  TYPE_TEXT,
} from "./abi.ts";
import {
  beginAnswer,
  endAnswer,
  refuseHeaders,
  sendStatus,
} from "./commands.ts";
import type { NativeExchange } from "./exchange.ts";
import {
  type HeaderPair,
  linesLength,
  MOST_LINES,
  writeLines,
} from "./header_lines.ts";
import {
  type InnerBody,
  type InnerResponse,
  isStatic,
  OTHER_TYPE,
  type ResponseSymbols,
  responseSymbols,
  type SymbolResponse,
  TEXT_TYPE,
} from "./response_parts.ts";
import { encodeText, MOST_BYTES, writeText } from "./text.ts";

const NO_HEADERS: readonly HeaderPair[] = [];

/** What is sent: `null` is no content. */
type Content = string | Uint8Array<ArrayBuffer> | null;

/**
 * Sends a response whose content is in memory, and marks it as used.
 *
 * @param symbols Where the platform keeps the parts of a response.
 */
export function sendResponse(
  exchange: NativeExchange,
  response: Response,
  symbols: ResponseSymbols | null = responseSymbols,
): void {
  if (symbols === null) return sendPublic(exchange, response);
  const parts = response as SymbolResponse;
  const status = parts[symbols.fastStatus] as number;
  if (status === 0) return sendInner(exchange, response, symbols);
  const content = parts[symbols.fastBody] as Content;
  const kind = parts[symbols.fastHeaderKind];
  parts[symbols.fastConsumed] = true;
  if (kind === TEXT_TYPE) {
    return send(exchange, status, TYPE_TEXT, NO_HEADERS, content);
  }
  if (kind !== OTHER_TYPE) {
    return send(exchange, status, TYPE_NONE, NO_HEADERS, content);
  }
  const type = parts[symbols.fastContentType] as string;
  if (type === "application/json") {
    return send(exchange, status, TYPE_JSON, NO_HEADERS, content);
  }
  send(exchange, status, TYPE_NONE, [["content-type", type]], content);
}

/** Sends a response that has more than a content type, or no content. */
function sendInner(
  exchange: NativeExchange,
  response: Response,
  symbols: ResponseSymbols,
): void {
  const parts = response as SymbolResponse;
  const { status, headerList } = parts[symbols.inner] as InnerResponse;
  const body = parts[symbols.innerBody] as InnerBody | null;
  if (body === null) {
    return send(exchange, status, TYPE_NONE, headerList, null);
  }
  if (!isStatic(body)) return sendPublic(exchange, response);
  body.streamOrStatic.consumed = true;
  send(exchange, status, TYPE_NONE, headerList, body.streamOrStatic.body);
}

/** Sends a response without looking behind it. */
function sendPublic(exchange: NativeExchange, response: Response): void {
  const { status } = response;
  const pairs = [...response.headers];
  if (response.body === null) {
    return send(exchange, status, TYPE_NONE, pairs, null);
  }
  exchange.pump.keep(exchange);
  response.bytes().then(
    (content) => {
      if (exchange.isGone) return exchange.end();
      send(exchange, status, TYPE_NONE, pairs, content);
    },
    (error) => {
      console.error(error);
      if (exchange.isGone) return exchange.end();
      sendStatus(exchange, 500);
    },
  );
}

function send(
  exchange: NativeExchange,
  status: number,
  type: number,
  pairs: readonly HeaderPair[],
  content: Content,
): void {
  const lines = linesLength(pairs);
  if (lines > MOST_LINES) return refuseHeaders(exchange, lines);
  const size = content === null
    ? 0
    : typeof content === "string"
    ? content.length * MOST_BYTES
    : content.length;
  if (size > INLINE_CONTENT) {
    return sendLent(exchange, status, type, pairs, lines, content!);
  }
  const { commands } = exchange.pump;
  const flags = content === null ? RESPOND_NO_CONTENT : 0;
  const room = 16 + lines + size;
  const at = beginAnswer(exchange, COMMAND_RESPOND, flags, room);
  const { words, bytes } = commands;
  const start = writeLines(bytes, (at + 8) << 2, pairs);
  const end = writeContent(bytes, start, content);
  words[at + 4] = status | type << 16;
  words[at + 5] = lines;
  words[at + 6] = end - start;
  words[at + 7] = 0;
  commands.end(end);
  endAnswer(exchange);
}

/** Sends content that does not travel through the ring. */
function sendLent(
  exchange: NativeExchange,
  status: number,
  type: number,
  pairs: readonly HeaderPair[],
  lines: number,
  content: string | Uint8Array<ArrayBuffer>,
): void {
  const { pump } = exchange;
  const { commands } = pump;
  const loan = typeof content === "string" ? encodeText(content) : content;
  const flags = RESPOND_CONTENT_TOKEN;
  const at = beginAnswer(exchange, COMMAND_RESPOND, flags, 16 + lines);
  const { words, bytes } = commands;
  words[at + 4] = status | type << 16;
  words[at + 5] = lines;
  words[at + 6] = loan.length;
  const end = writeLines(bytes, (at + 8) << 2, pairs);
  pump.endWithContent(end, at, at + 7, loan);
  endAnswer(exchange);
}

/** Writes content; returns where it ends. */
function writeContent(
  bytes: Uint8Array,
  start: number,
  content: Content,
): number {
  if (typeof content === "string") return writeText(bytes, start, content);
  if (content === null) return start;
  bytes.set(content, start);
  return start + content.length;
}
