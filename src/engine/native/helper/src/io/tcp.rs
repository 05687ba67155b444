//! A connection whose bytes go to JavaScript as they are, and the other way
//! round.
//!
//! What arrives is read right into the events ring. While that has no room
//! nothing is read, so that the peer is held back, and nothing is kept here.

use std::borrow::Cow;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::answer::Then;
use super::connection::Readiness;
use super::context::{Context, READ_BYTES, Ticket};
use super::deadlines::{NEVER, UNARMED, tick_of};
use super::events::Event;
use super::listener::Listener;
use super::output::{Output, Piece, Progress};
use super::request::Peer;
use super::socket::Socket;
use crate::abi::*;
use crate::fault;
use crate::ring::Command;
use crate::tls::client::ClientSession;

/// Reads of a connection before it is another's turn.
const READS_PER_TURN: u32 = 8;
/// What is asked for at a time, at least and at most: it grows while the peer
/// fills it.
const SMALLEST_READ: usize = 4 * 1024;
const LARGEST_READ: usize = 64 * 1024;
/// Reads in a row that leave most of the space empty before less is asked for.
const PATIENCE: u32 = 16;
/// So much is written without waiting for what may follow.
const LARGE: usize = 16 * 1024;
/// Read at a time in a handshake: what came with its end is kept.
const EARLY_READ: usize = 16 * 1024;

/// Whether reading will not go on.
fn is_fatal(error: &Error) -> bool {
    error.kind() != ErrorKind::WouldBlock
}

/// Where a connection comes from.
pub enum Origin {
    /// A listener.
    Accepted(Arc<Listener>),
    /// An attempt of JavaScript's.
    Connected(u32),
}

/// How a connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The error number; 0 if it went as it should.
    errno: i32,
    /// Of EVENT_TCP_CLOSED.
    flags: u32,
    /// What is wrong with the peer's certificate.
    refusal: Option<&'static str>,
}

impl End {
    const CLEAN: Self = Self::reading(0);

    /// Something in this thread has gone wrong.
    pub const BROKEN: Self = Self::reading(libc::EIO);

    const fn reading(errno: i32) -> Self {
        Self {
            errno,
            flags: 0,
            refusal: None,
        }
    }

    fn writing(errno: i32) -> Self {
        Self {
            errno,
            flags: TCP_WHILE_WRITING,
            refusal: None,
        }
    }

    fn in_handshake(errno: i32) -> Self {
        Self {
            errno,
            flags: TCP_IN_HANDSHAKE,
            refusal: None,
        }
    }

    fn refused(self, refusal: Option<&'static str>) -> Self {
        let flags = if refusal.is_some() { TCP_UNTRUSTED } else { 0 };
        Self {
            flags: self.flags | flags,
            refusal,
            ..self
        }
    }
}

/// How far this side has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    No,
    /// When everything is written.
    Asked,
    Done,
}

/// What is done before a connection becomes a TLS client.
struct StartOfTls {
    client: ClientSession,
    /// Bytes that JavaScript was sent and gives back, and those that it has.
    owed: u32,
    early: Vec<u8>,
    /// What is written over TLS.
    output: Option<Box<Output>>,
}

