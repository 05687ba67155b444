/**
 * Reads what a request's record has besides its target and host. `at` is the
 * index of the record's first word; `helper/src/abi.rs` says what is where.
 *
 * @module
 */

import {
  METHOD_DELETE,
  METHOD_GET,
  METHOD_HEAD,
  METHOD_OPTIONS,
  METHOD_OTHER,
  METHOD_PATCH,
  METHOD_POST,
  METHOD_PUT,
  REQUEST_HOST_DEFINED,
  REQUEST_TARGET_DEFINED,
  REQUEST_WORDS,
} from "./abi.ts";
import type { EventBatch } from "./event_reader.ts";

/** Names of methods by their number. */
export const METHODS: readonly string[] = methodNames();

function methodNames(): string[] {
  const names: string[] = [];
  names[METHOD_OTHER] = "";
  names[METHOD_GET] = "GET";
  names[METHOD_HEAD] = "HEAD";
  names[METHOD_POST] = "POST";
  names[METHOD_PUT] = "PUT";
  names[METHOD_PATCH] = "PATCH";
  names[METHOD_DELETE] = "DELETE";
  names[METHOD_OPTIONS] = "OPTIONS";
  return names;
}

/** The request method. */
export function methodOf(batch: EventBatch, at: number): string {
  const method = batch.words[at + 5]!;
  if (method !== METHOD_OTHER && method < METHODS.length) {
    return METHODS[method]!;
  }
  const start = textsEnd(batch, at);
  return batch.text.toString("latin1", start, start + (method >>> 8));
}

/** Where the content begins that is in the record, in bytes. */
export function contentStart(batch: EventBatch, at: number): number {
  const method = batch.words[at + 5]!;
  const methodLength = (method & 0xff) === METHOD_OTHER ? method >>> 8 : 0;
  return (textsEnd(batch, at) + methodLength + 7) & -8;
}

/** The length of the content that is in the record. */
export function contentLength(batch: EventBatch, at: number): number {
  return batch.words[at + 10]!;
}

/** Where the texts of headers, target and host end. */
function textsEnd({ words }: EventBatch, at: number): number {
  const flags = words[at + 1]! >>> 8;
  let end = ((at + REQUEST_WORDS + words[at + 8]!) << 2) + words[at + 9]!;
  if ((flags & REQUEST_TARGET_DEFINED) !== 0) end += words[at + 6]! >>> 16;
  if ((flags & REQUEST_HOST_DEFINED) !== 0) end += words[at + 7]! >>> 16;
  return end;
}

/**
 * The value of a header; that of several lines is joined as in one.
 *
 * @param name In lower case.
 * @returns null if there is none.
 */
export function headerIn(
  batch: EventBatch,
  at: number,
  name: string,
): string | null {
  const { words, bytes, text } = batch;
  const { length } = name;
  const table = at + REQUEST_WORDS;
  const count = words[at + 8]!;
  let start = (table + count) << 2;
  let value: string | null = null;
  for (let index = 0; index < count; index++) {
    const lengths = words[table + index]!;
    const valueStart = start + (lengths & 0xffff);
    const end = valueStart + (lengths >>> 16);
    if ((lengths & 0xffff) === length && isAt(bytes, start, name)) {
      const line = text.toString("latin1", valueStart, end);
      value = value === null ? line : value + separatorOf(name) + line;
    }
    start = end;
  }
  return value;
}

function isAt(bytes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Cookies are a list of their own kind (RFC 9113, section 8.2.3). */
function separatorOf(name: string): string {
  return name === "cookie" ? "; " : ", ";
}

/** All headers, names in lower case; cookies joined, others line by line. */
export function headersIn(batch: EventBatch, at: number): [string, string][] {
  const { words, text } = batch;
  const pairs: [string, string][] = [];
  const table = at + REQUEST_WORDS;
  const count = words[at + 8]!;
  let start = (table + count) << 2;
  let cookie: [string, string] | undefined;
  for (let index = 0; index < count; index++) {
    const lengths = words[table + index]!;
    const valueStart = start + (lengths & 0xffff);
    const end = valueStart + (lengths >>> 16);
    const name = text.toString("latin1", start, valueStart);
    const value = text.toString("latin1", valueStart, end);
    start = end;
    if (name === "cookie") {
      if (cookie !== undefined) {
        cookie[1] += separatorOf(name) + value;
        continue;
      }
      pairs.push(cookie = [name, value]);
    } else {
      pairs.push([name, value]);
    }
  }
  return pairs;
}
