/**
 * The contract with the helper: the constants of `helper/src/abi.rs`, where
 * everything is explained. A test compares the two files.
 *
 * @module
 */

/** Changes whenever anything in this file does. */
export const ABI: number = 1;

// Shared memory, sizes in bytes

/** Size of the control words. */
export const CONTROL_BYTES: number = 4096;
/** Size of the events ring. */
export const EVENTS_BYTES: number = 1 << 20;
/** Size of the commands ring. */
export const COMMANDS_BYTES: number = 1 << 20;
/** The most connections of one I/O thread. */
export const MAX_CONNECTIONS: number = 1 << 18;
/** Size of a region. */
export const REGION_BYTES: number = CONTROL_BYTES + EVENTS_BYTES +
  COMMANDS_BYTES + MAX_CONNECTIONS * 12;
/** Records begin at multiples of this. */
export const RECORD_ALIGN: number = 16;
/** Content up to this size travels inside a record. */
export const INLINE_CONTENT: number = 32 * 1024;
/** The token of content that is there while its command is carried out. */
export const CONTENT_PRESENT: number = 0xffff_ffff;

// Control words: indices of 32-bit words, each on cache lines of its own.

/** End of what was written to the events ring; by the I/O thread. */
export const EVENTS_HEAD: number = 0;
/** End of what was read from it; by JavaScript. */
export const EVENTS_TAIL: number = 32;
/** End of what was written to the commands ring; by JavaScript. */
export const COMMANDS_HEAD: number = 64;
/** End of what was read from it; by the I/O thread. */
export const COMMANDS_TAIL: number = 96;
/** 1 while JavaScript waits for the doorbell. */
export const JS_SLEEPS: number = 128;
/** 1 while the I/O thread waits for the system. */
export const IO_SLEEPS: number = 160;
/** 1 while the I/O thread waits for space in the events ring. */
export const EVENTS_BLOCKED: number = 192;
/** 1 while JavaScript waits for space in the commands ring. */
export const COMMANDS_BLOCKED: number = 224;
/**
 * How many REQUEST events JavaScript has begun to handle or skipped; modulo
 * 2^32. What was sent and not begun is the queue into JavaScript.
 */
export const REQUESTS_STARTED: number = 256;

// Events: kinds, flags, words

/** Fills the end of either ring; only its first two words are there. */
export const PAD: number = 0;
/** A request whose head is complete. */
export const EVENT_REQUEST: number = 1;
/**
 * Content has arrived and waits for `jstime_take`. Word 4: bytes waiting. Flag
 * CONTENT_END: they are the last. Sent when something arrives after all was
 * taken, and at the end; in gather mode only at the end.
 */
export const EVENT_CONTENT: number = 2;
/**
 * Content will not be complete. Word 4: the status to refuse it with, 400 or
 * 413.
 */
export const EVENT_CONTENT_FAILED: number = 3;
/**
 * The client left, or was cut at a deadline, before its response was complete.
 * Word 4: 1 if it was a deadline.
 */
export const EVENT_GONE: number = 4;
/** A streamed response: word 4 more bytes have been written to the socket. */
export const EVENT_WRITTEN: number = 5;
/** A response with flag NOTIFY was written whole. */
export const EVENT_DONE: number = 6;
/**
 * Word 4: a listener that has stopped and has no connections left. Its id may
 * be used again.
 */
export const EVENT_STOPPED: number = 7;
/** Asks for nothing: shows whether JavaScript runs. */
export const EVENT_HEARTBEAT: number = 8;
/** The commands ring has space again. */
export const EVENT_SPACE: number = 9;

// WebSockets. After an UPGRADE command the connection and the generation of its
// request are those of the socket, for as long as it lives.

/**
 * A message. Word 4: its length; flag MESSAGE_TEXT. It follows, unless flag
 * MESSAGE_WAITS is set: then it waits for `jstime_take`, behind those before it,
 * and must be taken whole before the next event of this socket is read.
 */