/// A TCP or Unix-domain connection.
pub struct TcpConnection {
    /// Its index.
    pub index: u32,
    /// Tells connections with the same index apart.
    pub serial: u32,
    /// Set when it is to be closed.
    pub over: Option<End>,
    /// The tick for which it is entered in the deadlines.
    pub armed: u64,
    /// It is among those that have something to write after commands.
    pub is_unwritten: bool,
    generation: u32,
    origin: Origin,
    socket: Socket,
    peer: Peer,
    local: Peer,
    /// JavaScript knows of it.
    is_announced: bool,
    /// It is among those that will be asked to try again.
    is_held: bool,
    is_queued: bool,
    is_paused: bool,
    /// JavaScript was told that it may read. What it was told before does not
    /// count: there may be bytes in the ring that come first.
    awaits_javascript: bool,
    /// The number of that offer.
    offer: u32,
    /// JavaScript does not want to, this time.
    reads_itself: bool,
    /// Nobody wants what arrives.
    discards: bool,
    /// JavaScript is through with it.
    is_closing: bool,
    readable: bool,
    /// The socket takes nothing now.
    is_blocked: bool,
    /// The peer has ended its side, though some input may be left.
    hung_up: bool,
    /// All input was read.
    ended: bool,
    /// The TLS handshake is not complete.
    is_handshaking: bool,
    /// Set until TLS can begin.
    start: Option<Box<StartOfTls>>,
    /// Bytes that JavaScript was sent, modulo 2^32; not counted in TLS.
    told: u32,
    /// What came with the end of the handshake.
    early: Vec<u8>,
    /// How it ends as soon as the peer was told.
    failure: Option<End>,
    /// JavaScript knows that it is over.
    is_told: bool,
    output: Option<Box<Output>>,
    shutdown: Shutdown,
    asks_drain: bool,
    write_error: Option<i32>,
    read_size: usize,
    sparse_reads: u32,
    reads_left: u32,
    deadline: u64,
    linger_until: u64,
}

impl TcpConnection {
    /// A connection whose socket is registered.
    pub fn new(cx: &Context, ticket: Ticket, origin: Origin, socket: Socket, peer: Peer) -> Self {
        let region = &cx.shared.region;
        let word = region.generation(ticket.index);
        let generation = word.load(Ordering::Relaxed).wrapping_add(1);
        word.store(generation, Ordering::Release);
        // Before JavaScript knows of it.
        region.delivered(ticket.index).store(0, Ordering::Relaxed);
        region.blocked(ticket.index).store(0, Ordering::Relaxed);
        let local = socket.with_plain(|socket| socket.local_address());
        let is_handshaking = socket.is_handshaking();
        Self {
            index: ticket.index,
            serial: ticket.serial,
            over: None,
            armed: UNARMED,
            is_unwritten: false,
            generation,
            // Programs get accepted connections at once, others later.
            is_paused: matches!(origin, Origin::Connected(_)),
            origin,
            socket,
            peer,
            local: local.map(Peer::from).unwrap_or_default(),
            awaits_javascript: false,
            offer: 0,
            reads_itself: false,
            is_announced: false,
            is_held: false,
            is_queued: false,
            discards: false,
            is_closing: false,
            readable: false,
            is_blocked: false,
            hung_up: false,
            ended: false,
            is_handshaking,
            start: None,
            told: 0,
            early: Vec::new(),
            failure: None,
            is_told: false,
            output: None,
            shutdown: Shutdown::No,
            asks_drain: false,
            write_error: None,
            read_size: SMALLEST_READ,
            sparse_reads: 0,
            reads_left: 0,
            deadline: if is_handshaking {
                cx.now_ms + cx.shared.tcp_times.handshake
            } else {
                NEVER
            },
            linger_until: NEVER,
        }
    }

    /// Whether bytes go to the system as they are.
    pub fn takes_as_it_is(&self) -> bool {
        self.socket.is_plain() && self.start.is_none()
    }

    /// Which connection this is.
    pub fn ticket(&self) -> Ticket {
        Ticket {
            index: self.index,
            serial: self.serial,
        }
    }

    /// Whether a command is about this connection.
    #[inline]
    pub fn is_current(&self, generation: u32) -> bool {
        generation == self.generation
    }

    // -----------------------------------------------------------------------
    // What happens
    // -----------------------------------------------------------------------

    /// The system tells about the socket.
    #[inline]
    pub fn ready(&mut self, cx: &mut Context, readiness: Readiness) {
        fault::point(fault::IO + 40);
        self.readable |= readiness.readable || readiness.read_closed || readiness.write_closed;
        self.hung_up |= readiness.read_closed;
        if readiness.writable || readiness.write_closed {
            self.is_blocked = false;
            self.socket.flush();
        }
        if let Some(end) = self.failure
            && (readiness.read_closed || readiness.write_closed)
        {
            self.over = Some(end);
            return;
        }
        if readiness.write_closed && self.ended && self.output.is_none() {
            // There is nothing left to read that would tell.
            let error = self.socket.with_plain(|socket| socket.take_error());
            if error != 0 {
                self.write_failed(error);
            }
        }
        self.advance(cx);
    }

