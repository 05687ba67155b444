import { Buffer } from "node:buffer";
import type {
  EngineWebSocket,
  Publication,
  PublishPolicy,
} from "../engine/engine.ts";
import {
  describe,
  invalidOption,
  outOfRange,
} from "../options/option_error.ts";
import { publishOptions } from "../options/publish_options.ts";
import { type Closing, closingOf } from "./close_code.ts";
import type { WebSocketHub } from "./hub.ts";
import { Outbox } from "./outbox.ts";
import {
  type Payload,
  PendingBytes,
  sizeOf,
  toBytes,
  toPayload,
  toText,
} from "./payload.ts";
import type {
  ServerWebSocket,
  ServerWebSocketSendStatus,
  WebSocketBinaryType,
  WebSocketBytes,
  WebSocketPublishOptions,
  WebSocketReadyState,
} from "./types.ts";

const OPEN = 1;
const CLOSED = 3;

/** What a control frame can hold: RFC 6455, section 5.5. */
const LONGEST_CONTROL_PAYLOAD = 125;

const BINARY_TYPES: readonly unknown[] = [
  "nodebuffer",
  "arraybuffer",
  "uint8array",
  "blob",
];

/** A binary message in the form that `binaryType` asks for. */
export type BinaryMessage =
  | Buffer<ArrayBuffer>
  | ArrayBuffer
  | Uint8Array<ArrayBuffer>
  | Blob;

/** What the hub may do with a socket and users may not. */
export interface SocketInternals {
  /** Gives bytes the form that the socket's user wants. */
  toMessage(socket: ServerSocket, data: ArrayBuffer): BinaryMessage;
  /** Sends to the client, behind whatever is being read for it. */
  deliver(
    socket: ServerSocket,
    data: Payload,
    compress: boolean,
    size: number,
    publication: Publication | undefined,
  ): number;
  /** The engine's socket. */
  engineOf(socket: ServerSocket): EngineWebSocket;
  /**
   * The engine's socket, if what is sent need not stay behind what is being
   * read for it.
   */
  directOf(socket: ServerSocket): EngineWebSocket | undefined;
  /** Says that the connection is gone; false if that is known. */
  markClosed(socket: ServerSocket): boolean;
}

/** Works on the private parts of {@linkcode ServerSocket}. */
export let internals: SocketInternals;

/** The socket behind {@linkcode ServerWebSocket}; nothing is its own property. */
export class ServerSocket<Data = unknown> implements ServerWebSocket<Data> {
  readonly #hub: WebSocketHub;
  readonly #engine: EngineWebSocket;
  readonly #remoteAddress: string | undefined;
  #data: Data;
  #binaryType: WebSocketBinaryType = "nodebuffer";
  #isClosed = false;
  #isPaused = false;
  /** Holds what is sent while a Blob is being read. */
  #outbox: Outbox | undefined;

  static {
    internals = {
      toMessage: (socket, data) => socket.#toMessage(data),
      deliver: (socket, data, compress, size, publication) =>
        socket.#deliver(data, compress, size, publication),
      engineOf: (socket) => socket.#engine,
      directOf: (socket) =>
        socket.#outbox === undefined ? socket.#engine : undefined,
      markClosed: (socket) => socket.#markClosed(),
    };
  }

  constructor(
    hub: WebSocketHub,
    engine: EngineWebSocket,
    remoteAddress: string | undefined,
    data: Data,
  ) {
    this.#hub = hub;
    this.#engine = engine;
    this.#remoteAddress = remoteAddress;
    this.#data = data;
    engine.context = this;
  }

  get data(): Data {
    return this.#data;
  }

  set data(data: Data) {
    this.#data = data;
  }

  get remoteAddress(): string | undefined {
    return this.#remoteAddress;
  }

  get readyState(): WebSocketReadyState {
    return this.#isClosed ? CLOSED : OPEN;
  }

  get binaryType(): WebSocketBinaryType {
    return this.#binaryType;
  }

  set binaryType(type: WebSocketBinaryType) {
    if (!BINARY_TYPES.includes(type)) {
      throw invalidOption(
        `Cannot use binaryType ${describe(type)}: expected one of ${
          BINARY_TYPES.map(describe).join(", ")
        }`,
      );
    }
    this.#binaryType = type;
  }

  get subscriptions(): string[] {
    return this.#hub.topics.topicsOf(this);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  send(
    data: string | WebSocketBytes,
    compress?: boolean,
  ): ServerWebSocketSendStatus {
    return this.#send(toPayload(data), compress);
  }

  sendText(data: string, compress?: boolean): ServerWebSocketSendStatus {
    return this.#send(toText(data), compress);
  }

  sendBinary(
    data: WebSocketBytes,
    compress?: boolean,
  ): ServerWebSocketSendStatus {
    return this.#send(toBytes(data), compress);
  }

