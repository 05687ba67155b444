/**
 * The public function `sse()`.
 *
 * @module
 */

import { eventStreamOptions } from "./options/event_stream_options.ts";
import { EventStream } from "./sse/event_stream.ts";

/** Options of {@linkcode sse}. */
export interface EventStreamOptions {
  /**
   * The topic whose messages are sent: those of `server.publish(topic, data)`
   * and `socket.publish(topic, data)`.
   */
  readonly topic: string;
  /**
   * The type of the events, which `addEventListener` of a browser's
   * `EventSource` names: one line, without NUL.
   *
   * @default {"message"}
   */
  readonly event?: string;
  /**
   * Milliseconds that clients wait before they connect again: an integer from
   * 0 to 2147483647. By default they decide, which for browsers is a few
   * seconds.
   */
  readonly retry?: number;
  /**
   * Seconds of silence after which a comment is sent, so that nobody between
   * server and client takes the connection for dead: 0 to 86400; 0 is never. On
   * the native engine it is sent while JavaScript is busy, too.
   *
   * @default {15}
   */
  readonly heartbeat?: number;
  /**
   * How many of the topic's last messages are kept for clients that come again:
   * an integer from 0 to 10000. They are kept up to 1 MiB together. Of several
   * numbers for a topic the largest counts.
   *
   * @default {100}
   */
  readonly history?: number;
  /**
   * Bytes that may wait for a client that reads slowly, what it is replayed not
   * counted; when more do, the next message ends the connection instead. The
   * client comes again, and gets what it has missed from the history. An
   * integer from 0 to 1073741824.
   *
   * @default {1048576}
   */
  readonly backpressureLimit?: number;
  /**
   * More headers of the response. `Cache-Control` is `no-store` unless it is
   * here; `Content-Type` and framing are not for here.
   */
  readonly headers?: HeadersInit;
}

/**
 * Server-sent events by topic: a route whose clients get what is published to
 * it. Text is sent as it is, however many lines it has; bytes are sent as
 * Base64 (RFC 4648, section 4), since event streams are text.
 *
 * The result is a route, or one method of a route, or what a handler returns.
 * It answers GET, and HEAD without content; other methods get 405. Every event
 * has an `id`. A client that comes again with the last one that it has seen, as
 * `EventSource` does (header `Last-Event-ID`), is first sent what came after
 * it, as far as the topic's history goes. If that id is of another server, or of
 * this one before it was started again, that is all of the history; if it is no
 * id of such a server, nothing.
 *
 * The history of a topic that a route names begins with the server. That of a
 * topic which only handlers name begins with its first client; without clients
 * it is among the last 1,000 of its kind, and the last 16 MiB, that are kept.
 *
 * `server.publish` counts these clients like WebSockets, and so does
 * `server.subscriberCount`. `server.stop()` ends their streams, `reload` leaves
 * them alone. `idleTimeout` cuts clients for which something waits and who take
 * nothing of it, not those for whom there is nothing.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html}
 *
 * @example
 * ```ts
 * import { serve, sse } from "@jstime/serve";
 *
 * await using server = serve({
 *   port: 0,
 *   routes: {
 *     "/news": sse({ topic: "news", retry: 1_000 }),
 *     "/rooms/:id": (request) => sse({ topic: `room ${request.params.id}` }),
 *   },
 * });
 * const response = await fetch(new URL("/news", server.url));
 * server.publish("news", "It rains\nagain");
 *
 * let received = "";
 * for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
 *   received += text;
 *   if (received.includes("again")) break;
 * }
 * console.log(received); // retry: 1000 … id: … data: It rains … data: again
 * ```
 *
 * @throws {TypeError} If an option has the wrong type, `topic` is missing or
 * empty, `event` is empty or has line breaks or NUL, or `headers` has one that
 * is not for there.
 * @throws {RangeError} If a number is out of range.
 */
export function sse(options: EventStreamOptions): EventStream {
  return new EventStream(eventStreamOptions(options));
}
