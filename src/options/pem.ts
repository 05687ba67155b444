/**
 * Gets PEM text (RFC 7468) from what `key` and `cert` may be.
 *
 * @module
 */

import { JSTimeFile } from "../file/jstime_file.ts";
import { readTextFile } from "../runtime/text_file.ts";
import { wrongSecret } from "./option_error.ts";

/** One block of PEM text. */
export interface PemBlock {
  /** What it holds, for example `CERTIFICATE`. */
  readonly label: string;
  /** The block with its first and last line. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g;

/**
 * The texts that an option stands for: one, or those of an array. Files are
 * read here. Null and undefined are absent.
 *
 * @throws {TypeError} If something is neither text, bytes nor a file. The
 * message does not show it.
 * @throws {Error} If a file cannot be read, with `code` such as `ENOENT`.
 */
export function pemTexts(option: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value)
    ? value.map((element) => pemText(option, element))
    : [pemText(option, value)];
}

/** The PEM blocks in a text; what is between them is ignored. */
export function pemBlocks(text: string): PemBlock[] {
  return Array.from(
    text.matchAll(BLOCK),
    ([block, label]) => ({ label: label!, text: `${block}\n` }),
  );
}

function pemText(option: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof JSTimeFile) return pemFile(option, value.name);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return new TextDecoder().decode(value);
  }
  throw wrongSecret(
    option,
    value,
    "text, bytes, file(), or an array of those",
  );
}

/**
 * The text of a file that an option names.
 *
 * @throws {Error} If it cannot be read, with `code` such as `ENOENT`.
 */
export function pemFile(option: string, path: string): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    const { message, code } = cause as Error & { code?: string };
    throw Object.assign(
      new Error(`Cannot read ${option} from a file: ${message}`, { cause }),
      { code, path },
    );
  }
}
