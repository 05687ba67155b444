//! The contract between the helper and its JavaScript side (`../../abi.ts`):
//! exported functions, shared memory, records. Both files say the same; a test
//! compares their constants.
//!
//! # Shared memory
//!
//! Each I/O thread owns one region, allocated by the helper, which JavaScript
//! sees as one `ArrayBuffer`:
//!
//! ```text
//! | control words | events ring | commands ring | generations | delivered | blocked |
//! ```
//!
//! *Events* go to JavaScript, *commands* to the I/O thread. Both rings have one
//! producer and one consumer. Head (written by the producer) and tail (written
//! by the consumer) are free-running byte counters modulo 2^32; the position is
//! the counter modulo the ring's size, a power of two. Everything is
//! little-endian.
//!
//! A record never wraps: where it does not fit before the end of the ring, a
//! `PAD` record fills the rest. Its size is a multiple of [`RECORD_ALIGN`]. It
//! begins with four words:
//!
//! ```text
//! 0 size in bytes, these four words and the padding included
//! 1 kind (low 8 bits) and flags (the other 24)
//! 2 connection
//! 3 generation
//! ```
//!
//! *Connection* is an index, unique among the open connections of this thread.
//! *Generation* tells the requests of an index apart; it changes with every
//! request and when the connection ends. The current one is in the word
//! `generations[connection]`: JavaScript skips a request whose generation is no
//! longer current (its client has left), and the I/O thread ignores commands
//! with a stale one, but still frees the tokens that they carry.
//!
//! # Sleeping
//!
//! JavaScript sets [`JS_SLEEPS`], looks at the events ring once more, and then
//! waits in a read of the doorbell socket. After publishing events the I/O
//! thread swaps [`JS_SLEEPS`] to 0, and writes one byte to the doorbell if it
//! was 1. The other way round it is [`IO_SLEEPS`] and `jstime_wake`.
//!
//! A producer that finds its ring full sets [`EVENTS_BLOCKED`] (the I/O thread;
//! JavaScript then calls `jstime_wake` after consuming) or [`COMMANDS_BLOCKED`]
//! (JavaScript; the I/O thread then sends a `SPACE` event after consuming).
//!
//! # Tokens
//!
//! Content larger than [`INLINE_CONTENT`] does not travel through a ring:
//! `jstime_lend` copies it into the helper and returns a token, which a command
//! spends. Open files have tokens too (`jstime_file_open`). Tokens are never 0.
//! One of them, [`CONTENT_PRESENT`], stands for what `jstime_present` is given.
//!
//! # Exported functions
//!
//! Only numbers and buffers cross; a result below zero is `-errno`. Every
//! function is safe to call with any arguments but invalid buffers.
//!
//! ```text
//! jstime_abi() -> u32
//! jstime_open(threads: u32) -> i32                       handle > 0
//! jstime_memory(handle: u32, thread: u32) -> pointer     REGION_BYTES bytes; null: no such thread
//! jstime_doorbell(handle: u32, thread: u32, out: buffer, size: u32) -> i32
//!     Length of the socket's path written to `out`: on Linux an abstract name
//!     that begins with NUL. The first connection from this process is taken.
//! jstime_wake(handle: u32, thread: u32) -> void
//! jstime_help(handle: u32, thread: u32) -> void
//!     As jstime_wake, but if the thread sleeps its commands are carried out by
//!     the caller, which for a few small ones takes less than waking it.
//! jstime_present(handle: u32, thread: u32, connection: u32, head: u32, content: buffer, size: u32) -> u32
//!     If the thread is not in a turn, the caller carries out all commands up to
//!     `head`, which becomes COMMANDS_HEAD; the last one is for the connection,
//!     and has the content with the token CONTENT_PRESENT. 1 if that was done;
//!     0 if nothing was, as always for connections with TLS.
//! jstime_close(handle: u32) -> i32                       ends everything, joins the threads
//! jstime_listen(handle: u32, plan: buffer, size: u32, out: buffer, outSize: u32) -> i32
//!     Listener id >= 0. `out`: u32 port, then the address as text (LISTEN_OUT_BYTES).
//! jstime_stop(handle: u32, listener: u32, force: u32) -> i32
//!     Stops accepting at once; STOPPED follows when the last connection ended.
//! jstime_close_idle(handle: u32, listener: u32) -> i32   how many were closed
//! jstime_static(handle: u32, listener: u32, table: buffer, size: u32) -> i32
//! jstime_tls(handle: u32, listener: u32, certificates: buffer, size: u32) -> i32
//!     The certificates for connections from now on. Before the first, and for a
//!     plan with LISTEN_TLS, connections wait. -EINVAL: one cannot be used.
//!     `certificates`: u32 how many, then for each u32 length of its server name
//!     (0 for none), of the PEM chain, of the PEM key; then all texts. If clients
//!     are asked for certificates: again for each u32 length of its policy (0 asks
//!     for none), then all policies: u32 POLICY_REQUIRED or 0, u32 length of the
//!     PEM authorities, these, PEM revocation lists. A request over a connection
//!     that was made under another policy than that of its host is answered 421.
//! jstime_peer_certificate(handle: u32, thread: u32, connection: u32, generation: u32, out: buffer, size: u32) -> i32
//!     For requests with REQUEST_HAS_CERTIFICATE: the number of bytes that it
//!     takes, written if there is room. u32 length of the code that says why the
//!     client is not to be trusted, 0 if it is; u32 how many certificates; u32
//!     length of each; the code; the certificates (DER), the client's own first.
//!     -ENOENT: there is none, or the client has left.
//! jstime_metrics(handle: u32, listener: u32, out: buffer, size: u32) -> i32
//!     f64 per METRIC_*; the number of values written.
//! jstime_lend(handle: u32, content: buffer, size: u32) -> u32     token, 0: no such handle
//! jstime_take(handle: u32, thread: u32, connection: u32, generation: u32, out: buffer, size: u32) -> i32
//!     Copies request content that has arrived into `out`; the number of bytes.
//! jstime_bus_join(handle: u32, name: buffer, size: u32) -> i32
//!     Makes the threads of a handle members of a bus; a membership > 0. It ends
//!     with the handle at the latest.
//! jstime_bus_leave(membership: u32) -> i32
//! jstime_bus_publish(membership: u32, topic: buffer, topicSize: u32, payload: buffer, size: u32, flags: u32) -> i32
//!     Sends a message to the subscribers of a topic on other handles that are
//!     members of the same bus. Flags SEND_TEXT, SEND_COMPRESSED, SEND_DROP_OLDEST,
//!     SEND_LATEST, SEND_DISCONNECT. How many threads have it now; -EAGAIN if one
//!     has too much to do and does not get it.
//! jstime_bus_count(membership: u32, topic: buffer, size: u32) -> i32
//!     Subscribers of a topic on other handles of the same bus.
//! jstime_file_open(path: buffer, size: u32, out: buffer) -> i32
//!     Token > 0. `out`: f64 size, modified (ms), changed (ms), device, inode, kind (1 file, 2 directory).
//! jstime_file_stat(token: u32, out: buffer) -> i32       as above
//! jstime_file_read(token: u32, out: buffer, size: u32, position: f64) -> i32
//! jstime_file_close(token: u32) -> i32
//! jstime_error_name(errno: u32, out: buffer, size: u32) -> i32    such as "EADDRINUSE"
//! jstime_tcp_listen(handle: u32, plan: buffer, size: u32, out: buffer, outSize: u32) -> i32
//!     As jstime_listen, for connections whose bytes go to JavaScript as they are.
//! jstime_tcp_tls(handle: u32, listener: u32, protocols: buffer, protocolsSize: u32, certificates: buffer, size: u32) -> i32
//!     As jstime_tls. `protocols`: names to agree on, each behind a byte with its
//!     length, the preferred first.
//! jstime_tcp_client(handle: u32, options: buffer, optionsSize: u32, authorities: buffer, size: u32) -> i32
//!     How a client speaks TLS: a token for TCP_START_TLS. `options`: u32 CLIENT_*,
//!     u32 length of the server name, of the protocols (as above), of the PEM chain
//!     (0 for none), of the PEM key; then all of them. `authorities`: PEM. -EINVAL:
//!     a certificate, key or name cannot be used.
//! jstime_tcp_connect(handle: u32, thread: u32, attempt: u32, plan: buffer, size: u32) -> i32
//!     TCP_OPEN or TCP_REFUSED follows on that thread. `plan`: u32 transport as in a
//!     plan of jstime_listen, u32 port, then host name or IP literal, or path.
//! jstime_tcp_read(handle: u32, thread: u32, connection: u32, generation: u32, offer: u32, out: buffer, size: u32) -> i32
//!     After TCP_READABLE, once: what has arrived on a connection, read into
//!     `out`; 0 at the end. -EBUSY if the thread is in a turn: then
//!     COMMAND_TCP_READ makes it read. -EAGAIN if there is nothing (any more).
//! ```

