import type { StaticEntry } from "../engine.ts";
import {
  ALL_METHODS,
  METHOD_OTHER,
  STATIC_CONTENT,
  STATIC_FILE,
  STATIC_WORDS,
} from "./abi.ts";
import { encodeLines } from "./header_lines.ts";
import { METHODS } from "./request_record.ts";

const encoder = new TextEncoder();

/** Entries as `jstime_static` takes them. */
export function encodeStaticTable(
  entries: readonly StaticEntry[],
): Uint8Array<ArrayBuffer> {
  const parts = entries.filter(isExpressible).map(encodeEntry);
  const size = parts.reduce((sum, { length }) => sum + length, 4);
  const table = new Uint8Array(size);
  new Uint32Array(table.buffer, 0, 1)[0] = parts.length;
  let position = 4;
  for (const part of parts) {
    table.set(part, position);
    position += part.length;
  }
  return table;
}

/** Other methods have no number; the handler answers them. */
function isExpressible({ methods }: StaticEntry): boolean {
  return methods === undefined || maskOf(methods) !== 0;
}

function maskOf(methods: readonly string[]): number {
  let mask = 0;
  for (const method of methods) {
    const number = METHODS.indexOf(method);
    if (number > METHOD_OTHER) mask |= 1 << number;
  }
  return mask;
}

function encodeEntry(entry: StaticEntry): Uint8Array<ArrayBuffer> {
  const { path, methods, status, headers, content } = entry;
  const isFile = content.kind === "file";
  const notModified = isFile ? undefined : content.notModified;
  const tag = notModified === undefined ? null : headers.get("etag");
  const texts = [
    encoder.encode(path),
    encodeLines(headers),
    encoder.encode(tag ?? ""),
    notModified === undefined ? new Uint8Array(0) : encodeLines(notModified),
    isFile ? encoder.encode(content.path) : content.bytes,
  ];
  const size = texts.reduce(
    (sum, { length }) => sum + length,
    STATIC_WORDS * 4,
  );
  // The next entry begins at a whole word.
  const bytes = new Uint8Array((size + 3) & -4);
  const words = new Uint32Array(bytes.buffer, 0, STATIC_WORDS);
  words[0] = texts[0]!.length;
  words[1] = methods === undefined ? ALL_METHODS : maskOf(methods);
  words[2] = isFile ? STATIC_FILE : STATIC_CONTENT;
  words[3] = status;
  words[4] = texts[1]!.length;
  words[5] = texts[2]!.length;
  words[6] = texts[3]!.length;
  words[7] = texts[4]!.length;
  let position = STATIC_WORDS * 4;
  for (const text of texts) {
    bytes.set(text, position);
    position += text.length;
  }
  return bytes;
}
