/**
 * Events as text (HTML, section 9.2.6 "Interpreting an event stream").
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** A comment: clients ignore it. */
export const COMMENT = ":\n\n";

/** The field lines of data. Bytes become Base64: event streams are text. */
export function encodeData(data: string | Uint8Array): string {
  if (typeof data !== "string") {
    const { buffer, byteOffset, byteLength } = data;
    const text = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    return `data: ${text}\n`;
  }
  // Each of the three ends a line; whatever else is in there does not.
  return `data: ${data.replace(/\r\n|\r|\n/g, "\ndata: ")}\n`;
}

/**
 * A whole event.
 *
 * @param event Its type; undefined for the default.
 * @param data What `encodeData` made.
 */
export function encodeEvent(
  id: string,
  event: string | undefined,
  data: string,
): string {
  return event === undefined
    ? `id: ${id}\n${data}\n`
    : `id: ${id}\nevent: ${event}\n${data}\n`;
}