/// Changes whenever anything in this file does.
pub const ABI: u32 = 1;

// ---------------------------------------------------------------------------
// Shared memory, sizes in bytes
// ---------------------------------------------------------------------------

/// Size of the control words.
pub const CONTROL_BYTES: usize = 4096;
/// Size of the events ring.
pub const EVENTS_BYTES: usize = 1 << 20;
/// Size of the commands ring.
pub const COMMANDS_BYTES: usize = 1 << 20;
/// The most connections of one I/O thread.
pub const MAX_CONNECTIONS: usize = 1 << 18;
/// Size of a region.
pub const REGION_BYTES: usize =
    CONTROL_BYTES + EVENTS_BYTES + COMMANDS_BYTES + MAX_CONNECTIONS * 12;
// Behind the generations, a word for each connection that is a WebSocket:
// *delivered*, the payload bytes of SEND commands that are done with, modulo
// 2^32: written to the socket, or given up. What JavaScript has sent and is not
// there yet waits. Behind those, another: *blocked*, 1 while the last write has
// left something, since the client takes it slowly. Both are 0 when a connection
// begins.

/// Records begin at multiples of this.
pub const RECORD_ALIGN: usize = 16;
/// Content up to this size travels inside a record.
pub const INLINE_CONTENT: usize = 32 * 1024;
/// The token of content that is there while its command is carried out.
pub const CONTENT_PRESENT: u32 = 0xffff_ffff;