export const EVENT_MESSAGE: number = 10;
/** A ping, already answered. Word 4: length of its payload, which follows. */
export const EVENT_PING: number = 11;
/** A pong; as EVENT_PING. */
export const EVENT_PONG: number = 12;
/** Everything has been written, after `blocked` was 1. */
export const EVENT_DRAIN: number = 13;
/**
 * The socket is gone, and not by a CLOSE or TERMINATE command. Word 4: the code
 * of the close frame, 1005 for an empty one, 1006 without; word 5: length of the
 * reason, which follows. The last event of the socket.
 */
export const EVENT_CLOSED: number = 14;
/**
 * A TCP connection. Word 4: its listener, or with flag TCP_CONNECTED the attempt
 * that it comes from; such a one is not read from before TCP_RESUME. Then the
 * addresses of the peer and of this side.
 */
export const EVENT_TCP_OPEN: number = 40;
/** Word 4: an attempt that has failed, word 5: the error number. */
export const EVENT_TCP_REFUSED: number = 41;
/** Bytes have arrived. Word 4: how many; they follow. */
export const EVENT_TCP_DATA: number = 42;
/** The peer will send nothing more. */
export const EVENT_TCP_END: number = 43;
/** Everything that was written before TCP_ASK_DRAIN is on its way. */
export const EVENT_TCP_DRAIN: number = 44;
/**
 * The connection is gone, for whatever reason. Word 4: the error number, 0 if
 * it went as it should; flags TCP_WHILE_WRITING, TCP_IN_HANDSHAKE. With
 * TCP_UNTRUSTED word 5 is the length of the code that says what is wrong with
 * the peer's certificate, which follows. The last event.
 */
export const EVENT_TCP_CLOSED: number = 45;
/**
 * The TLS handshake is complete. Word 4: length of the protocol that was agreed
 * on, | length of the code that says why the peer is not to be trusted << 8, |
 * length of the name that the client has asked for << 16. They follow, and with
 * TCP_HAS_CERTIFICATE what the peer has shown, as `jstime_peer_certificate`
 * gives it. Flag TCP_AUTHORIZED.
 */
export const EVENT_TCP_SECURED: number = 46;
/**
 * There is much to read: `jstime_tcp_read` does that, or COMMAND_TCP_READ, with
 * the number of this offer, 4. Until then nothing is read. A pause ends it.
 */
export const EVENT_TCP_READABLE: number = 47;
/** Flag of EVENT_TCP_OPEN: see there. */
export const TCP_CONNECTED: number = 1 << 0;
/** Flag of EVENT_TCP_CLOSED: it was writing that has failed. */
export const TCP_WHILE_WRITING: number = 1 << 0;
/** Flag of EVENT_TCP_CLOSED: the TLS handshake has failed. */
export const TCP_IN_HANDSHAKE: number = 1 << 1;
/** Flag of EVENT_TCP_CLOSED: see there. */
export const TCP_UNTRUSTED: number = 1 << 2;
/** Flag of EVENT_TCP_SECURED: the peer's certificate was asked for and verified. */
export const TCP_AUTHORIZED: number = 1 << 0;
/** Flag of EVENT_TCP_SECURED: see there. */
export const TCP_HAS_CERTIFICATE: number = 1 << 1;
/** Flag of EVENT_MESSAGE: text, otherwise binary. */
export const MESSAGE_TEXT: number = 1 << 0;
/** Flag of EVENT_MESSAGE: see there. */
export const MESSAGE_WAITS: number = 1 << 1;

// Flags of EVENT_REQUEST.

