/**
 * What file routes and directory routes have in common: one open file against
 * one request.
 *
 * @module
 */

import type { FileAnswer, OpenFile } from "../../engine/engine.ts";
import {
  evaluateConditions,
  isRangeCurrent,
  type Validators,
} from "./conditional.ts";
import { formatHttpDate } from "./http_date.ts";
import {
  type ByteRange,
  contentRange,
  parseRange,
  unsatisfiedRange,
} from "./range.ts";

/** An open file and how it is to be presented. */
export interface FileContent {
  /** The open file. */
  readonly file: OpenFile;
  /** Which of its bytes are the content. */
  readonly range: ByteRange;
  /** Status of an answer with all of the content. */
  readonly status: number;
  /** Fields of that answer; they are changed as needed. */
  readonly headers: Headers;
  /** What identifies this version of it. */
  readonly validators: Validators;
}

/**
 * Answers with a file: conditions and ranges of GET and HEAD, everything for
 * other methods. An answer without content closes the file.
 */
export function answerFileContent(
  request: Request,
  content: FileContent,
): FileAnswer | Response {
  const { method } = request;
  const isHead = method === "HEAD";
  const isRead = isHead || method === "GET";
  if (!isRead || content.status !== 200) return sendAll(content, isHead);
  const fields = request.headers;
  const result = evaluateConditions(fields, content.validators);
  if (result === "not-modified") return answerWithoutContent(content, 304);
  if (result === "precondition-failed") {
    return answerWithoutContent(content, 412);
  }
  const range = fields.get("range");
  if (range === null || !isRangeCurrent(fields, content.validators)) {
    return sendAll(content, isHead);
  }
  return sendRange(content, range, isHead);
}

/** Answers with all of the content. */
export function sendAll(content: FileContent, headOnly: boolean): FileAnswer {
  const { status, headers, file, range } = content;
  return {
    kind: "file",
    status,
    headers,
    file,
    start: range.start,
    end: range.end,
    headOnly,
  };
}

/** Answers with the part that `field` asks for (RFC 9110, section 14.2). */
export function sendRange(
  content: FileContent,
  field: string,
  headOnly: boolean,
): FileAnswer | Response {
  const { headers, file, range } = content;
  // Whoever sets Content-Range has cut the content already.
  if (headers.has("content-range")) return sendAll(content, headOnly);
  const size = range.end - range.start;
  const part = parseRange(field, size);
  if (part === undefined) return sendAll(content, headOnly);
  headers.set("accept-ranges", "bytes");
  if (part === "unsatisfiable") {
    headers.set("content-range", unsatisfiedRange(size));
    return answerWithoutContent(content, 416);
  }
  headers.set("content-range", contentRange(part, size));
  return {
    kind: "file",
    status: 206,
    headers,
    file,
    start: range.start + part.start,
    end: range.start + part.end,
    headOnly,
  };
}

/** Answers with a head alone and closes the file. */
function answerWithoutContent(content: FileContent, status: number): Response {
  content.file.close();
  const { headers } = content;
  if (status !== 416) headers.delete("accept-ranges");
  return new Response(null, { status, headers });
}

/**
 * The `Last-Modified` of a file, in milliseconds: whole seconds, and not in
 * the future (RFC 9110, section 8.8.2.1).
 */
export function lastModifiedOf(file: OpenFile): number {
  const modified = Math.min(file.info.modified, Date.now());
  return Math.floor(modified / 1000) * 1000;
}

let lastFormatted = NaN;
let lastText = "";

/** `Last-Modified` as text; servers send the same few dates over and over. */
export function lastModifiedText(lastModified: number): string {
  if (lastModified !== lastFormatted) {
    lastText = formatHttpDate(lastModified);
    lastFormatted = lastModified;
  }
  return lastText;
}

/** Applies a slice to the length that the open file has now. */
export function clampRange(
  start: number,
  end: number | undefined,
  size: number,
): ByteRange {
  const first = Math.min(start, size);
  return { start: first, end: Math.max(first, Math.min(end ?? size, size)) };
}
