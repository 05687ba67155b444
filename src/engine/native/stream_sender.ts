import type { ByteSource } from "../engine.ts";
import { STREAM_WINDOW } from "./abi.ts";
import { sendAbort, sendChunk, sendLastChunk } from "./commands.ts";
import type { NativeExchange } from "./exchange.ts";

/** Whoever produces the content of a streamed response. */
export interface StreamedContent {
  /** So many bytes have been written to the socket. */
  wrote(size: number): void;
  /** Nobody wants the rest. */
  cancel(reason: unknown): void;
}

/**
 * Sends content while it is produced. The producer is asked for more only while
 * less than a window of it waits to be written.
 */
export class StreamSender implements StreamedContent {
  readonly #exchange: NativeExchange;
  readonly #source: ByteSource;
  /** Bytes that the head has promised and that were not sent. */
  #missing: number | undefined;
  #unwritten = 0;
  #isCancelled = false;
  #resume: (() => void) | undefined;

  /** @param length Of the content, as the head has it; undefined without. */
  constructor(
    exchange: NativeExchange,
    source: ByteSource,
    length: number | undefined,
  ) {
    this.#exchange = exchange;
    this.#source = source;
    this.#missing = length;
  }

  /** Sends everything, and ends the exchange. It never rejects. */
  async run(): Promise<void> {
    try {
      while (true) {
        const chunk = await this.#source.read();
        if (this.#isCancelled) return;
        if (chunk === undefined) break;
        this.#send(chunk);
        if (this.#isCancelled) return;
        if (this.#unwritten < STREAM_WINDOW) continue;
        await new Promise<void>((resolve) => this.#resume = resolve);
        if (this.#isCancelled) return;
      }
      if (this.#missing) throw lengthBroken("shorter");
      sendLastChunk(this.#exchange);
    } catch (error) {
      if (this.#isCancelled) return;
      // The head was sent: all that is left is to tell.
      console.error(error);
      sendAbort(this.#exchange);
    }
  }

  /** So many bytes have been written to the socket. */
  wrote(size: number): void {
    this.#unwritten -= size;
    if (this.#unwritten < STREAM_WINDOW) this.#wake();
  }

  /** Nobody wants the rest. */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#source.cancel(reason);
    this.#wake();
  }

  #send(chunk: Uint8Array<ArrayBuffer>): void {
    const missing = this.#missing ?? chunk.length;
    const part = chunk.length > missing ? chunk.subarray(0, missing) : chunk;
    if (part.length > 0) {
      this.#unwritten += part.length;
      sendChunk(this.#exchange, part);
    }
    if (this.#missing === undefined) return;
    this.#missing -= part.length;
    if (part.length === chunk.length) return;
    // The client gets what it was promised.
    const error = lengthBroken("longer");
    console.error(error);
    this.cancel(error);
    sendLastChunk(this.#exchange);
  }

  #wake(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

function lengthBroken(how: string): Error {
  return new Error(
    `Cannot send the response: it is ${how} than its Content-Length`,
  );
}