    /// It is this connection's turn again.
    pub fn resume(&mut self, cx: &mut Context) {
        self.is_queued = false;
        self.advance(cx);
    }

    /// There may be room in the ring.
    pub fn retry(&mut self, cx: &mut Context) {
        self.is_held = false;
        self.advance(cx);
    }

    /// Carries out a command.
    pub fn carry_out(&mut self, cx: &mut Context, command: &Command<'_>) -> Then {
        fault::point(fault::IO + 41);
        match command.kind {
            COMMAND_TCP_WRITE => {
                self.take(cx, command);
                return Then::AdvanceLater;
            }
            COMMAND_TCP_ASK_DRAIN => {
                self.asks_drain = true;
                return Then::AdvanceLater;
            }
            COMMAND_TCP_START_TLS => self.ask_tls(cx, command),
            COMMAND_TCP_GIVE_BACK => self.take_back(cx, command),
            COMMAND_TCP_SHUTDOWN => self.ask_shutdown(),
            COMMAND_TCP_SHUTDOWN_READ => self.discard(),
            COMMAND_TCP_CLOSE => self.end(cx),
            COMMAND_TCP_TERMINATE => {
                self.socket.reset_on_close();
                self.over = Some(End::CLEAN);
            }
            COMMAND_TCP_PAUSE => self.pause(),
            COMMAND_TCP_READ => self.reads_itself |= self.take_up(command.word(4)),
            COMMAND_TCP_RESUME => self.is_paused = false,
            COMMAND_TCP_NO_DELAY => {
                let no_delay = command.word(4) != 0;
                self.socket
                    .with_plain(|socket| socket.set_no_delay(no_delay));
            }
            COMMAND_TCP_KEEP_ALIVE => {
                let delay = Duration::from_millis(command.word(5).into());
                let enable = command.word(4) != 0;
                self.socket
                    .with_plain(|socket| socket.set_keep_alive(enable, delay));
            }
            _ => {}
        }
        Then::Advance
    }

    fn pause(&mut self) {
        self.is_paused = !self.discards;
        self.awaits_javascript = false;
        if let Some(error) = self.write_error
            && self.is_paused
        {
            // Nobody reads what the peer has left.
            self.over = Some(End::writing(error));
        }
    }

    fn ask_shutdown(&mut self) {
        if self.shutdown == Shutdown::No {
            self.shutdown = Shutdown::Asked;
        }
    }

    fn discard(&mut self) {
        self.discards = true;
        self.is_paused = false;
        self.awaits_javascript = false;
        // It waits for the ring no longer.
        self.is_held = false;
    }

    fn end(&mut self, cx: &Context) {
        // What is not to be said over TLS needs none.
        self.start.take_if(|start| start.output.is_none());
        if self.is_handshaking && self.output.is_none() {
            // There is nothing to deliver, so there is nobody to wait for.
            self.over = Some(End::CLEAN);
            return;
        }
        self.is_closing = true;
        self.discard();
        self.deadline = cx.now_ms + cx.shared.tcp_times.flush;
        if self.shutdown == Shutdown::Done {
            self.linger(cx);
        }
        self.ask_shutdown();
    }

    // -----------------------------------------------------------------------
    // Doing all that can be done
    // -----------------------------------------------------------------------

    /// Writes and reads until the socket or somebody else is to act.
    pub fn advance(&mut self, cx: &mut Context) {
        if !self.is_announced && !self.announce(cx) {
            return;
        }
        self.reads_left = READS_PER_TURN;
        while self.over.is_none() {
            if self.output.is_some() && !self.is_blocked && !self.is_handshaking {
                self.write(cx);
                continue;
            }
            if self.start.is_some() {
                break;
            }
            if self.output.is_none() && !self.is_handshaking {
                self.written(cx);
            }
            if self.over.is_some() || !self.receive(cx) {
                break;
            }
        }
        if self.over.is_none() {
            self.arm(cx);
        }
    }