  publish(
    topic: string,
    data: string | WebSocketBytes,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus {
    return this.#publish(topic, toPayload(data), options);
  }

  publishText(
    topic: string,
    data: string,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus {
    return this.#publish(topic, toText(data), options);
  }

  publishBinary(
    topic: string,
    data: WebSocketBytes,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus {
    return this.#publish(topic, toBytes(data), options);
  }

  subscribe(topic: string): boolean {
    checkTopic(topic);
    if (this.#isClosed) return false;
    this.#hub.subscribe(this, topic);
    return true;
  }

  unsubscribe(topic: string): boolean {
    checkTopic(topic);
    return this.#hub.unsubscribe(this, topic);
  }

  isSubscribed(topic: string): boolean {
    checkTopic(topic);
    return this.#hub.topics.has(this, topic);
  }

  cork<Result>(
    callback: (socket: ServerWebSocket<Data>) => Result,
  ): Result {
    if (typeof callback !== "function") {
      throw invalidOption(
        `Cannot cork ${describe(callback)}: expected a function`,
      );
    }
    return callback(this);
  }

  ping(data?: string | WebSocketBytes): ServerWebSocketSendStatus {
    const payload = controlPayload(data);
    if (this.#isClosed) return 0;
    if (payload instanceof PendingBytes) {
      return this.#later(payload, (bytes) => void this.#engine.ping(bytes));
    }
    return this.#engine.ping(payload);
  }

  pong(data?: string | WebSocketBytes): ServerWebSocketSendStatus {
    const payload = controlPayload(data);
    if (this.#isClosed) return 0;
    if (payload instanceof PendingBytes) {
      return this.#later(payload, (bytes) => void this.#engine.pong(bytes));
    }
    return this.#engine.pong(payload);
  }

  close(code?: number, reason?: string): void {
    const closing = closingOf(code, reason);
    if (!this.#markClosed()) return;
    const { frameCode, reason: text } = closing;
    this.#inTurn(() => this.#engine.close(frameCode, text));
    this.#end(closing);
  }

  terminate(): void {
    if (!this.#markClosed()) return;
    this.#inTurn(() => this.#engine.terminate());
    this.#end({ code: 1006, reason: "" });
  }

  getBufferedAmount(): number {
    if (this.#isClosed) return 0;
    return this.#engine.bufferedAmount + (this.#outbox?.bytes ?? 0);
  }

  pause(): void {
    if (this.#isClosed || this.#isPaused) return;
    this.#isPaused = true;
    this.#engine.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#engine.resume();
  }

  get [Symbol.toStringTag](): string {
    return "ServerWebSocket";
  }

  #send(payload: Payload, compress: unknown): number {
    return this.#isClosed ? 0 : this.#deliver(payload, compress === true);
  }

  #publish(topic: string, payload: Payload, options: unknown): number {
    checkTopic(topic);
    let compress = options === true;
    let policy: PublishPolicy | undefined;
    if (typeof options === "object" && options !== null) {
      ({ compress, policy } = publishOptions(options, false));
    }
    const hub = this.#hub;
    const except = hub.publishesToSelf ? undefined : this;
    return hub.publish(topic, payload, compress, except, policy);
  }

  #deliver(
    payload: Payload,
    compress: boolean,
    size?: number,
    publication?: Publication,
  ): number {
    if (this.#outbox === undefined && !(payload instanceof PendingBytes)) {
      return this.#engine.send(payload, compress, size, publication);
    }
    const limit = this.#hub.backpressureLimit;
    if (limit > 0 && this.getBufferedAmount() > limit) {
      // Others may have to wait for a Blob, but what waits is bounded.
      if (publication?.policy === "disconnect") this.terminate();
      return 0;
    }
    const send = (data: string | Uint8Array<ArrayBuffer>) =>
      void this.#engine.send(data, compress, undefined, publication);
    if (payload instanceof PendingBytes) return this.#later(payload, send);
    // The sender may reuse its buffer as soon as this returns.
    const kept = typeof payload === "string" ? payload : payload.slice();
    const length = sizeOf(kept);
    this.#outbox!.add(length, () => send(kept));
    return length;
  }

  /** Sends what is still being read, and holds what follows it. */
  #later(
    pending: PendingBytes,
    send: (bytes: Uint8Array<ArrayBuffer>) => void,
  ): number {
    this.#outbox ??= new Outbox(() => this.#outbox = undefined);
    this.#outbox.add(
      pending.size,
      () =>
        pending.bytes.then(
          send,
          (error) => this.#hub.fail(error, this),
        ),
    );
    return pending.size;
  }

  #inTurn(errand: () => void): void {
    if (this.#outbox === undefined) errand();
    else this.#outbox.add(0, errand);
  }

  #markClosed(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#isPaused = false;
    return true;
  }

  #end({ code, reason }: Pick<Closing, "code" | "reason">): void {
    this.#hub.ended(this, code, reason);
  }

  #toMessage(data: ArrayBuffer): BinaryMessage {
    switch (this.#binaryType) {
      case "nodebuffer":
        return Buffer.from(data);
      case "arraybuffer":
        return data;
      case "uint8array":
        return new Uint8Array(data);
      case "blob":
        return new Blob([data]);
    }
  }
}

// What programs see when they look.
Object.defineProperty(ServerSocket, "name", { value: "ServerWebSocket" });

/**
 * Checks the name of a topic.
 *
 * @throws {TypeError} If it is not a string, or empty.
 */
export function checkTopic(topic: unknown): void {
  if (typeof topic === "string" && topic !== "") return;
  throw invalidOption(
    `Cannot use topic ${describe(topic)}: expected a string that is not empty`,
  );
}

function controlPayload(
  data: unknown,
): Uint8Array<ArrayBuffer> | PendingBytes {
  if (data === undefined || data === null) return new Uint8Array(0);
  const payload = typeof data === "string"
    ? new TextEncoder().encode(data)
    : toBytes(data);
  const size = payload instanceof PendingBytes ? payload.size : payload.length;
  if (size <= LONGEST_CONTROL_PAYLOAD) return payload;
  throw outOfRange(
    `Cannot send ${size} bytes in a control frame: expected at most ${LONGEST_CONTROL_PAYLOAD}`,
  );
}
