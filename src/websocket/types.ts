/**
 * The types of WebSockets on a server.
 *
 * @module
 */

import type { Buffer } from "node:buffer";

/**
 * What became of a message: the number of bytes of its payload that were
 * accepted, -1 if they wait for a slow client, 0 if the message was dropped
 * (or is empty).
 */
export type ServerWebSocketSendStatus = number;

/** 1 while a socket is open, 3 once it is closed; 0 and 2 never occur. */
export type WebSocketReadyState = 0 | 1 | 2 | 3;

/** What binary messages arrive as. */
export type WebSocketBinaryType =
  | "nodebuffer"
  | "arraybuffer"
  | "uint8array"
  | "blob";

/** Bytes to send. */
export type WebSocketBytes =
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Blob;

/**
 * One open WebSocket. Every callback receives the same object for the same
 * client.
 *
 * @typeParam Data The type of `data`.
 *
 * @example
 * ```ts
 * import { serve } from "@jstime/serve";
 *
 * const server = serve({
 *   port: 0,
 *   fetch: (request, server) => {
 *     if (server.upgrade(request)) return;
 *     return new Response("Expected a WebSocket", { status: 426 });
 *   },
 *   websocket: {
 *     message: (socket, message) => {
 *       socket.send(message);
 *     },
 *   },
 * });
 * const client = new WebSocket(server.url);
 * client.onopen = () => client.send("hello");
 * await new Promise((resolve) => client.onmessage = resolve);
 * client.close();
 * await server.stop();
 * ```
 */
export interface ServerWebSocket<Data = undefined> {
  /** Whatever belongs to this client: what `upgrade` was given, or assigned. */
  data: Data;
  /** The client's IP address; undefined over Unix sockets. */
  readonly remoteAddress: string | undefined;
  /** 1 if open, 3 if closed. */
  readonly readyState: WebSocketReadyState;
  /**
   * What binary messages arrive as. Setting it to something else throws a
   * `TypeError`.
   *
   * @default {"nodebuffer"}
   */
  binaryType: WebSocketBinaryType;
  /** The topics that this socket is subscribed to; empty once it is closed. */
  readonly subscriptions: string[];
  /** Whether `pause` is in force; false once the socket is closed. */
  readonly isPaused: boolean;

  /**
   * Sends a message: text for a string, else binary. Other values are sent as
   * `String(data)`.
   *
   * @param compress Compress it, if compression was negotiated.
   * @returns Bytes accepted; -1 if they wait for a slow client, or behind so
   * much that they may have to, in which case `drain` follows; 0 if dropped
   * because the socket is closed or more than `backpressureLimit` bytes wait
   * already.
   * @throws {TypeError} If `data` is null or undefined.
   */
  send(
    data: string | WebSocketBytes,
    compress?: boolean,
  ): ServerWebSocketSendStatus;
  /**
   * Sends a text message, as `send`.
   *
   * @throws {TypeError} If `data` is not a string.
   */
  sendText(data: string, compress?: boolean): ServerWebSocketSendStatus;
  /**
   * Sends a binary message, as `send`.
   *
   * @throws {TypeError} If `data` is not bytes.
   */
  sendBinary(
    data: WebSocketBytes,
    compress?: boolean,
  ): ServerWebSocketSendStatus;