    /// Sees to it that `advance` is called after this batch of commands.
    pub fn advance_later(&mut self, cx: &mut Context) {
        if !self.is_unwritten {
            self.is_unwritten = true;
            cx.unwritten.push(self.ticket());
        }
    }

    /// Tells JavaScript of the connection; whether there was room.
    fn announce(&mut self, cx: &mut Context) -> bool {
        let (word, flags) = match &self.origin {
            Origin::Accepted(listener) if listener.is_stopping() => {
                self.over = Some(End::CLEAN);
                return false;
            }
            Origin::Accepted(listener) => (listener.id, 0),
            Origin::Connected(attempt) => (*attempt, TCP_CONNECTED),
        };
        let mut addresses = [0; 40];
        addresses[..20].copy_from_slice(&self.peer.bytes());
        addresses[20..].copy_from_slice(&self.local.bytes());
        self.is_announced = cx.events.try_send(Event {
            kind: EVENT_TCP_OPEN,
            flags,
            connection: self.index,
            generation: self.generation,
            word,
            rest: &addresses,
        });
        if !self.is_announced {
            self.hold(cx);
        }
        self.is_announced
    }

    /// Sees to it that `retry` is called when there is room.
    fn hold(&mut self, cx: &mut Context) {
        if !self.is_held {
            self.is_held = true;
            cx.tcp_held.push_back(self.ticket());
        }
    }

    fn queue(&mut self, cx: &mut Context) {
        if !self.is_queued {
            self.is_queued = true;
            cx.ready.push(self.ticket());
        }
    }

    // -----------------------------------------------------------------------
    // Reading
    // -----------------------------------------------------------------------

    /// Reads once; whether it makes sense to go on.
    fn receive(&mut self, cx: &mut Context) -> bool {
        if !self.early.is_empty() {
            return self.deliver_early(cx);
        }
        let is_paused = self.is_paused && !self.is_handshaking;
        let waits = self.is_held || self.awaits_javascript;
        if is_paused || self.ended || waits || !self.readable {
            return false;
        }
        let must_wait = self.is_handshaking && !cx.handshakes.take();
        if self.reads_left == 0 || must_wait {
            self.queue(cx);
            return false;
        }
        self.reads_left -= 1;
        if self.is_handshaking {
            self.shake_hands(cx);
        } else if self.discards {
            self.read_for_nobody(cx);
        } else if self.should_offer() {
            self.offer(cx);
        } else {
            self.read(cx);
        }
        true
    }

    /// Whether there is so much to read that JavaScript should: what it reads
    /// by itself is not copied.
    fn should_offer(&mut self) -> bool {
        let is_much = self.read_size == LARGEST_READ && self.socket.is_plain();
        is_much && !std::mem::take(&mut self.reads_itself)
    }

    fn offer(&mut self, cx: &mut Context) {
        self.offer = self.offer.wrapping_add(1);
        self.awaits_javascript = cx.events.try_send(Event {
            kind: EVENT_TCP_READABLE,
            flags: 0,
            connection: self.index,
            generation: self.generation,
            word: self.offer,
            rest: b"",
        });
        if !self.awaits_javascript {
            self.hold(cx);
        }
    }

    /// Whether an offer stands. It does not any more.
    fn take_up(&mut self, offer: u32) -> bool {
        let stands = self.awaits_javascript && offer == self.offer;
        self.awaits_javascript &= !stands;
        stands
    }

    /// Reads for JavaScript, by an offer: how many bytes, 0 at the end, None if
    /// there is nothing (any more).
    pub fn read_for_javascript(
        &mut self,
        cx: &mut Context,
        offer: u32,
        out: &mut [u8],
    ) -> Option<usize> {
        fault::point(fault::IO + 43);
        if !self.take_up(offer) {
            return None;
        }
        let result = self.socket.read(out);
        match result {
            Ok(count) if count > 0 => {
                self.told = self.told.wrapping_add(count as u32);
                self.was_read(count, out.len());
                self.adapt(count);
            }
            Ok(_) => self.input_ended(cx),
            Err(ref error) => self.read_failed(cx, error),
        }
        if self.over.is_none() {
            self.advance(cx);
        }
        result.ok()
    }

