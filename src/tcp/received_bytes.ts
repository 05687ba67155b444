import { Buffer } from "node:buffer";
import type { BinaryType, BinaryTypeList } from "./socket_types.ts";

/** Copies received bytes into the type that a handler asked for. */
export function receivedBytes(
  bytes: Uint8Array,
  type: BinaryType,
): BinaryTypeList[BinaryType] {
  switch (type) {
    case "buffer": {
      // Others share an ArrayBuffer, and users look at `buffer`.
      const copy = Buffer.allocUnsafeSlow(bytes.length);
      copy.set(bytes);
      return copy;
    }
    case "uint8array":
      return new Uint8Array(bytes);
    case "arraybuffer":
      return new Uint8Array(bytes).buffer;
  }
}