// Control words: indices of 32-bit words, each on cache lines of its own.

/// End of what was written to the events ring; by the I/O thread.
pub const EVENTS_HEAD: usize = 0;
/// End of what was read from it; by JavaScript.
pub const EVENTS_TAIL: usize = 32;
/// End of what was written to the commands ring; by JavaScript.
pub const COMMANDS_HEAD: usize = 64;
/// End of what was read from it; by the I/O thread.
pub const COMMANDS_TAIL: usize = 96;
/// 1 while JavaScript waits for the doorbell.
pub const JS_SLEEPS: usize = 128;
/// 1 while the I/O thread waits for the system.
pub const IO_SLEEPS: usize = 160;
/// 1 while the I/O thread waits for space in the events ring.
pub const EVENTS_BLOCKED: usize = 192;
/// 1 while JavaScript waits for space in the commands ring.
pub const COMMANDS_BLOCKED: usize = 224;
/// How many REQUEST events JavaScript has begun to handle or skipped; modulo
/// 2^32. What was sent and not begun is the queue into JavaScript.
pub const REQUESTS_STARTED: usize = 256;

// ---------------------------------------------------------------------------
// Events: kinds, flags, words
// ---------------------------------------------------------------------------

/// Fills the end of either ring; only its first two words are there.
pub const PAD: u32 = 0;

/// A request whose head is complete.
///
/// Words, after the first four:
/// ```text
///  4 listener
///  5 method: METHOD_*, or METHOD_OTHER with the length of its text << 8
///  6 target: slot (low 16 bits), length << 16
///  7 Host: slot (low 16 bits), length << 16; slot NO_HOST without the field
///  8 number of header fields
///  9 length of their text
/// 10 length of the content in this record
/// 11 12 declared content length, low and high word, if LENGTH_KNOWN
/// 13 address family (0 none, 4, 6), port << 16
/// 14 15 16 17 address, network byte order (IPv4: word 14 only)
/// 18 19 reserved, 0
/// ```
/// Then: for each header field u16 name length, u16 value length, in the order
/// received; their text (name, in lower case, then value, with nothing between,
/// in that order); target text if TARGET_DEFINED; Host text if HOST_DEFINED;
/// method text if METHOD_OTHER; content, at the next multiple of 8.
///
/// Slots spare JavaScript from making the same string again: a defined text
/// belongs to the slot until it is defined again. Slot NO_SLOT is for texts
/// that are not kept; those are always defined.
///
/// While CONTENT_COMPLETE is not set, the rest follows as `CONTENT` events.
pub const EVENT_REQUEST: u32 = 1;
/// Content has arrived and waits for `jstime_take`. Word 4: bytes waiting.
/// Flag CONTENT_END: they are the last. Sent when something arrives after all
/// was taken, and at the end; in gather mode only at the end.
pub const EVENT_CONTENT: u32 = 2;
/// Content will not be complete. Word 4: the status to refuse it with, 400 or
/// 413.
pub const EVENT_CONTENT_FAILED: u32 = 3;
/// The client left, or was cut at a deadline, before its response was complete.
/// Word 4: 1 if it was a deadline.
pub const EVENT_GONE: u32 = 4;
/// A streamed response: word 4 more bytes have been written to the socket.
pub const EVENT_WRITTEN: u32 = 5;
/// A response with flag NOTIFY was written whole.
pub const EVENT_DONE: u32 = 6;
/// Word 4: a listener that has stopped and has no connections left. Its id may
/// be used again.
pub const EVENT_STOPPED: u32 = 7;
/// Asks for nothing: shows whether JavaScript runs.
pub const EVENT_HEARTBEAT: u32 = 8;
/// The commands ring has space again.
pub const EVENT_SPACE: u32 = 9;

