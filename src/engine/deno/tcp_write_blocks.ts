/**
 * Memory that connections write from by turns. Few of them have much to send at
 * the same time, and memory that was used just now is still in the caches of
 * the processor.
 *
 * @module
 */

/** Bytes in a block. */
export const BLOCK_LENGTH: number = 64 * 1024;

/** Blocks that are kept for later. */
const MOST = 64;

const blocks: Uint8Array<ArrayBuffer>[] = [];

/** A block that nobody else has; its content is left over from others. */
export function takeBlock(): Uint8Array<ArrayBuffer> {
  return blocks.pop() ?? new Uint8Array(BLOCK_LENGTH);
}

/**
 * Takes a block back. Only if the platform is done with it: what is written
 * from it would be somebody else's bytes.
 */
export function returnBlock(block: Uint8Array<ArrayBuffer>): void {
  if (blocks.length < MOST) blocks.push(block);
}