    fn read(&mut self, cx: &mut Context) {
        let size = self.read_size;
        let Some(mut data) = cx.events.begin_data(self.index, self.generation, size) else {
            return self.hold(cx);
        };
        let result = self.socket.read(data.bytes);
        match result {
            Ok(count) if count > 0 => {
                data.set_count(count);
                cx.events.end_data(size, Some(count));
                self.told = self.told.wrapping_add(count as u32);
                self.was_read(count, size);
                self.adapt(count);
            }
            Ok(_) => {
                cx.events.end_data(size, None);
                self.input_ended(cx);
            }
            Err(error) => {
                cx.events.end_data(size, None);
                self.read_failed(cx, &error);
            }
        }
    }

    /// Goes on with the handshake. JavaScript is told of its end before it gets
    /// what came with it.
    fn shake_hands(&mut self, cx: &mut Context) {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let result = self.socket.read(&mut buffer[..EARLY_READ]);
        if !self.socket.is_handshaking() && !matches!(&result, Err(error) if is_fatal(error)) {
            self.secured(cx);
        }
        match result {
            Ok(0) if self.is_handshaking => {
                self.over = Some(End::in_handshake(libc::ECONNRESET));
            }
            Ok(0) => self.input_ended(cx),
            Ok(count) => {
                if !self.discards {
                    self.early.extend_from_slice(&buffer[..count]);
                }
                self.was_read(count, EARLY_READ);
            }
            Err(error) => self.read_failed(cx, &error),
        }
        cx.buffer = buffer;
    }

    fn secured(&mut self, cx: &mut Context) {
        self.is_handshaking = false;
        if !self.is_closing {
            self.deadline = NEVER;
        }
        let peer = self.socket.shown_peer();
        let mut flags = 0;
        if peer.is_authorized {
            flags |= TCP_AUTHORIZED;
        }
        let mut certificate: Arc<[u8]> = Arc::default();
        if let Some(shown) = &peer.certificate {
            flags |= TCP_HAS_CERTIFICATE;
            certificate = shown.encode();
        }
        let (protocol, name) = self.socket.agreed();
        let objection = peer.objection.unwrap_or_default();
        let lengths = [protocol.len(), objection.len() << 8, name.len() << 16];
        cx.events.send_event(Event {
            kind: EVENT_TCP_SECURED,
            flags,
            connection: self.index,
            generation: self.generation,
            word: lengths.iter().sum::<usize>() as u32,
            rest: &[
                &protocol,
                objection.as_bytes(),
                name.as_bytes(),
                &certificate,
            ]
            .concat(),
        });
    }

    /// Hands over what came with the handshake; whether it makes sense to go on.
    fn deliver_early(&mut self, cx: &mut Context) -> bool {
        if self.discards {
            self.early = Vec::new();
            return true;
        }
        if self.is_paused || self.is_held {
            return false;
        }
        let is_sent = cx.events.try_send(Event {
            kind: EVENT_TCP_DATA,
            flags: 0,
            connection: self.index,
            generation: self.generation,
            word: self.early.len() as u32,
            rest: &self.early,
        });
        if is_sent {
            self.early = Vec::new();
        } else {
            self.hold(cx);
        }
        is_sent
    }

    fn read_for_nobody(&mut self, cx: &mut Context) {
        let mut buffer = std::mem::take(&mut cx.buffer);
        let result = self.socket.read(&mut buffer[..READ_BYTES]);
        cx.buffer = buffer;
        match result {
            Ok(0) => self.input_ended(cx),
            Ok(count) => {
                self.was_read(count, READ_BYTES);
                if self.is_closing && self.shutdown == Shutdown::Done {
                    self.deadline = (cx.now_ms + cx.shared.tcp_times.linger).min(self.linger_until);
                }
            }
            Err(error) => self.read_failed(cx, &error),
        }
    }

    fn was_read(&mut self, count: usize, size: usize) {
        self.readable = self.socket.may_have_more(count == size, self.hung_up);
        if let Origin::Accepted(listener) = &self.origin {
            let bytes = self.socket.take_read(count);
            listener.metrics.add(METRIC_BYTES_READ, bytes);
        }
    }

