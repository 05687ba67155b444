/**
 * Checks Diffie-Hellman parameters: PKCS #3 section 9, in DER.
 *
 * @module
 */

import { invalidOption } from "./option_error.ts";
import { pemBlocks, pemFile } from "./pem.ts";

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * Checks that a file holds Diffie-Hellman parameters in PEM form.
 *
 * @param option Name of the option, for messages.
 * @throws {TypeError} If it holds something else.
 * @throws {Error} If it cannot be read, with `code` such as `ENOENT`.
 */
export function checkDhParameters(option: string, path: string): void {
  const block = pemBlocks(pemFile(option, path))
    .find(({ label }) => label === "DH PARAMETERS");
  if (block !== undefined && isDhParameter(contentOf(block.text))) return;
  throw invalidOption(
    `Cannot use ${option}: expected a file with DH PARAMETERS in PEM form`,
    "ERR_INVALID_ARG_VALUE",
  );
}

/** The bytes between the first and the last line of a PEM block. */
function contentOf(text: string): Uint8Array {
  const base64 = text.replace(/-----[^-]*-----/g, "").replace(/\s/g, "");
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** A sequence of the prime, the base, and perhaps the length of exponents. */
function isDhParameter(bytes: Uint8Array): boolean {
  const [sequence, ...others] = derElements(bytes);
  if (sequence?.tag !== SEQUENCE || others.length > 0) return false;
  const numbers = derElements(sequence.content);
  return (numbers.length === 2 || numbers.length === 3) &&
    numbers.every(({ tag, content }) => tag === INTEGER && content.length > 0);
}

interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements one after another in DER (X.690); none if it is malformed. */
function derElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = [];
  for (let position = 0; position < bytes.length;) {
    const tag = bytes[position]!;
    let length = bytes[position + 1] ?? 0;
    position += 2;
    if (length >= 0x80) {
      const size = length & 0x7f;
      length = bytes.subarray(position, position + size)
        .reduce((value, byte) => value * 256 + byte, 0);
      position += size;
    }
    const content = bytes.subarray(position, position + length);
    if (content.length < length || position > bytes.length) return [];
    elements.push({ tag, content });
    position += length;
  }
  return elements;
}