// WebSockets. After an UPGRADE command the connection and the generation of its
// request are those of the socket, for as long as it lives.

/// A message. Word 4: its length; flag MESSAGE_TEXT. It follows, unless flag
/// MESSAGE_WAITS is set: then it waits for `jstime_take`, behind those before
/// it, and must be taken whole before the next event of this socket is read.
/// Text is valid UTF-8.
pub const EVENT_MESSAGE: u32 = 10;
/// A ping, already answered. Word 4: length of its payload, which follows.
pub const EVENT_PING: u32 = 11;
/// A pong; as EVENT_PING.
pub const EVENT_PONG: u32 = 12;
/// Everything has been written, after `blocked` was 1.
pub const EVENT_DRAIN: u32 = 13;
/// The socket is gone, and not by a CLOSE or TERMINATE command. Word 4: the
/// code of the close frame, 1005 for an empty one, 1006 without; word 5: length
/// of the reason, which follows. The last event of the socket; messages that wait
/// can still be taken.
pub const EVENT_CLOSED: u32 = 14;

// TCP: connections of `jstime_tcp_listen` and `jstime_tcp_connect`. Connection and
// generation are theirs for as long as they live.

/// A connection. Word 4: its listener, or with flag TCP_CONNECTED the attempt
/// that it comes from; such a one is not read from before TCP_RESUME.
///
/// ```text
///  5 the peer's address family (0 none, 4, 6), port << 16
///  6 7 8 9 its address, network byte order (IPv4: word 6 only)
/// 10 to 14 the same of this side
/// ```
pub const EVENT_TCP_OPEN: u32 = 40;
/// Word 4: an attempt that has failed, word 5: the error number.
pub const EVENT_TCP_REFUSED: u32 = 41;
/// Bytes have arrived. Word 4: how many; they follow.
pub const EVENT_TCP_DATA: u32 = 42;
/// The peer will send nothing more.
pub const EVENT_TCP_END: u32 = 43;
/// Everything that was written before TCP_ASK_DRAIN is on its way.
pub const EVENT_TCP_DRAIN: u32 = 44;
/// The connection is gone, for whatever reason. Word 4: the error number, 0 if
/// it went as it should; flags TCP_WHILE_WRITING, TCP_IN_HANDSHAKE. With
/// TCP_UNTRUSTED word 5 is the length of the code that says what is wrong with the
/// peer's certificate, which follows. The last event.
pub const EVENT_TCP_CLOSED: u32 = 45;
/// The TLS handshake is complete. Word 4: length of the protocol that was agreed
/// on, | length of the code that says why the peer is not to be trusted << 8, |
/// length of the name that the client has asked for << 16. They follow, and with
/// TCP_HAS_CERTIFICATE what the peer has shown, as `jstime_peer_certificate` gives
/// it. Flag TCP_AUTHORIZED.
pub const EVENT_TCP_SECURED: u32 = 46;

/// There is much to read: `jstime_tcp_read` does that, or COMMAND_TCP_READ, with
/// the number of this offer, word 4. Until then nothing is read. A pause ends it.
pub const EVENT_TCP_READABLE: u32 = 47;

/// Flag of EVENT_TCP_OPEN: see there.
pub const TCP_CONNECTED: u32 = 1 << 0;
/// Flag of EVENT_TCP_CLOSED: it was writing that has failed.
pub const TCP_WHILE_WRITING: u32 = 1 << 0;
/// Flag of EVENT_TCP_CLOSED: the TLS handshake has failed.
pub const TCP_IN_HANDSHAKE: u32 = 1 << 1;
/// Flag of EVENT_TCP_CLOSED: see there.
pub const TCP_UNTRUSTED: u32 = 1 << 2;
/// Flag of EVENT_TCP_SECURED: the peer's certificate was asked for and verified.
pub const TCP_AUTHORIZED: u32 = 1 << 0;
/// Flag of EVENT_TCP_SECURED: see there.
pub const TCP_HAS_CERTIFICATE: u32 = 1 << 1;

/// Flag of EVENT_MESSAGE: text, otherwise binary.
pub const MESSAGE_TEXT: u32 = 1 << 0;
/// Flag of EVENT_MESSAGE: see there.
pub const MESSAGE_WAITS: u32 = 1 << 1;

// Flags of EVENT_REQUEST.

