import type {
  Answer,
  EngineEventStream,
  EngineWebSocket,
  EventStreamEvents,
  EventStreamPlan,
  Exchange,
  PeerAddress,
  ShownCertificate,
  WebSocketEvents,
  WebSocketPlan,
} from "../engine.ts";
import {
  COMMAND_CONTENT,
  COMMAND_TIMEOUT,
  CONTENT_GATHER,
  CONTENT_STREAM,
  REQUEST_CONTENT_COMPLETE,
  REQUEST_HAS_CERTIFICATE,
  REQUEST_HAS_CONTENT,
} from "./abi.ts";
import { discard, sendAnswer } from "./answer.ts";
import { ClientGoneError } from "./client_gone.ts";
import { EventBatch } from "./event_reader.ts";
import { decodePeerCertificate } from "./peer_certificate.ts";
import { peerAddressIn } from "./peer_address.ts";
import type { Pump, RequestSink } from "./pump.ts";
import { lazyRequest } from "./request.ts";
import { type ContentSource, RequestContent } from "./request_content.ts";
import { contentLength, contentStart } from "./request_record.ts";
import { openEventStream } from "./event_stream.ts";
import type { RequestHost, RequestTarget } from "./request_texts.ts";
import type { StreamedContent } from "./stream_sender.ts";
import { upgradeToWebSocket } from "./web_socket_upgrade.ts";

/** The largest timeout that a command can carry, in milliseconds. */
const LONGEST_TIMEOUT = 0xffff_ffff;

/** Flags of a request whose content is in its record. */
const CONTENT_FLAGS = REQUEST_HAS_CONTENT | REQUEST_CONTENT_COMPLETE;

/** One request from an I/O thread. */
export class NativeExchange implements Exchange, ContentSource {
  /** The thread that it came from. */
  readonly pump: Pump;
  /** Whoever answers it. */
  readonly sink: RequestSink;
  /** Where its record is. */
  batch: EventBatch;
  /** Index of the record's first word. */
  at: number;
  /** Its connection. */
  readonly connection: number;
  /** Tells it from other requests of the connection. */
  readonly generation: number;
  readonly hasContent: boolean;
  /** The content, unless all of it is in the record. */
  readonly content: RequestContent | undefined;
  readonly request: Request;
  refusal: 400 | 413 | undefined = undefined;
  answered = false;
  readonly #target: RequestTarget;
  readonly #host: RequestHost | null;
  #sender: StreamedContent | undefined = undefined;
  #goneListeners: (() => void)[] | undefined = undefined;
  #isGone = false;
  #isEnded = false;

  /** @param at Index of the first word of a record whose texts were read. */
  constructor(pump: Pump, sink: RequestSink, batch: EventBatch, at: number) {
    const { words } = batch;
    this.pump = pump;
    this.sink = sink;
    this.batch = batch;
    this.at = at;
    this.connection = words[at + 2]!;
    this.generation = words[at + 3]!;
    this.#target = pump.texts.target;
    this.#host = pump.texts.host;
    const flags = (words[at + 1]! >>> 8) & CONTENT_FLAGS;
    if (flags === REQUEST_HAS_CONTENT) {
      this.hasContent = true;
      const first = this.contentInRecord().slice();
      this.content = new RequestContent(this, first);
      pump.keep(this);
    } else {
      this.hasContent = contentLength(batch, at) > 0;
      this.content = undefined;
    }
    this.request = lazyRequest(this);
  }

  /** The URL with the target as the client wrote it, not normalised. */
  get url(): string {
    const { scheme, authority } = this.sink;
    return this.#target.url(scheme, this.#host?.text || authority);
  }

  get host(): string | null {
    return this.#host === null ? null : this.#host.text;
  }

  get path(): string | undefined {
    return this.#host === null || this.#host.isValid
      ? this.#target.path
      : undefined;
  }

  /** Whether the client has left. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Whether an answer would reach nobody, or was given already. */
  get isOver(): boolean {
    return this.answered || this.#isGone || this.#isEnded ||
      this.pump.isClosed;
  }

  /** Whether somebody wants to know if the client leaves. */
  get isWatched(): boolean {
    return this.#goneListeners !== undefined;
  }

  remoteAddress(): PeerAddress | null {
    return this.#isEnded ? null : peerAddressIn(this.batch, this.at);
  }

  clientCertificate(): ShownCertificate | undefined {
    const { batch, connection, generation, pump } = this;
    const flags = batch.words[this.at + 1]! >>> 8;
    if ((flags & REQUEST_HAS_CERTIFICATE) === 0) return undefined;
    const bytes = pump.calls.peerCertificate(connection, generation);
    return bytes && decodePeerCertificate(bytes);
  }