    /// Asks for as much the next time as seems to be coming.
    fn adapt(&mut self, count: usize) {
        if count == self.read_size {
            self.sparse_reads = 0;
            self.read_size = (self.read_size * 4).min(LARGEST_READ);
        } else if self.read_size > SMALLEST_READ && count * 8 < self.read_size {
            self.sparse_reads += 1;
            if self.sparse_reads > PATIENCE {
                self.sparse_reads = 0;
                self.read_size = SMALLEST_READ;
            }
        } else {
            self.sparse_reads = 0;
        }
    }

    fn input_ended(&mut self, cx: &mut Context) {
        self.ended = true;
        self.hung_up = true;
        self.readable = false;
        if let Some(error) = self.write_error {
            self.over = Some(End::writing(error));
        } else if !self.discards {
            let (connection, generation) = (self.index, self.generation);
            cx.events.send(EVENT_TCP_END, 0, connection, generation, 0);
        }
    }

    fn read_failed(&mut self, cx: &mut Context, error: &Error) {
        if !is_fatal(error) {
            self.readable = match self.socket {
                Socket::Plain(_) => false,
                Socket::Tls(_) => self.socket.may_have_more(false, self.hung_up),
            };
            return;
        }
        if self.is_closing && error.kind() == ErrorKind::UnexpectedEof {
            // A TLS peer that ends without telling may still be reading.
            self.ended = true;
            self.readable = false;
            return;
        }
        let errno = match error.kind() {
            ErrorKind::UnexpectedEof => libc::ECONNRESET,
            ErrorKind::InvalidData => libc::EPROTO,
            _ => error.raw_os_error().unwrap_or(libc::EIO),
        };
        let end = match self.write_error {
            Some(error) => End::writing(error),
            None if self.is_handshaking => End::in_handshake(errno).refused(self.socket.refusal()),
            None => End::reading(errno),
        };
        if error.kind() == ErrorKind::InvalidData {
            self.alert(cx, end);
        } else {
            self.over = Some(end);
        }
    }

    /// Tells the peer what is wrong with its TLS, and waits a moment for it to
    /// leave: closing at once could destroy the alert on its way. Who has connected
    /// does not wait for that.
    fn alert(&mut self, cx: &mut Context, end: End) {
        if let Origin::Connected(_) = self.origin {
            self.tell_end(cx, end);
        }
        self.failure = Some(end);
        self.asks_drain = false;
        self.output = None;
        self.is_handshaking = false;
        self.discard();
        self.ended = true;
        self.shutdown = Shutdown::Done;
        self.socket.shutdown_write();
        self.deadline = cx.now_ms + cx.shared.tcp_times.alert;
    }

    // -----------------------------------------------------------------------
    // TLS that begins later
    // -----------------------------------------------------------------------

    /// JavaScript wants TLS from here on. It begins when everything is written
    /// that was taken before, and JavaScript has given back what it was sent and
    /// has not handed to anybody: those bytes may be the server's first of TLS.
    fn ask_tls(&mut self, cx: &Context, command: &Command<'_>) {
        let Some(client) = cx.shared.clients.take(command.word(4)) else {
            return;
        };
        if self.start.is_some() || !matches!(self.socket, Socket::Plain(_)) {
            return;
        }
        if let Some(error) = self.write_error {
            self.over = Some(End::in_handshake(error));
            return;
        }
        if self.discards {
            // Nobody knows what was thrown away.
            self.over = Some(End::in_handshake(libc::ECONNRESET));
            return;
        }
        self.deadline = cx.now_ms + cx.shared.tcp_times.handshake;
        self.asks_drain = false;
        self.awaits_javascript = false;
        self.start = Some(Box::new(StartOfTls {
            client: client.begin(),
            owed: self.told.wrapping_sub(command.word(5)),
            early: Vec::new(),
            output: None,
        }));
    }