/// HTTP/1.0.
pub const REQUEST_HTTP_1_0: u32 = 1 << 0;
/// The answer may become an event stream.
pub const REQUEST_EVENT_STREAM: u32 = 1 << 15;
/// There is content, or there may be (chunked).
pub const REQUEST_HAS_CONTENT: u32 = 1 << 1;
/// All of the content is in this record.
pub const REQUEST_CONTENT_COMPLETE: u32 = 1 << 2;
/// The text of the target is in this record.
pub const REQUEST_TARGET_DEFINED: u32 = 1 << 3;
/// The text of Host is in this record.
pub const REQUEST_HOST_DEFINED: u32 = 1 << 4;
/// The client asks for an upgrade (RFC 9110, 7.8).
pub const REQUEST_UPGRADE: u32 = 1 << 5;
/// The content's length was declared.
pub const REQUEST_LENGTH_KNOWN: u32 = 1 << 6;

/// The client has shown a certificate: see `jstime_peer_certificate`.
pub const REQUEST_HAS_CERTIFICATE: u32 = 1 << 7;

/// Flag of EVENT_CONTENT: what waits is the last.
pub const CONTENT_END: u32 = 1 << 0;

/// The number of slots for targets, and for Hosts.
pub const SLOTS: usize = 512;
/// Texts longer than this get no slot.
pub const SLOT_TEXT_BYTES: usize = 256;
/// A text that is not kept.
pub const NO_SLOT: u32 = 0xffff;
/// The request has no Host.
pub const NO_HOST: u32 = 0xfffe;
/// Words of a REQUEST before its variable part.
pub const REQUEST_WORDS: usize = 20;

// Methods; as bits of a mask they are `1 << METHOD_*`.

/// Given as text.
pub const METHOD_OTHER: u32 = 0;
/// `GET`.
pub const METHOD_GET: u32 = 1;
/// `HEAD`.
pub const METHOD_HEAD: u32 = 2;
/// `POST`.
pub const METHOD_POST: u32 = 3;
/// `PUT`.
pub const METHOD_PUT: u32 = 4;
/// `PATCH`.
pub const METHOD_PATCH: u32 = 5;
/// `DELETE`.
pub const METHOD_DELETE: u32 = 6;
/// `OPTIONS`.
pub const METHOD_OPTIONS: u32 = 7;

// ---------------------------------------------------------------------------
// Commands
// ---------------------------------------------------------------------------

/// Answers with content that is in memory.
///
/// ```text
///  4 status, content type TYPE_* << 16
///  5 length of the header lines
///  6 length of the content
///  7 token of the content, if CONTENT_TOKEN
/// ```
/// Then header lines (`name: value` CR LF, bytes), then the content unless it
/// has a token. The helper adds `Date` and the framing; it leaves `Date`,
/// `Content-Length` (for HEAD and 304) and `Connection: close` as given, and
/// drops `Transfer-Encoding`, `Keep-Alive` and other `Connection` lines. Lines
/// with CR, LF or NUL inside make it answer 500.
pub const COMMAND_RESPOND: u32 = 1;
/// Answers with a file: 4 status, 5 length of the header lines, 6 file token
/// (spent), 7 reserved, 8 9 first byte, 10 11 one past the last, low and high.
/// Then header lines. The content length is the difference.
pub const COMMAND_RESPOND_FILE: u32 = 2;
/// Begins a streamed answer: 4 status, 5 length of the header lines, 6 7
/// content length, low and high, if LENGTH_KNOWN; otherwise it is chunked, or
/// for HTTP/1.0 delimited by closing. Then header lines.
pub const COMMAND_RESPOND_STREAM: u32 = 3;
/// More of it: 4 length, 5 token, if CONTENT_TOKEN; otherwise the bytes follow.
pub const COMMAND_CHUNK: u32 = 4;
/// Cuts the connection at once.
pub const COMMAND_ABORT: u32 = 5;
/// Idle timeout for this request: 4 milliseconds, 0 is never.
pub const COMMAND_TIMEOUT: u32 = 6;
/// Wants the request's content: 4 is CONTENT_STREAM or CONTENT_GATHER.
pub const COMMAND_CONTENT: u32 = 7;
/// A streamed answer is an event stream from now on: 4 milliseconds of silence
/// until a comment is sent, 0 is never, 5 the most bytes that may wait when a
/// part is added; who has more is cut. Its written bytes are not told; `blocked`
/// is 1 while its client does not take what it is sent.
pub const COMMAND_EVENT_STREAM: u32 = 30;
/// Adds a part to many event streams: 4 length, 5 token if
/// RESPOND_CONTENT_TOKEN, 6 how many; then a connection and a generation for
/// each, then the part. The words `connection` and `generation` of the record
/// mean nothing.
pub const COMMAND_EVENT: u32 = 31;
/// Makes the connection a WebSocket (RFC 6455), which needs a request with
/// REQUEST_UPGRADE that was not answered. If that is not possible, or not any
/// more, EVENT_CLOSED follows with 1006.
///
/// ```text
///  4 length of the header lines
///  5 length of the value of Sec-WebSocket-Key
///  6 length of the value of Sec-WebSocket-Extensions, 0 without
///  7 the most bytes of a message
///  8 the most bytes that may wait, 0 is any
///  9 idle timeout in milliseconds, 0 is never
/// 10 window for messages to clients: DEFLATE_NONE, DEFLATE_SHARED or bytes
/// 11 window for messages from clients: DEFLATE_SHARED or bytes
/// ```
/// Flags UPGRADE_*. Then header lines (the helper adds those of the handshake
/// itself, `Sec-WebSocket-Protocol` excepted), key, extensions.
pub const COMMAND_UPGRADE: u32 = 8;
/// Sends a message or a control frame: 4 length, 5 token if
/// RESPOND_CONTENT_TOKEN; otherwise the payload follows. Flags SEND_*.
///
/// While more bytes wait than the limit of the socket, its messages are dropped,
/// or with UPGRADE_CLOSE_ON_LIMIT the connection is cut (EVENT_CLOSED, 1006).
/// JavaScript decides that by the same count, so that it need not be told.
pub const COMMAND_SEND: u32 = 9;
/// Sends one message to many: 4 length, 5 token if RESPOND_CONTENT_TOKEN, 6 how
/// many; then a connection and a generation for each, then the payload. Flags
/// SEND_*. The words `connection` and `generation` of the record mean nothing.
pub const COMMAND_SEND_MANY: u32 = 10;
/// Sends a close frame behind everything else and ends the connection soon: 4
/// code, 0 for an empty frame, 5 length of the reason, which follows.
pub const COMMAND_CLOSE: u32 = 11;
/// Ends the connection when everything is written.
pub const COMMAND_TERMINATE: u32 = 12;
/// Stops reading.
pub const COMMAND_PAUSE: u32 = 13;
/// Reads again.
pub const COMMAND_RESUME: u32 = 14;
/// A socket is subscribed to a topic of a bus: 4 membership, as `jstime_bus_join`
/// returned it, 5 length of the topic, which follows. It ends with the socket.
pub const COMMAND_SUBSCRIBE: u32 = 20;
/// Ends a subscription; as COMMAND_SUBSCRIBE.
pub const COMMAND_UNSUBSCRIBE: u32 = 21;

