/**
 * Request content that had not arrived when its request did.
 *
 * @module
 */

/** What content needs from the I/O thread. */
export interface ContentSource {
  /** Asks for the content, part by part or only when all of it is there. */
  ask(mode: "stream" | "gather"): void;
  /**
   * Copies content that has arrived.
   *
   * @returns How many bytes: fewer than there is room for if there are no more,
   * below zero if the content is gone.
   */
  take(target: Uint8Array<ArrayBuffer>): number;
}

/** Where parts of streams are copied to before their size is known. */
const scratch = new Uint8Array(64 * 1024);

/** The rest of a request's content, and what has arrived of it. */
export class RequestContent {
  readonly #source: ContentSource;
  /** What came with the request. */
  readonly #first: Uint8Array<ArrayBuffer>;
  /** Bytes that wait to be taken, as far as is known. */
  #waiting = 0;
  /** All of it has arrived. */
  isComplete = false;
  #failure: Error | undefined;
  #gathering: PromiseWithResolvers<Uint8Array<ArrayBuffer>> | undefined;
  #controller: ReadableByteStreamController | undefined;
  #pull: PromiseWithResolvers<void> | undefined;

  /** @param first What came with the request; may be empty. */
  constructor(source: ContentSource, first: Uint8Array<ArrayBuffer>) {
    this.#source = source;
    this.#first = first;
  }

  /** All of the content, when it is there. To be called once, or `stream`. */
  gather(): Promise<Uint8Array<ArrayBuffer>> {
    const gathering = this.#gathering = Promise.withResolvers();
    if (this.#failure !== undefined) gathering.reject(this.#failure);
    else if (this.isComplete) this.#finishGathering();
    else this.#source.ask("gather");
    return gathering.promise;
  }

  /** The content as it arrives. To be called once, or `gather`. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let isFirst = true;
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
        if (this.#failure !== undefined) controller.error(this.#failure);
        else if (!this.isComplete) this.#source.ask("stream");
      },
      pull: (controller) => {
        if (isFirst && this.#first.length > 0) {
          isFirst = false;
          controller.enqueue(this.#first);
          return;
        }
        isFirst = false;
        if (this.#deliver(controller)) return;
        this.#pull = Promise.withResolvers();
        return this.#pull.promise;
      },
      cancel: () => {
        this.#controller = undefined;
      },
    });
  }

  /** So many bytes wait to be taken. */
  arrived(waiting: number, isLast: boolean): void {
    this.#waiting = waiting;
    this.isComplete ||= isLast;
    if (this.#gathering !== undefined) {
      if (isLast) this.#finishGathering();
    } else if (this.#pull !== undefined) {
      if (this.#controller === undefined || this.#deliver(this.#controller)) {
        this.#endPull();
      }
    }
  }

  /** The content will not be complete, unless all of it has been taken. */
  fail(error: Error): void {
    if (this.isComplete && this.#waiting === 0) return;
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#gathering?.reject(error);
    this.#controller?.error(error);
    this.#endPull();
  }

  #endPull(): void {
    this.#pull?.resolve();
    this.#pull = undefined;
  }

  #finishGathering(): void {
    const first = this.#first.length;
    const content = new Uint8Array(first + this.#waiting);
    content.set(this.#first);
    const taken = this.#source.take(content.subarray(first));
    if (taken !== this.#waiting) return this.fail(contentLost());
    this.#waiting = 0;
    this.#gathering!.resolve(content);
  }

  /** Passes on what is there; whether that was something, or the end. */
  #deliver(controller: ReadableByteStreamController): boolean {
    let delivered = false;
    // Only after everything was taken does the I/O thread tell of more.
    while (this.#waiting > 0) {
      const taken = this.#source.take(scratch);
      if (taken < 0) {
        this.fail(contentLost());
        return true;
      }
      if (taken < scratch.length) this.#waiting = 0;
      if (taken === 0) break;
      controller.enqueue(scratch.slice(0, taken));
      delivered = true;
    }
    if (!this.isComplete) return delivered;
    controller.close();
    // A reader with a buffer of its own waits for this.
    controller.byobRequest?.respond(0);
    return true;
  }
}

function contentLost(): Error {
  return new Error("Cannot read the request body: the connection is closed");
}
