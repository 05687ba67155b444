//! A connection whose bytes go to JavaScript as they are, and the other way
//! round.
//!
//! What arrives is read right into the events ring. While that has no room
//! nothing is read, so that the peer is held back, and nothing is kept here. What
//! arrives in bulk is read by JavaScript's thread, right into its own memory.

mod reading;
mod start_tls;
mod writing;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use self::reading::SMALLEST_READ;
use self::start_tls::StartOfTls;
use super::answer::Then;
use super::connection::Readiness;
use super::context::{Context, Ticket};
use super::deadlines::{NEVER, UNARMED, tick_of};
use super::events::Event;
use super::listener::Listener;
use super::output::Output;
use super::request::Peer;
use super::socket::Socket;
use crate::abi::*;
use crate::fault;
use crate::ring::Command;

/// Reads of a connection before it is another's turn.
const READS_PER_TURN: u32 = 8;

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
