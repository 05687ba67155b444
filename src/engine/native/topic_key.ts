import { createHash } from "node:crypto";

/** Topics up to this length are their own keys. */
const LONGEST = 256;

/**
 * What the helper knows a topic, or a bus, by. Topics come from clients: they
 * may be too long for a record, and need not have a form in UTF-8.
 */
export function topicKey(topic: string): string {
  const isKey = topic.length <= LONGEST && !topic.startsWith("\0") &&
    topic.isWellFormed();
  if (isKey) return topic;
  const hash = createHash("sha256").update(topic, "utf16le").digest("hex");
  return `\0${hash}`;
}