/// Writes to a TCP connection: 4 length, 5 token if RESPOND_CONTENT_TOKEN;
/// otherwise the bytes follow. They are counted in *delivered* once they are
/// with the system.
pub const COMMAND_TCP_WRITE: u32 = 40;
/// Asks for EVENT_TCP_DRAIN.
pub const COMMAND_TCP_ASK_DRAIN: u32 = 41;
/// Sends everything written, then the end.
pub const COMMAND_TCP_SHUTDOWN: u32 = 42;
/// What still arrives is thrown away; there are no more TCP_DATA and TCP_END.
pub const COMMAND_TCP_SHUTDOWN_READ: u32 = 43;
/// As both of them; and the connection ends soon after everything is written,
/// or when that makes no progress.
pub const COMMAND_TCP_CLOSE: u32 = 44;
/// Resets the connection.
pub const COMMAND_TCP_TERMINATE: u32 = 45;
/// Stops reading.
pub const COMMAND_TCP_PAUSE: u32 = 46;
/// Reads again.
pub const COMMAND_TCP_RESUME: u32 = 47;
/// `TCP_NODELAY`: 4 is 1 or 0.
pub const COMMAND_TCP_NO_DELAY: u32 = 48;
/// `SO_KEEPALIVE`: 4 is 1 or 0, 5 milliseconds until the first probe, 0 leaves
/// them to the system.
pub const COMMAND_TCP_KEEP_ALIVE: u32 = 49;
/// What TCP_READABLE has told of comes as TCP_DATA. Word 4: its number.
pub const COMMAND_TCP_READ: u32 = 50;
/// Becomes a TLS client, behind everything written: 4 token of
/// `jstime_tcp_client`, 5 the bytes of TCP_DATA, modulo 2^32, that are not the
/// server's first of TLS. The others come back by TCP_GIVE_BACK.
pub const COMMAND_TCP_START_TLS: u32 = 51;
/// Gives back what arrived before TLS has begun, in order; as TCP_WRITE.
pub const COMMAND_TCP_GIVE_BACK: u32 = 52;

/// Flag of COMMAND_UPGRADE: cut the connection rather than drop a message.
pub const UPGRADE_CLOSE_ON_LIMIT: u32 = 1 << 0;
/// Flag of COMMAND_UPGRADE: ping silent clients.
pub const UPGRADE_SEND_PINGS: u32 = 1 << 1;
/// Flag of COMMAND_UPGRADE: agree to permessage-deflate (RFC 7692).
pub const UPGRADE_DEFLATE: u32 = 1 << 2;

