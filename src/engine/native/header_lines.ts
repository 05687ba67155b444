/**
 * Headers as lines of a response head.
 *
 * @module
 */

import { LARGEST_RECORD } from "./command_writer.ts";

/** A header as name and value; each character is one byte. */
export type HeaderPair = readonly [name: string, value: string];

/** The most bytes that the header lines of a response may have. */
export const MOST_LINES: number = LARGEST_RECORD / 2;

const listSlot = findListSlot();

/** Where Deno keeps the pairs of a `Headers` object, if it does. */
function findListSlot(): symbol | null {
  const sample = new Headers([["a", "b"], ["a", "c"]]);
  const slot = Object.getOwnPropertySymbols(sample)
    .find((symbol) => symbol.description === "header list");
  if (slot === undefined) return null;
  const list = (sample as unknown as Record<symbol, unknown>)[slot];
  return JSON.stringify(list) === '[["a","b"],["a","c"]]' ? slot : null;
}

/**
 * The pairs of a `Headers` object that was made by `new Headers()`. Iterating
 * over it would sort them first.
 */
export function pairsOf(
  headers: Headers,
  slot: symbol | null = listSlot,
): readonly HeaderPair[] {
  if (slot === null) return [...headers];
  return (headers as unknown as Record<symbol, HeaderPair[]>)[slot] ??
    [...headers];
}

/** The number of bytes that `writeLines` writes. */
export function linesLength(pairs: readonly HeaderPair[]): number {
  let length = 0;
  for (let index = 0; index < pairs.length; index++) {
    const [name, value] = pairs[index]!;
    length += name.length + value.length + 4;
  }
  return length;
}

/**
 * Writes `name: value` CR LF for each header.
 *
 * @returns Where the last line ends.
 */
export function writeLines(
  bytes: Uint8Array,
  start: number,
  pairs: readonly HeaderPair[],
): number {
  let position = start;
  for (let index = 0; index < pairs.length; index++) {
    const [name, value] = pairs[index]!;
    position = writeLine(bytes, position, name, value);
  }
  return position;
}

/** Writes one header as a line; returns where it ends. */
export function writeLine(
  bytes: Uint8Array,
  start: number,
  name: string,
  value: string,
): number {
  let position = writeLatin1(bytes, start, name);
  bytes[position++] = COLON;
  bytes[position++] = SPACE;
  position = writeLatin1(bytes, position, value);
  bytes[position++] = CR;
  bytes[position++] = LF;
  return position;
}

const COLON = 0x3a;
const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/** Writes text each of whose characters is one byte; returns where it ends. */
export function writeLatin1(
  bytes: Uint8Array,
  start: number,
  text: string,
): number {
  const { length } = text;
  for (let index = 0; index < length; index++) {
    bytes[start + index] = text.charCodeAt(index);
  }
  return start + length;
}

/** Headers as lines of their own. */
export function encodeLines(headers: Headers): Uint8Array<ArrayBuffer> {
  const pairs = [...headers];
  const bytes = new Uint8Array(linesLength(pairs));
  writeLines(bytes, 0, pairs);
  return bytes;
}
