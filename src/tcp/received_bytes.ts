import { Buffer } from "node:buffer";
import type { BinaryType, BinaryTypeList } from "./socket_types.ts";

/**
 * Received bytes in the type that a handler asked for.
 *
 * @param isOwn They are a whole buffer that is the handler's; otherwise they are
 * copied.
 */
export function receivedBytes(
  bytes: Uint8Array<ArrayBuffer>,
  type: BinaryType,
  isOwn: boolean = false,
): BinaryTypeList[BinaryType] {
  switch (type) {
    case "buffer": {
      if (isOwn) return Buffer.from(bytes.buffer);
      // Others share an ArrayBuffer, and users look at `buffer`.
      const copy = Buffer.allocUnsafeSlow(bytes.length);
      copy.set(bytes);
      return copy;
    }
    case "uint8array":
      return isOwn ? bytes : new Uint8Array(bytes);
    case "arraybuffer":
      return isOwn ? bytes.buffer : new Uint8Array(bytes).buffer;
  }
}