/// Flag of COMMAND_SEND (bit 1 is RESPOND_CONTENT_TOKEN): text.
pub const SEND_TEXT: u32 = 1 << 2;
/// Flag of COMMAND_SEND: compress if that was agreed.
pub const SEND_COMPRESSED: u32 = 1 << 3;
/// Flag of COMMAND_SEND: a ping.
pub const SEND_PING: u32 = 1 << 4;
/// Flag of COMMAND_SEND: a pong.
pub const SEND_PONG: u32 = 1 << 5;
/// Flag of COMMAND_SEND_MANY: a client that is too slow loses the oldest messages
/// that were sent with this flag and of which nothing is written.
pub const SEND_DROP_OLDEST: u32 = 1 << 6;
/// Flag of COMMAND_SEND_MANY: for a client that is too slow this takes the place
/// of messages of the same topic that were sent with this flag and of which
/// nothing is written. The length of the topic (u32) and the topic follow the
/// receivers.
pub const SEND_LATEST: u32 = 1 << 7;
/// Flag of jstime_bus_publish: a client that is too slow is cut.
pub const SEND_DISCONNECT: u32 = 1 << 8;

/// No compressor.
pub const DEFLATE_NONE: u32 = 0;
/// One compressor for all sockets, without memory of earlier messages.
pub const DEFLATE_SHARED: u32 = 1;

// Flags of commands that answer.

/// Close the connection after this response.
pub const RESPOND_CLOSE: u32 = 1 << 0;
/// The content has a token.
pub const RESPOND_CONTENT_TOKEN: u32 = 1 << 1;
/// COMMAND_CHUNK: this is the last.
pub const RESPOND_END: u32 = 1 << 2;
/// The length of the stream is known.
pub const RESPOND_LENGTH_KNOWN: u32 = 1 << 3;
/// Send EVENT_DONE when it was written.
pub const RESPOND_NOTIFY: u32 = 1 << 4;
/// There is no content at all (`null`), so that an answer to HEAD has no
/// `Content-Length` of its own.
pub const RESPOND_NO_CONTENT: u32 = 1 << 5;

/// No content type besides what the header lines say.
pub const TYPE_NONE: u32 = 0;
/// `text/plain;charset=UTF-8`.
pub const TYPE_TEXT: u32 = 1;
/// `application/json`.
pub const TYPE_JSON: u32 = 2;

/// Deliver content as it arrives, at most CONTENT_WINDOW waiting.
pub const CONTENT_STREAM: u32 = 1;
/// Deliver it when all of it is there.
pub const CONTENT_GATHER: u32 = 2;
/// Content that waits before the sender is held back.
pub const CONTENT_WINDOW: usize = 256 * 1024;
/// What a streamed response may have unwritten before its producer is not asked
/// for more.
pub const STREAM_WINDOW: usize = 256 * 1024;

// ---------------------------------------------------------------------------
// jstime_listen: words of a plan, then texts: host or path, health, metrics
// ---------------------------------------------------------------------------

/// 1 TCP, 2 Unix.
pub const PLAN_TRANSPORT: usize = 0;
/// LISTEN_REUSE_PORT, LISTEN_IPV6_ONLY.
pub const PLAN_FLAGS: usize = 1;
/// TCP port; 0 lets the system choose.
pub const PLAN_PORT: usize = 2;
/// Length of the host name or IP literal, or of the path (abstract: it begins
/// with NUL).
pub const PLAN_HOST_LENGTH: usize = 3;
/// Bytes, low word; larger content is refused with 413.
pub const PLAN_MAX_CONTENT_LOW: usize = 4;
/// Bytes, high word.
pub const PLAN_MAX_CONTENT_HIGH: usize = 5;
/// Milliseconds without progress, 0 is never.
pub const PLAN_IDLE_TIMEOUT: usize = 6;
/// Milliseconds from the first byte of a head to its end; 0 is never.
pub const PLAN_HEAD_TIMEOUT: usize = 7;
/// Connections; more are closed when they are accepted.
pub const PLAN_MAX_CONNECTIONS: usize = 8;
/// Requests waiting for JavaScript; more are answered 503.
pub const PLAN_MAX_PENDING: usize = 9;
/// Bytes of a head; larger ones are answered 431.
pub const PLAN_HEAD_BYTES: usize = 10;
/// Header fields; more are answered 431.
pub const PLAN_HEADER_COUNT: usize = 11;
/// Bytes of a target; longer ones are answered 414.
pub const PLAN_TARGET_BYTES: usize = 12;
/// Milliseconds of stall from which the health route answers 503.
pub const PLAN_HEALTH_STALL: usize = 13;
/// Length of the health route's path; 0 without.
pub const PLAN_HEALTH_LENGTH: usize = 14;
/// Length of the metrics route's path; 0 without.
pub const PLAN_METRICS_LENGTH: usize = 15;
/// Bytes per second that request content must make, averaged over 5 seconds.
pub const PLAN_MIN_CONTENT_RATE: usize = 16;
/// The number of words.
pub const PLAN_WORDS: usize = 20;