  setIdleTimeout(seconds: number): void {
    if (this.#isEnded || this.#isGone) return;
    const { commands } = this.pump;
    const at = commands.begin(
      COMMAND_TIMEOUT,
      this.connection,
      this.generation,
      4,
    );
    commands.words[at + 4] = Math.min(seconds * 1_000, LONGEST_TIMEOUT);
    commands.end((at + 5) << 2);
    this.pump.written();
  }

  onClientGone(listener: () => void): void {
    if (this.#isGone) return listener();
    if (this.#isEnded) return;
    this.#goneListeners ??= [];
    this.#goneListeners.push(listener);
  }

  answerNow(answer: Response): void {
    if (this.isOver) return;
    this.answered = true;
    sendAnswer(this, answer);
  }

  upgrade(
    plan: WebSocketPlan,
    headers: Headers,
    events: WebSocketEvents,
  ): EngineWebSocket | undefined {
    if (this.isOver || this.sink.isStopping) return undefined;
    const socket = upgradeToWebSocket(this, plan, headers, events);
    if (socket === undefined) return undefined;
    this.answered = true;
    // The request may be kept for as long as the socket lives.
    this.#compact();
    this.end();
    return socket;
  }

  openEventStream(
    plan: EventStreamPlan,
    headers: Headers,
    first: string,
    events: EventStreamEvents,
  ): EngineEventStream | undefined {
    if (this.isOver) return undefined;
    const stream = openEventStream(this, plan, headers, first, events);
    if (stream !== undefined) this.answered = true;
    return stream;
  }

  /** Sends what the handler answered, if there is anybody to send it to. */
  settle(answer: Answer): void {
    if (!this.isOver) return sendAnswer(this, answer);
    discard(answer);
    if (!this.answered) this.end();
  }

  /** The content that is in the record; it must not be changed. */
  contentInRecord(): Uint8Array<ArrayBuffer> {
    const { batch, at } = this;
    const start = contentStart(batch, at);
    return batch.bytes.subarray(start, start + contentLength(batch, at));
  }

  /** Asks the I/O thread for the content; see {@linkcode ContentSource}. */
  ask(mode: "stream" | "gather"): void {
    const { commands } = this.pump;
    const at = commands.begin(
      COMMAND_CONTENT,
      this.connection,
      this.generation,
      4,
    );
    commands.words[at + 4] = mode === "stream"
      ? CONTENT_STREAM
      : CONTENT_GATHER;
    commands.end((at + 5) << 2);
    this.pump.written();
  }

  /** Copies content that has arrived; see {@linkcode ContentSource}. */
  take(target: Uint8Array<ArrayBuffer>): number {
    return this.pump.calls.take(this.connection, this.generation, target);
  }

  /** The content will not be complete: `status` refuses the request. */
  contentFailed(status: number): void {
    this.refusal = status === 413 ? 413 : 400;
    this.content?.fail(
      this.refusal === 413
        ? contentTooLarge(this.sink.maxRequestBodySize)
        : new Error("Cannot read the request body: it is malformed"),
    );
  }

  /** The response streams from now on, for as long as that takes. */
  stream(sender: StreamedContent): void {
    this.#sender = sender;
    this.#compact();
    this.pump.keep(this);
  }

  /** So many bytes of a streamed response have been written. */
  wrote(size: number): void {
    this.#sender?.wrote(size);
  }

  /** The client left, or was cut at a deadline. */
  leave(): void {
    if (this.#isGone || this.#isEnded) return;
    this.#isGone = true;
    const { content } = this;
    if (content !== undefined && !content.isComplete) {
      this.refusal = 400;
      content.fail(
        new Error("Cannot read the request body: the client has left"),
      );
    }
    this.#sender?.cancel(new ClientGoneError());
    for (const listener of this.#goneListeners ?? []) listener();
    this.pump.forget(this);
  }

  /** The response was handed over whole, and nobody waits for more. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.content?.fail(
      new Error("Cannot read the request body: the request was answered"),
    );
    this.pump.forget(this);
  }

  /** What lives long must not hold the records of others. */
  #compact(): void {
    const { words } = this.batch;
    const start = this.at << 2;
    const size = words[this.at]!;
    if (size * 2 > this.batch.bytes.length) return;
    this.batch = new EventBatch(this.batch.bytes.slice(start, start + size));
    this.at = 0;
  }
}

/** The error that reading content beyond the limit rejects with. */
function contentTooLarge(limit: number): RangeError {
  return Object.assign(
    new RangeError(
      `Cannot read the request body: it exceeds maxRequestBodySize (${limit} bytes)`,
    ),
    { code: "ERR_BODY_TOO_LARGE" },
  );
}