  /**
   * Sends a message to everybody who is subscribed to a topic, on all servers of
   * a `bus`, except this socket unless `publishToSelf` is set. A closed socket can
   * publish too.
   *
   * @param options Whether to compress it, and what to do for subscribers that
   * are too slow.
   * @returns Bytes of the payload; -1 if they wait for a slow subscriber; 0 if
   * any subscriber's was dropped, or there is none.
   * @throws {TypeError} If the topic is not a string or is empty, `data` is null
   * or undefined, or there is no such policy.
   */
  publish(
    topic: string,
    data: string | WebSocketBytes,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus;
  /**
   * Publishes text, as `publish`.
   *
   * @throws {TypeError} If `data` is not a string.
   */
  publishText(
    topic: string,
    data: string,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus;
  /**
   * Publishes bytes, as `publish`.
   *
   * @throws {TypeError} If `data` is not bytes.
   */
  publishBinary(
    topic: string,
    data: WebSocketBytes,
    options?: boolean | WebSocketPublishOptions,
  ): ServerWebSocketSendStatus;

  /**
   * Subscribes to a topic.
   *
   * @returns Whether it is subscribed now; false if the socket is closed.
   * @throws {TypeError} If the topic is not a string or is empty.
   */
  subscribe(topic: string): boolean;
  /**
   * Ends a subscription.
   *
   * @returns Whether there was one.
   * @throws {TypeError} If the topic is not a string or is empty.
   */
  unsubscribe(topic: string): boolean;
  /**
   * Whether this socket is subscribed to a topic.
   *
   * @throws {TypeError} If the topic is not a string or is empty.
   */
  isSubscribed(topic: string): boolean;

  /**
   * Calls `callback` with this socket and returns what it returns. The native
   * engine sends everything at once that is sent in one turn of the event loop,
   * with or without this; the deno engine does not.
   */
  cork<Result>(
    callback: (socket: ServerWebSocket<Data>) => Result,
  ): Result;

  /**
   * Sends a ping. The deno engine cannot and returns 0.
   *
   * @param data At most 125 bytes.
   * @throws {RangeError} If it is longer.
   * @throws {TypeError} If it is neither text nor bytes.
   */
  ping(data?: string | WebSocketBytes): ServerWebSocketSendStatus;
  /**
   * Sends a pong nobody asked for; pings are answered without it. The deno
   * engine cannot and returns 0.
   *
   * @param data At most 125 bytes.
   * @throws {RangeError} If it is longer.
   * @throws {TypeError} If it is neither text nor bytes.
   */
  pong(data?: string | WebSocketBytes): ServerWebSocketSendStatus;

  /**
   * Closes the socket. The `close` handler runs before this returns; what was
   * sent before is delivered first.
   *
   * @param code 1000 by default; else 1001 to 1003, 1007 to 1014, or 3000 to
   * 4999. With 0, 1005 and 1006 the close frame has no code, so that codes of
   * the `close` handler can be passed on.
   * @param reason Cut to 123 bytes of UTF-8.
   * @throws {TypeError} If the code is not a number.
   * @throws {RangeError} If RFC 6455, section 7.4 does not allow the code.
   */
  close(code?: number, reason?: string): void;
  /**
   * Ends the connection without a close frame. The `close` handler gets 1006
   * before this returns; what was sent before is delivered first.
   */
  terminate(): void;

  /** Bytes that were sent but are not written yet. */
  getBufferedAmount(): number;

  /**
   * Stops reading from the client, which will notice and slow down. Messages
   * that have been read already are still delivered. The deno engine cannot
   * stop reading: it keeps up to `backpressureLimit` bytes of messages until
   * `resume`, and closes with 1008 beyond.
   */
  pause(): void;
  /** Reads again after `pause`. */
  resume(): void;
}

/**
 * What becomes of published messages for a subscriber that is too slow: one for
 * which more than `backpressureLimit` bytes wait.
 *
 * - `"drop-newest"`: it does not get the message.
 * - `"drop-oldest"`: it gets the message instead of the oldest ones with this
 *   policy that wait for it.
 * - `"latest"`: it gets the message instead of those with this policy that wait
 *   for it and are of the same topic. Until it has caught up, at most one of
 *   each topic waits.
 * - `"disconnect"`: its connection is cut, and `close` gets 1006.
 *
 * Messages that have begun to travel, those of `send`, pings and pongs are never
 * taken back. Others do not notice whether a subscriber is slow.
 */
export type WebSocketPolicy =
  | "drop-newest"
  | "drop-oldest"
  | "latest"
  | "disconnect";

/** How to publish. */
export interface WebSocketPublishOptions {
  /**
   * What to do for subscribers that are too slow.
   *
   * @default {what `websocket.topics` says, else "drop-newest"}
   */
  readonly policy?: WebSocketPolicy;
  /** Compress the message for clients that can. */
  readonly compress?: boolean;
}

/** What holds for all messages of a topic. */
export interface WebSocketTopicOptions {
  /**
   * What to do for subscribers that are too slow.
   *
   * @default {"drop-newest"}
   */
  readonly policy?: WebSocketPolicy;
}

/** How messages of one direction are compressed. */
export type WebSocketCompressor =
  | "disable"
  | "shared"
  | "dedicated"
  | "3KB"
  | "4KB"
  | "8KB"
  | "16KB"
  | "32KB"
  | "64KB"
  | "128KB"
  | "256KB";

/** Compression by direction. */
export interface WebSocketDeflateOptions {
  /** For messages that the server sends: `true` is `"shared"`. */
  readonly compress?: WebSocketCompressor | boolean;
  /** For messages that the server receives: `true` is `"shared"`. */
  readonly decompress?: WebSocketCompressor | boolean;
}

/**
 * The `websocket` option of `serve`: handlers for all WebSockets of a server,
 * and their limits. Handlers may be async; what they reject with is an
 * unhandled rejection.
 *
 * @typeParam Data The type of `socket.data`.
 */
export interface WebSocketHandler<Data = undefined> {
  /** Only its type matters: `{} as Data` types `socket.data`. */
  readonly data?: Data;
  /**
   * A message arrived: text as a string, else a `Buffer`, or what
   * `binaryType` says.
   */
  message?(
    socket: ServerWebSocket<Data>,
    message: string | Buffer<ArrayBuffer>,
  ): void | Promise<void>;
  /** A socket is open. Runs inside `upgrade`; if it throws, the socket closes. */
  open?(socket: ServerWebSocket<Data>): void | Promise<void>;
  /**
   * What a slow client had not taken has been written. The deno engine looks
   * every few milliseconds.
   */
  drain?(socket: ServerWebSocket<Data>): void | Promise<void>;
  /**
   * A socket is closed; called exactly once for each. It has no subscriptions
   * any more.
   *
   * @param code 1005 if the client gave none, 1006 if the connection was lost
   * or the client broke the protocol.
   */
  close?(
    socket: ServerWebSocket<Data>,
    code: number,
    reason: string,
  ): void | Promise<void>;
  /** A ping arrived and was answered. Never called by the deno engine. */
  ping?(
    socket: ServerWebSocket<Data>,
    data: Buffer<ArrayBuffer>,
  ): void | Promise<void>;
  /** A pong arrived. Never called by the deno engine. */
  pong?(
    socket: ServerWebSocket<Data>,
    data: Buffer<ArrayBuffer>,
  ): void | Promise<void>;
  /**
   * Another handler threw. Without it that is an uncaught exception.
   *
   * @param error What was thrown.
   */
  error?(error: Error, socket: ServerWebSocket<Data>): void | Promise<void>;

  /**
   * Messages longer than this many bytes close the socket with 1009.
   *
   * @default {16777216}
   */
  readonly maxPayloadLength?: number;
  /**
   * While more than this many bytes wait for a slow client, further messages
   * to it are dropped; 0 is never.
   *
   * @default {16777216}
   */
  readonly backpressureLimit?: number;
  /**
   * Topics by name whose messages have another policy than `"drop-newest"` for
   * subscribers that are too slow, unless `publish` is told what to do.
   *
   * @example
   * ```ts
   * import { serve } from "@jstime/serve";
   *
   * await using server = serve({
   *   port: 0,
   *   fetch: (request, server) => void server.upgrade(request),
   *   websocket: {
   *     topics: { prices: { policy: "latest" } },
   *     open: (socket) => void socket.subscribe("prices"),
   *   },
   * });
   * server.publish("prices", "101");
   * server.publish("news", "Hello", { policy: "drop-oldest" });
   * ```
   */
  readonly topics?: Readonly<Record<string, WebSocketTopicOptions>>;
  /**
   * Close the connection instead of dropping messages.
   *
   * @default {false}
   */
  readonly closeOnBackpressureLimit?: boolean;
  /**
   * Seconds of silence before a socket is closed, 0 to 960; 0 is never, 1 to 7
   * count as 8. On the native engine whatever the client sends breaks its
   * silence, and so does taking what had to wait for it; on the deno engine
   * without `sendPings`, messages do.
   *
   * @default {120}
   */
  readonly idleTimeout?: number;
  /**
   * Ping silent clients; those that answer are not idle.
   *
   * @default {true}
   */
  readonly sendPings?: boolean;
  /**
   * `socket.publish` reaches the socket itself too.
   *
   * @default {false}
   */
  readonly publishToSelf?: boolean;
  /**
   * Compress messages for clients that can. The deno engine cannot and warns.
   *
   * @default {false}
   */
  readonly perMessageDeflate?: boolean | WebSocketDeflateOptions;
}
