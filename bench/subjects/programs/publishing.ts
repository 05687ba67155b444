/**
 * Messages that are made in a Worker, where nothing blocks, and published by
 * the thread that owns the server.
 *
 * @module
 */

/**
 * Starts a Worker that says what time it is, 50 times a second.
 *
 * @param publish Gets microseconds since 1970, as text.
 */
export function publishFromWorker(publish: (message: string) => void): void {
  const url = new URL("./publishing_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.onmessage = ({ data }) => publish(data);
}