/** HTTP/1.0. */
export const REQUEST_HTTP_1_0: number = 1 << 0;
/** The answer may become an event stream. */
export const REQUEST_EVENT_STREAM: number = 1 << 15;
/** There is content, or there may be (chunked). */
export const REQUEST_HAS_CONTENT: number = 1 << 1;
/** All of the content is in this record. */
export const REQUEST_CONTENT_COMPLETE: number = 1 << 2;
/** The text of the target is in this record. */
export const REQUEST_TARGET_DEFINED: number = 1 << 3;
/** The text of Host is in this record. */
export const REQUEST_HOST_DEFINED: number = 1 << 4;
/** The client asks for an upgrade (RFC 9110, 7.8). */
export const REQUEST_UPGRADE: number = 1 << 5;
/** The content's length was declared. */
export const REQUEST_LENGTH_KNOWN: number = 1 << 6;
/** The client has shown a certificate: see `jstime_peer_certificate`. */
export const REQUEST_HAS_CERTIFICATE = 1 << 7;
/** Flag of EVENT_CONTENT: what waits is the last. */
export const CONTENT_END: number = 1 << 0;
/** The number of slots for targets, and for Hosts. */
export const SLOTS: number = 512;
/** Texts longer than this get no slot. */
export const SLOT_TEXT_BYTES: number = 256;
/** A text that is not kept. */
export const NO_SLOT: number = 0xffff;
/** The request has no Host. */
export const NO_HOST: number = 0xfffe;
/** Words of a REQUEST before its variable part. */
export const REQUEST_WORDS: number = 20;

// Methods; as bits of a mask they are `1 << METHOD_*`.

/** Given as text. */
export const METHOD_OTHER: number = 0;
/** `GET`. */
export const METHOD_GET: number = 1;
/** `HEAD`. */
export const METHOD_HEAD: number = 2;
/** `POST`. */
export const METHOD_POST: number = 3;
/** `PUT`. */
export const METHOD_PUT: number = 4;
/** `PATCH`. */
export const METHOD_PATCH: number = 5;
/** `DELETE`. */
export const METHOD_DELETE: number = 6;
/** `OPTIONS`. */
export const METHOD_OPTIONS: number = 7;

// Commands

/** Answers with content that is in memory. */
export const COMMAND_RESPOND: number = 1;
/**
 * Answers with a file: 4 status, 5 length of the header lines, 6 file token
 * (spent), 7 reserved, 8 9 first byte, 10 11 one past the last, low and high.
 * Then header lines. The content length is the difference.
 */
export const COMMAND_RESPOND_FILE: number = 2;
/**
 * Begins a streamed answer: 4 status, 5 length of the header lines, 6 7
 * content length, low and high, if LENGTH_KNOWN; otherwise it is chunked, or
 * for HTTP/1.0 delimited by closing. Then header lines.
 */
export const COMMAND_RESPOND_STREAM: number = 3;
/**
 * More of it: 4 length, 5 token, if CONTENT_TOKEN; otherwise the bytes follow.
 */
export const COMMAND_CHUNK: number = 4;
/** Cuts the connection at once. */
export const COMMAND_ABORT: number = 5;
/** Idle timeout for this request: 4 milliseconds, 0 is never. */
export const COMMAND_TIMEOUT: number = 6;
/** Wants the request's content: 4 is CONTENT_STREAM or CONTENT_GATHER. */
export const COMMAND_CONTENT: number = 7;
/**
 * A streamed answer is an event stream from now on: 4 milliseconds of silence
 * until a comment is sent, 0 is never, 5 the most bytes that may wait when a part
 * is added; who has more is cut. Its written bytes are not told; `blocked` is 1
 * while its client does not take what it is sent.
 */
export const COMMAND_EVENT_STREAM: number = 30;
/**
 * Adds a part to many event streams: 4 length, 5 token if RESPOND_CONTENT_TOKEN,
 * 6 how many; then a connection and a generation for each, then the part.
 */
export const COMMAND_EVENT: number = 31;
/**
 * Makes the connection a WebSocket: 4 length of the header lines, 5 of the key, 6
 * of the extensions, 7 the most bytes of a message, 8 the most that may wait, 9
 * idle timeout in milliseconds, 10 and 11 windows for messages to and from
 * clients. Flags UPGRADE_*. Then header lines, key, extensions.
 */
