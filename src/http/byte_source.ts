import type { ByteSource } from "../engine/engine.ts";

const encoder = new TextEncoder();

/**
 * Reads a response's stream for an engine. Chunks may be strings (sent as
 * UTF-8), buffers, or views of them, as Bun takes them.
 */
export class StreamSource implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<unknown>;

  /** @throws {TypeError} If the stream is locked. */
  constructor(stream: ReadableStream<unknown>) {
    this.#reader = stream.getReader();
  }

  /** The next chunk that is not empty. */
  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (true) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      const bytes = toBytes(value);
      if (bytes.length > 0) return bytes;
    }
  }

  /** Cancels the stream; what its `cancel` throws concerns nobody any more. */
  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }
}

/** How many microtasks a stream gets to fail before the head is sent. */
const EARLY_TURNS = 16;

/**
 * Gives a stream the rest of this turn to show whether it fails at once: only
 * until the head is sent can an error still become a proper answer. A stream
 * that needs longer is not waited for, so that event streams open promptly.
 *
 * @throws The stream's error, if it failed at once.
 */
export async function startSource(source: ByteSource): Promise<ByteSource> {
  const first = source.read();
  let settled = false;
  first.then(() => settled = true, () => settled = true);
  for (let turn = 0; turn < EARLY_TURNS && !settled; turn++) await null;
  if (settled) await first;
  else first.catch(() => {});
  let pending: typeof first | undefined = first;
  return {
    read() {
      const next = pending ?? source.read();
      pending = undefined;
      return next;
    },
    cancel: (reason) => source.cancel(reason),
  };
}

function toBytes(chunk: unknown): Uint8Array<ArrayBuffer> {
  if (typeof chunk === "string") return encoder.encode(chunk);
  if (chunk instanceof Uint8Array) return unshared(chunk);
  if (ArrayBuffer.isView(chunk)) {
    const { buffer, byteOffset, byteLength } = chunk;
    return unshared(new Uint8Array(buffer, byteOffset, byteLength));
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(
    `Cannot send a chunk of type ${typeof chunk}: expected a string or bytes`,
  );
}

/** Shared memory may change while it is sent: send a copy of it. */
function unshared(view: Uint8Array): Uint8Array<ArrayBuffer> {
  return view.buffer instanceof ArrayBuffer
    ? view as Uint8Array<ArrayBuffer>
    : new Uint8Array(view);
}