/// `SO_REUSEPORT`.
pub const LISTEN_REUSE_PORT: u32 = 1 << 0;
/// `IPV6_V6ONLY`.
pub const LISTEN_IPV6_ONLY: u32 = 1 << 1;
/// TLS, with the certificates that jstime_tls gives.
pub const LISTEN_TLS: u32 = 1 << 2;
/// Flag of a policy for clients: who has no certificate that is to be trusted is
/// refused in the handshake.
pub const POLICY_REQUIRED: u32 = 1 << 0;
/// A client refuses servers that are not to be trusted.
pub const CLIENT_VERIFIES: u32 = 1 << 0;
/// A client trusts Mozilla's authorities besides those that are given.
pub const CLIENT_BUNDLED_ROOTS: u32 = 1 << 1;
/// HTTP/2 besides HTTP/1.1: over TLS by ALPN, else by prior knowledge.
pub const LISTEN_HTTP2: u32 = 1 << 6;
/// Size of what jstime_listen writes.
pub const LISTEN_OUT_BYTES: usize = 128;

// ---------------------------------------------------------------------------
// jstime_static: u32 number of entries, then entries, each at a multiple of 4
// ---------------------------------------------------------------------------

/// Words of an entry:
/// ```text
/// 0 length of the path
/// 1 methods it answers, a mask; ALL_METHODS for any
/// 2 kind: STATIC_CONTENT, STATIC_FILE
/// 3 status
/// 4 length of the header lines
/// 5 length of the entity tag, which the header lines have too; 0 without
/// 6 length of the header lines of a 304; with 0 there is none
/// 7 length of the content, or of the file's path
/// ```
/// Then path, header lines, tag, header lines of the 304, content or file path.
///
/// Content is answered to every request with the exact path (its query is not
/// looked at) and method; GET and HEAD with a matching `If-None-Match` get the
/// 304. A file is answered, with `Last-Modified` added, only to GET and HEAD
/// without `Range`, `If-*` and content, and only if it opens as a regular file;
/// everything else goes to JavaScript.
pub const STATIC_WORDS: usize = 8;
/// Content in memory.
pub const STATIC_CONTENT: u32 = 1;
/// A file, opened for each request.
pub const STATIC_FILE: u32 = 2;
/// Any method.
pub const ALL_METHODS: u32 = 0xffff_ffff;

// ---------------------------------------------------------------------------
// jstime_metrics: indices of f64 values
// ---------------------------------------------------------------------------

/// Connections open now.
pub const METRIC_CONNECTIONS: usize = 0;
/// Connections accepted.
pub const METRIC_CONNECTIONS_TOTAL: usize = 1;
/// Connections closed when they were accepted, because of the limit.
pub const METRIC_CONNECTIONS_REFUSED: usize = 2;
/// Requests with a complete head.
pub const METRIC_REQUESTS: usize = 3;
/// Those answered without JavaScript.
pub const METRIC_REQUESTS_NATIVE: usize = 4;
/// Those answered 503 because too many were waiting.
pub const METRIC_REQUESTS_SHED: usize = 5;
/// Requests whose response is not complete.
pub const METRIC_PENDING: usize = 6;
/// Requests waiting for JavaScript now.
pub const METRIC_QUEUE: usize = 7;
/// Bytes read from sockets.
pub const METRIC_BYTES_READ: usize = 8;
/// Bytes written to sockets.
pub const METRIC_BYTES_WRITTEN: usize = 9;
/// Connections cut at a deadline.
pub const METRIC_TIMEOUTS: usize = 10;
/// Milliseconds that JavaScript has not looked at its events for, now.
pub const METRIC_STALL_NOW: usize = 11;
/// Sum of all stalls in milliseconds.
pub const METRIC_STALL_SUM: usize = 12;
/// First of the stall counts, one per bound in STALL_BOUNDS and one beyond;
/// each counts stalls up to its bound and beyond the one before.
pub const METRIC_STALLS: usize = 13;
/// Milliseconds.
pub const STALL_BOUNDS: [u32; 11] = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];
/// First of the response counts by status, 100 to 599.
pub const METRIC_STATUS: usize = METRIC_STALLS + STALL_BOUNDS.len() + 1;
/// The number of values.
pub const METRIC_COUNT: usize = METRIC_STATUS + 500;