export const COMMAND_UPGRADE: number = 8;
/**
 * Sends a message or a control frame: 4 length, 5 token if RESPOND_CONTENT_TOKEN;
 * otherwise the payload follows. Flags SEND_*.
 */
export const COMMAND_SEND: number = 9;
/**
 * Sends one message to many: 4 length, 5 token if RESPOND_CONTENT_TOKEN, 6 how
 * many; then a connection and a generation for each, then the payload. Flags
 * SEND_*.
 */
export const COMMAND_SEND_MANY: number = 10;
/**
 * Sends a close frame behind everything else and ends the connection soon: 4
 * code, 0 for an empty frame, 5 length of the reason, which follows.
 */
export const COMMAND_CLOSE: number = 11;
/** Ends the connection when everything is written. */
export const COMMAND_TERMINATE: number = 12;
/** Stops reading. */
export const COMMAND_PAUSE: number = 13;
/** Reads again. */
export const COMMAND_RESUME: number = 14;
/**
 * A socket is subscribed to a topic of a bus: 4 membership, as `jstime_bus_join`
 * returned it, 5 length of the topic, which follows. It ends with the socket.
 */
export const COMMAND_SUBSCRIBE: number = 20;
/** Ends a subscription; as COMMAND_SUBSCRIBE. */
export const COMMAND_UNSUBSCRIBE: number = 21;
/**
 * Writes to a TCP connection: 4 length, 5 token if RESPOND_CONTENT_TOKEN;
 * otherwise the bytes follow.
 */
export const COMMAND_TCP_WRITE: number = 40;
/** Asks for EVENT_TCP_DRAIN. */
export const COMMAND_TCP_ASK_DRAIN: number = 41;
/** Sends everything written, then the end. */
export const COMMAND_TCP_SHUTDOWN: number = 42;
/** What still arrives is thrown away. */
export const COMMAND_TCP_SHUTDOWN_READ: number = 43;
/** As both of them; and the connection ends when everything is written. */
export const COMMAND_TCP_CLOSE: number = 44;
/** Resets the connection. */
export const COMMAND_TCP_TERMINATE: number = 45;
/** Stops reading. */
export const COMMAND_TCP_PAUSE: number = 46;
/** Reads again. */
export const COMMAND_TCP_RESUME: number = 47;
/** `TCP_NODELAY`: 4 is 1 or 0. */
export const COMMAND_TCP_NO_DELAY: number = 48;
/** `SO_KEEPALIVE`: 4 is 1 or 0, 5 milliseconds until the first probe, or 0. */
export const COMMAND_TCP_KEEP_ALIVE: number = 49;
/** What TCP_READABLE has told of comes as TCP_DATA: 4 its number. */
export const COMMAND_TCP_READ: number = 50;
/**
 * Becomes a TLS client, behind everything written: 4 token of
 * `jstime_tcp_client`, 5 the bytes of TCP_DATA, modulo 2^32, that are not the
 * server's first of TLS. The others come back by TCP_GIVE_BACK.
 */
export const COMMAND_TCP_START_TLS: number = 51;
/** Gives back what arrived before TLS has begun, in order; as TCP_WRITE. */
export const COMMAND_TCP_GIVE_BACK: number = 52;
/** Flag of COMMAND_UPGRADE: cut the connection rather than drop a message. */
export const UPGRADE_CLOSE_ON_LIMIT: number = 1 << 0;
/** Flag of COMMAND_UPGRADE: ping silent clients. */
export const UPGRADE_SEND_PINGS: number = 1 << 1;
/** Flag of COMMAND_UPGRADE: agree to permessage-deflate (RFC 7692). */
export const UPGRADE_DEFLATE: number = 1 << 2;
/** Flag of COMMAND_SEND (bit 1 is RESPOND_CONTENT_TOKEN): text. */
export const SEND_TEXT: number = 1 << 2;
/** Flag of COMMAND_SEND: compress if that was agreed. */
export const SEND_COMPRESSED: number = 1 << 3;
/** Flag of COMMAND_SEND: a ping. */
export const SEND_PING: number = 1 << 4;
/** Flag of COMMAND_SEND: a pong. */
export const SEND_PONG: number = 1 << 5;
/**
 * Flag of COMMAND_SEND_MANY: a client that is too slow loses the oldest messages
 * that were sent with this flag and of which nothing is written.
 */
