/**
 * Content that both the fixtures and the cases know.
 *
 * @module
 */

/** A mebibyte in which a byte out of place shows. */
export function bigContent(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: 1_048_576 },
    (_, index) => (index * 7 + (index >> 8)) & 0xff,
  );
}
