/**
 * Messages that are made in a Worker, where nothing blocks. Who has a bus
 * publishes them there; for the others, the thread that owns the server does.
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

/** The bus that servers share with the Worker. */
export const BUS = "news";

/**
 * Starts a Worker with a server of its own, which publishes on the bus as often.
 *
 * @param module What the Worker serves with, by its URL.
 */
export function publishOnBus(module: string): void {
  const url = new URL("./bus_publishing_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.postMessage(module);
}