export const SEND_DROP_OLDEST: number = 1 << 6;
/**
 * Flag of COMMAND_SEND_MANY: for a client that is too slow this takes the place
 * of messages of the same topic that were sent with this flag and of which
 * nothing is written. The length of the topic (u32) and the topic follow the
 * receivers.
 */
export const SEND_LATEST: number = 1 << 7;
/** Flag of jstime_bus_publish: a client that is too slow is cut. */
export const SEND_DISCONNECT: number = 1 << 8;
/** No compressor. */
export const DEFLATE_NONE: number = 0;
/** One compressor for all sockets, without memory of earlier messages. */
export const DEFLATE_SHARED: number = 1;

// Flags of commands that answer.

/** Close the connection after this response. */
export const RESPOND_CLOSE: number = 1 << 0;
/** The content has a token. */
export const RESPOND_CONTENT_TOKEN: number = 1 << 1;
/** COMMAND_CHUNK: this is the last. */
export const RESPOND_END: number = 1 << 2;
/** The length of the stream is known. */
export const RESPOND_LENGTH_KNOWN: number = 1 << 3;
/** Send EVENT_DONE when it was written. */
export const RESPOND_NOTIFY: number = 1 << 4;
/**
 * There is no content at all (`null`), so that an answer to HEAD has no
 * `Content-Length` of its own.
 */
export const RESPOND_NO_CONTENT: number = 1 << 5;
/** No content type besides what the header lines say. */
export const TYPE_NONE: number = 0;
/** `text/plain;charset=UTF-8`. */
export const TYPE_TEXT: number = 1;
/** `application/json`. */
export const TYPE_JSON: number = 2;
/** Deliver content as it arrives, at most CONTENT_WINDOW waiting. */
export const CONTENT_STREAM: number = 1;
/** Deliver it when all of it is there. */
export const CONTENT_GATHER: number = 2;
/** Content that waits before the sender is held back. */
export const CONTENT_WINDOW: number = 256 * 1024;
/**
 * What a streamed response may have unwritten before its producer is not asked
 * for more.
 */
export const STREAM_WINDOW: number = 256 * 1024;

// jstime_listen: words of a plan, then texts: host or path, health, metrics

/** 1 TCP, 2 Unix. */
export const PLAN_TRANSPORT: number = 0;
/** LISTEN_REUSE_PORT, LISTEN_IPV6_ONLY. */
export const PLAN_FLAGS: number = 1;
/** TCP port; 0 lets the system choose. */
export const PLAN_PORT: number = 2;
/**
 * Length of the host name or IP literal, or of the path (abstract: it begins
 * with NUL).
 */