    fn take_back(&mut self, cx: &Context, command: &Command<'_>) {
        let lent = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            cx.shared.lent.take(command.word(5))
        } else {
            None
        };
        let inline = command.bytes(6, 0, command.word(4) as usize);
        let Some(bytes) = lent.as_deref().or(inline) else {
            return;
        };
        if let Some(start) = &mut self.start {
            start.owed = start.owed.saturating_sub(bytes.len() as u32);
            start.early.extend_from_slice(bytes);
        }
    }

    /// Whether `start_tls` is to be called now.
    #[inline]
    pub fn must_start_tls(&self) -> bool {
        match &self.start {
            None => false,
            Some(start) => start.owed == 0 && self.output.is_none() && self.over.is_none(),
        }
    }

    /// Becomes a TLS client; `greet` comes next.
    pub fn start_tls(mut self: Box<Self>) -> Box<Self> {
        if let Some(start) = self.start.take() {
            let StartOfTls {
                client,
                early,
                output,
                ..
            } = *start;
            let plain = self.socket;
            self.socket = plain.start_tls(client, early);
            self.output = output;
            self.is_handshaking = true;
            // It is found again, and is an end of another kind.
            self.ended = false;
            self.readable = true;
        }
        self
    }

    /// Begins the handshake.
    pub fn greet(&mut self, cx: &mut Context) {
        self.socket.greet();
        self.advance(cx);
    }

    // -----------------------------------------------------------------------
    // Writing
    // -----------------------------------------------------------------------

    /// Takes what a command writes.
    fn take(&mut self, cx: &mut Context, command: &Command<'_>) {
        let length = command.word(4) as usize;
        let lent = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            cx.shared.lent.content_of(command, 5)
        } else {
            None
        };
        if self.shutdown != Shutdown::No || self.write_error.is_some() {
            return;
        }
        if let Some(start) = &mut self.start {
            let output = start.output.get_or_insert_with(|| cx.outputs.take());
            let bytes = match &lent {
                Some(bytes) => Some(&**bytes),
                None => command.bytes(6, 0, length),
            };
            if let Some(bytes) = bytes {
                output.append(bytes.len(), |out| out.extend_from_slice(bytes));
            }
            return;
        }
        let mut bytes = match lent {
            Some(Cow::Owned(bytes)) => {
                let length = bytes.len();
                let output = self.output.get_or_insert_with(|| cx.outputs.take());
                return output.push(Piece::owned(bytes, length));
            }
            Some(Cow::Borrowed(bytes)) => bytes,
            None => match command.bytes(6, 0, length) {
                Some(bytes) => bytes,
                None => return,
            },
        };
        let can_write = self.output.is_none() && !self.is_blocked && !self.is_handshaking;
        if bytes.len() >= LARGE && can_write {
            let count = self.write_at_once(cx, bytes);
            bytes = &bytes[count..];
        }
        if !bytes.is_empty() {
            let output = self.output.get_or_insert_with(|| cx.outputs.take());
            output.append(bytes.len(), |out| out.extend_from_slice(bytes));
        }
    }

    /// Writes from where JavaScript has put it, which spares a copy; how much.
    fn write_at_once(&mut self, cx: &mut Context, bytes: &[u8]) -> usize {
        match self.socket.write(bytes) {
            Ok(count) => {
                self.count_written(cx, count as u64, count as u32);
                count
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.is_blocked = true;
                0
            }
            Err(error) => {
                self.write_failed(error.raw_os_error().unwrap_or(0));
                bytes.len()
            }
        }
    }

    fn write(&mut self, cx: &mut Context) {
        let Some(output) = &mut self.output else {
            return;
        };
        let (progress, written) = output.write_to(&self.socket, usize::MAX);
        let error = output.error;
        let credit = std::mem::take(&mut output.credit) as u32;
        if written > 0 {
            self.count_written(cx, written, credit);
        }
        match progress {
            Progress::Done => {
                if let Some(output) = self.output.take() {
                    cx.outputs.give(output);
                }
            }
            Progress::Blocked => self.is_blocked = true,
            Progress::Yielded => {}
            Progress::Broken => self.write_failed(error),
        }
    }

    fn count_written(&mut self, cx: &Context, written: u64, credit: u32) {
        let delivered = cx.shared.region.delivered(self.index);
        // Only this thread writes it.
        let count = delivered.load(Ordering::Relaxed).wrapping_add(credit);
        delivered.store(count, Ordering::Release);
        if self.is_closing {
            self.deadline = cx.now_ms + cx.shared.tcp_times.flush;
        }
        if let Origin::Accepted(listener) = &self.origin {
            let bytes = self.socket.take_written(written);
            listener.metrics.add(METRIC_BYTES_WRITTEN, bytes);
        }
    }

    /// What was written is lost. The peer may have sent something before it
    /// went away, which is read first, if somebody reads.
    fn write_failed(&mut self, error: i32) {
        let error = if error == 0 { libc::EIO } else { error };
        self.output = None;
        if self.start.is_some() {
            self.over = Some(End::in_handshake(error));
            return;
        }
        if self.is_paused || self.ended || self.is_closing {
            self.over = Some(End::writing(error));
            return;
        }
        self.write_error = Some(error);
        self.readable = true;
    }

    /// Everything is written.
    fn written(&mut self, cx: &mut Context) {
        if self.asks_drain && self.write_error.is_none() {
            self.asks_drain = false;
            let (connection, generation) = (self.index, self.generation);
            cx.events
                .send(EVENT_TCP_DRAIN, 0, connection, generation, 0);
        }
        if self.shutdown == Shutdown::Asked {
            self.shutdown = Shutdown::Done;
            self.socket.shutdown_write();
            if self.is_closing {
                self.linger(cx);
            }
        }
        if self.shutdown == Shutdown::Done && self.ended && self.failure.is_none() {
            self.over = Some(End::CLEAN);
        }
    }

    // -----------------------------------------------------------------------
    // Time
    // -----------------------------------------------------------------------

    /// Everything is sent that ever will be.
    fn linger(&mut self, cx: &Context) {
        let times = &cx.shared.tcp_times;
        self.linger_until = cx.now_ms + times.longest_linger;
        self.deadline = cx.now_ms + times.linger;
    }

    fn arm(&mut self, cx: &mut Context) {
        if self.deadline != NEVER && tick_of(self.deadline) < self.armed {
            self.armed = cx.deadlines.insert(self.deadline, self.index, self.serial);
        }
    }

    /// The entry for tick `armed` has come up.
    pub fn look_at_deadline(&mut self, cx: &mut Context) {
        self.armed = UNARMED;
        if cx.now_ms < self.deadline {
            return self.arm(cx);
        }
        if self.is_handshaking || self.start.is_some() {
            self.over = Some(End::in_handshake(libc::ETIMEDOUT));
            return;
        }
        if let Some(end) = self.failure {
            self.over = Some(end);
            return;
        }
        if self.output.is_some() {
            // Nobody shall take what was sent for all.
            self.socket.reset_on_close();
        }
        self.over = Some(End::CLEAN);
    }

    // -----------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------

    /// Tells JavaScript that the connection is over. The socket closes when the
    /// connection is dropped.
    pub fn close(&mut self, cx: &mut Context, end: End) {
        if end == End::BROKEN {
            self.socket.reset_on_close();
        }
        let word = cx.shared.region.generation(self.index);
        word.store(self.generation.wrapping_add(1), Ordering::Release);
        self.tell_end(cx, end);
        if let Origin::Accepted(listener) = &self.origin {
            listener.metrics.subtract(METRIC_CONNECTIONS, 1);
            listener.closed();
        }
    }

    fn tell_end(&mut self, cx: &mut Context, end: End) {
        if !self.is_announced || self.is_told {
            return;
        }
        self.is_told = true;
        let refusal = end.refusal.map(|code| {
            let length = (code.len() as u32).to_le_bytes();
            [&length, code.as_bytes()].concat()
        });
        cx.events.send_event(Event {
            kind: EVENT_TCP_CLOSED,
            flags: end.flags,
            connection: self.index,
            generation: self.generation,
            word: end.errno as u32,
            rest: refusal.as_deref().unwrap_or_default(),
        });
    }

    /// The listener that has accepted it.
    pub fn listener(&self) -> Option<Arc<Listener>> {
        match &self.origin {
            Origin::Accepted(listener) => Some(listener.clone()),
            Origin::Connected(_) => None,
        }
    }
}