export const PLAN_HOST_LENGTH: number = 3;
/** Bytes, low word; larger content is refused with 413. */
export const PLAN_MAX_CONTENT_LOW: number = 4;
/** Bytes, high word. */
export const PLAN_MAX_CONTENT_HIGH: number = 5;
/** Milliseconds without progress, 0 is never. */
export const PLAN_IDLE_TIMEOUT: number = 6;
/** Milliseconds from the first byte of a head to its end; 0 is never. */
export const PLAN_HEAD_TIMEOUT: number = 7;
/** Connections; more are closed when they are accepted. */
export const PLAN_MAX_CONNECTIONS: number = 8;
/** Requests waiting for JavaScript; more are answered 503. */
export const PLAN_MAX_PENDING: number = 9;
/** Bytes of a head; larger ones are answered 431. */
export const PLAN_HEAD_BYTES: number = 10;
/** Header fields; more are answered 431. */
export const PLAN_HEADER_COUNT: number = 11;
/** Bytes of a target; longer ones are answered 414. */
export const PLAN_TARGET_BYTES: number = 12;
/** Milliseconds of stall from which the health route answers 503. */
export const PLAN_HEALTH_STALL: number = 13;
/** Length of the health route's path; 0 without. */
export const PLAN_HEALTH_LENGTH: number = 14;
/** Length of the metrics route's path; 0 without. */
export const PLAN_METRICS_LENGTH: number = 15;
/** Bytes per second that request content must make, averaged over 5 seconds. */
export const PLAN_MIN_CONTENT_RATE: number = 16;
/** The number of words. */
export const PLAN_WORDS: number = 20;
/** `SO_REUSEPORT`. */
export const LISTEN_REUSE_PORT: number = 1 << 0;
/** `IPV6_V6ONLY`. */
export const LISTEN_IPV6_ONLY: number = 1 << 1;
/** TLS, with the certificates that jstime_tls gives. */
export const LISTEN_TLS: number = 1 << 2;
/** Flag of a policy: clients without a trusted certificate are refused. */
export const POLICY_REQUIRED = 1 << 0;
/** A client refuses servers that are not to be trusted. */
export const CLIENT_VERIFIES: number = 1 << 0;
/** A client trusts Mozilla's authorities besides those that are given. */
export const CLIENT_BUNDLED_ROOTS: number = 1 << 1;
/** HTTP/2 besides HTTP/1.1: over TLS by ALPN, else by prior knowledge. */
export const LISTEN_HTTP2: number = 1 << 6;
/** Size of what jstime_listen writes. */
export const LISTEN_OUT_BYTES: number = 128;

// jstime_static: u32 number of entries, then entries, each at a multiple of 4

/** Words of an entry: */
export const STATIC_WORDS: number = 8;
/** Content in memory. */
export const STATIC_CONTENT: number = 1;
/** A file, opened for each request. */
export const STATIC_FILE: number = 2;
/** Any method. */
export const ALL_METHODS: number = 0xffff_ffff;

// jstime_metrics: indices of f64 values

/** Connections open now. */
export const METRIC_CONNECTIONS: number = 0;
/** Connections accepted. */
export const METRIC_CONNECTIONS_TOTAL: number = 1;
/** Connections closed when they were accepted, because of the limit. */
export const METRIC_CONNECTIONS_REFUSED: number = 2;
/** Requests with a complete head. */
export const METRIC_REQUESTS: number = 3;
/** Those answered without JavaScript. */
export const METRIC_REQUESTS_NATIVE: number = 4;
/** Those answered 503 because too many were waiting. */
export const METRIC_REQUESTS_SHED: number = 5;
/** Requests whose response is not complete. */
export const METRIC_PENDING: number = 6;
/** Requests waiting for JavaScript now. */
export const METRIC_QUEUE: number = 7;
/** Bytes read from sockets. */
export const METRIC_BYTES_READ: number = 8;
/** Bytes written to sockets. */
export const METRIC_BYTES_WRITTEN: number = 9;
/** Connections cut at a deadline. */
export const METRIC_TIMEOUTS: number = 10;
/** Milliseconds that JavaScript has not looked at its events for, now. */
export const METRIC_STALL_NOW: number = 11;
/** Sum of all stalls in milliseconds. */
export const METRIC_STALL_SUM: number = 12;
/**
 * First of the stall counts, one per bound in STALL_BOUNDS and one beyond;
 * each counts stalls up to its bound and beyond the one before.
 */
export const METRIC_STALLS: number = 13;
/** Milliseconds. */
export const STALL_BOUNDS: readonly number[] = [
  1,
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1000,
  2500,
  5000,
];
/** First of the response counts by status, 100 to 599. */
export const METRIC_STATUS: number = METRIC_STALLS + STALL_BOUNDS.length + 1;
/** The number of values. */
export const METRIC_COUNT: number = METRIC_STATUS + 500;
