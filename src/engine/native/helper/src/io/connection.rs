//! One connection: a state machine that reads, hands over and writes as much as
//! it can whenever something has happened.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::content::Discard;
use super::context::{Context, Ticket};
use super::deadlines::{NEVER, UNARMED};
use super::exchange::{Answer, Exchange, Stream};
use super::http2::Session;
use super::input::Input;
use super::listener::Listener;
use super::output::Output;
use super::request::Peer;
use super::socket::Socket;
use super::timing::LEAVING_TIME;
use super::web_socket::WebSocket;
use crate::abi::*;
use crate::fault;
use crate::http::HeadParser;

/// Reads of a connection before it is another's turn.
const READS_PER_TURN: u32 = 8;

/// How long a client is listened to that was told that the connection closes,
/// in milliseconds. Closing at once could destroy the response on its way
/// (RFC 9112, 9.6).
const LINGER_TIME: u64 = 2000;
/// How many bytes of it are read meanwhile.
const LINGER_BYTES: usize = 1024 * 1024;
/// How long content that nobody wants may take, in milliseconds.
const DROP_TIME: u64 = 10_000;
/// How long a TLS handshake may take, in milliseconds, where heads may take any
/// time.
const HANDSHAKE_TIME: u64 = 10_000;
/// How long a listener that stops waits for heads that were begun.
const STOP_TIME: u64 = 2000;

/// What a connection is doing.
pub(super) enum Phase {
    /// Waiting for a head, or for the rest of it.
    Head,
    /// A head is there, and so many bytes will be when its content is.
    Awaiting { needed: usize },
    /// A request finds no room in the ring.
    Held { since: u64 },
    /// A request is with JavaScript.
    Exchange(Exchange),
    /// A request was answered whose content is still arriving.
    Draining { discard: Discard, until: u64 },
    /// The connection speaks HTTP/2, and its streams have the requests.
    Http2(Box<Session>),
    /// The connection is a WebSocket.
    WebSocket(Box<WebSocket>),
    /// Closing as soon as everything is written.
    Ending,
    /// Everything is written; the client may still be sending.
    Lingering { left: usize, until: u64 },
}

impl Phase {
    pub(super) fn draining(cx: &Context, discard: Discard) -> Self {
        Phase::Draining {
            discard,
            until: cx.now_ms + DROP_TIME,
        }
    }
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// There was nothing left to do.
    Done,
    /// The client is gone, or was cut.
    Left,
    /// A deadline was missed.
    Deadline,
}

/// What the system has told about a socket.
#[derive(Clone, Copy, Debug)]
pub struct Readiness {
    /// There is something to read.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The client has ended its side.
    pub read_closed: bool,
    /// The client takes nothing any more.
    pub write_closed: bool,
}

/// A connection.
pub struct Connection {
    /// Its index.
    pub index: u32,
    /// Tells connections with the same index apart.
    pub serial: u32,
    /// What it shares with others of its listener.
    pub listener: Arc<Listener>,
    /// Set when it is to be closed.
    pub over: Option<Over>,
    /// The tick for which it is entered in the deadlines.
    pub armed: u64,
    /// It is among those that have something to write after commands.
    pub is_unwritten: bool,
    pub(super) generation: u32,
    pub(super) phase: Phase,
    pub(super) peer: Peer,
    pub(super) input: Input,
    /// The input was not looked at since it or the phase changed.
    pub(super) fresh: bool,
    pub(super) parser: HeadParser,
    /// It may turn out that the client speaks HTTP/2.
    pub(super) may_be_http2: bool,
    /// Do not wait any longer for small content.
    pub(super) waited: bool,
    /// Something to write that the socket did not take at once.
    pub(super) output: Option<Box<Output>>,
    /// The response that was begun is the last.
    pub(super) is_last: bool,
    /// There may be input that was not read.
    pub(super) has_unread: bool,
    /// Something was read, written or commanded.
    pub(super) progress: bool,
    pub(super) socket: Socket,
    pub(super) readable: bool,
    pub(super) blocked: bool,
    /// The client has ended its side, though some input may be left.
    pub(super) hung_up: bool,
    /// All input was read.
    pub(super) ended: bool,
    pub(super) reads_left: u32,
    pub(super) is_queued: bool,
    pub(super) active_at: u64,
    pub(super) head_since: u64,
    pub(super) stop_until: u64,
    pub(super) handshake_until: u64,
    pub(super) deadline: u64,
    /// Whether the client has shown a certificate, once that is known. Then
    /// JavaScript can ask for it.
    pub(super) has_certificate: Option<bool>,
}

impl Connection {
    /// A connection whose socket is registered.
    pub fn new(
        cx: &Context,
        ticket: Ticket,
        listener: Arc<Listener>,
        socket: Socket,
        peer: Peer,
    ) -> Self {
        let handshake_time = match listener.head_timeout {
            0 => HANDSHAKE_TIME,
            timeout => timeout,
        };
        let may_be_http2 = listener.plan.http2;
        let word = cx.shared.region.generation(ticket.index);
        let generation = word.load(Ordering::Relaxed).wrapping_add(1);
        word.store(generation, Ordering::Release);
        // Before JavaScript knows of it.
        let region = &cx.shared.region;
        region.delivered(ticket.index).store(0, Ordering::Relaxed);
        region.blocked(ticket.index).store(0, Ordering::Relaxed);
        Self {
            index: ticket.index,
            serial: ticket.serial,
            listener,
            over: None,
            armed: UNARMED,
            is_unwritten: false,
            generation,
            phase: Phase::Head,
            peer,
            input: Input::default(),
            fresh: false,
            parser: HeadParser::default(),
            may_be_http2,
            waited: false,
            output: None,
            is_last: false,
            has_unread: false,
            progress: true,
            socket,
            readable: false,
            blocked: false,
            hung_up: false,
            ended: false,
            reads_left: 0,
            is_queued: false,
            active_at: 0,
            head_since: NEVER,
            stop_until: NEVER,
            handshake_until: cx.now_ms + handshake_time,
            deadline: NEVER,
            has_certificate: None,
        }
    }

    /// Whether bytes go to the system as they are.
    pub fn takes_as_it_is(&self) -> bool {
        self.socket.is_plain()
    }

    /// Which connection this is.
    pub fn ticket(&self) -> Ticket {
        Ticket {
            index: self.index,
            serial: self.serial,
        }
    }

    // -----------------------------------------------------------------------
    // What happens
    // -----------------------------------------------------------------------

    /// The system tells about the socket.
    #[inline]
    pub fn ready(&mut self, cx: &mut Context, readiness: Readiness) {
        fault::point(fault::IO);
        self.readable |= readiness.readable || readiness.read_closed || readiness.write_closed;
        self.hung_up |= readiness.read_closed;
        if readiness.writable {
            self.blocked = false;
            self.socket.flush();
        }
        let is_waiting = match &self.phase {
            Phase::Exchange(_) | Phase::Held { .. } | Phase::Http2(_) => true,
            Phase::WebSocket(socket) => socket.is_paused,
            _ => false,
        };
        if readiness.write_closed && is_waiting {
            // Nobody would see the answer.
            self.over = Some(Over::Left);
            return;
        }
        self.advance(cx);
    }

    /// It is this connection's turn again.
    pub fn resume(&mut self, cx: &mut Context) {
        self.is_queued = false;
        self.advance(cx);
    }

    /// There may be room in the ring. Whether all that was held back is through:
    /// then it is something else that may be held back now.
    pub fn retry(&mut self, cx: &mut Context) -> bool {
        if matches!(self.phase, Phase::WebSocket(_)) {
            return self.retry_web_socket(cx);
        }
        if matches!(self.phase, Phase::Http2(_)) {
            return self.retry_streams(cx);
        }
        if let Phase::Held { since } = self.phase {
            if self.hung_up && cx.now_ms - since > LEAVING_TIME {
                self.over = Some(Over::Left);
                return false;
            }
            self.change(Phase::Head);
            self.advance(cx);
        }
        false
    }

    /// Small content has taken too long.
    pub fn stop_awaiting(&mut self, cx: &mut Context) {
        if matches!(self.phase, Phase::Awaiting { .. }) {
            self.waited = true;
            self.change(Phase::Head);
            self.advance(cx);
        }
    }

    /// JavaScript has taken content.
    pub fn content_taken(&mut self, cx: &mut Context, generation: u32) {
        if generation != self.generation {
            return;
        }
        if matches!(self.phase, Phase::WebSocket(_)) {
            return self.message_taken(cx);
        }
        if let Phase::Exchange(Exchange {
            content: Some(content),
            ..
        }) = &mut self.phase
        {
            content.resume(cx);
            self.fresh = true;
            self.progress = true;
            self.advance(cx);
        }
    }

    /// The listener stops. What is idle ends, the rest goes on, if it can.
    pub fn stop(&mut self, cx: &mut Context, force: bool) {
        if force {
            if !self.stops_soon(cx) {
                self.over = Some(Over::Left);
            }
            return;
        }
        // A request may have arrived by now.
        self.readable = true;
        self.stop_until = match &self.phase {
            Phase::Exchange(_) | Phase::WebSocket(_) | Phase::Http2(_) => NEVER,
            _ => cx.now_ms + STOP_TIME,
        };
        self.stop_streams();
        self.advance(cx);
    }

    /// Closes the connection if it has no request; whether it had none.
    pub fn close_if_idle(&mut self, cx: &mut Context) -> bool {
        self.readable = true;
        self.advance(cx);
        if self.over.is_none() && self.say_goodbye() {
            self.advance(cx);
            return true;
        }
        if self.over.is_none() && self.is_idle() {
            self.over = Some(Over::Done);
        }
        self.over == Some(Over::Done)
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Head) && self.output.is_none() && self.input.is_empty()
    }

    /// Whether a command is about the request that is with JavaScript, or the
    /// socket.
    #[inline]
    pub fn is_current(&self, generation: u32) -> bool {
        generation == self.generation
            && match &self.phase {
                Phase::Exchange(exchange) => exchange.answer != Answer::Complete,
                Phase::WebSocket(_) => true,
                _ => false,
            }
    }

    // -----------------------------------------------------------------------
    // Doing all that can be done
    // -----------------------------------------------------------------------

    /// Writes, reads and hands over until the socket or somebody else is to
    /// act.
    pub fn advance(&mut self, cx: &mut Context) {
        self.reads_left = READS_PER_TURN;
        self.begin_streams_turn();
        let mut may_write = true;
        while self.over.is_none() {
            if self.output.is_some() && !self.blocked && may_write {
                may_write = self.write(cx);
                continue;
            }
            if self.output.is_none() && self.written(cx) {
                continue;
            }
            if !self.wants_input() || !self.receive(cx) {
                break;
            }
        }
        if self.over.is_none() {
            self.settle(cx);
        }
    }

    /// Sees to it that `advance` is called after this batch of commands.
    pub fn advance_later(&mut self, cx: &mut Context) {
        if !self.is_unwritten {
            self.is_unwritten = true;
            cx.unwritten.push(self.ticket());
        }
    }

    /// Everything is written; whether that changed something.
    fn written(&mut self, cx: &mut Context) -> bool {
        match &self.phase {
            Phase::Exchange(exchange) if exchange.answer == Answer::Complete => {
                self.complete(cx);
                true
            }
            Phase::Ending => {
                self.end(cx);
                true
            }
            Phase::Http2(_) => self.drive_if_needed(cx),
            Phase::WebSocket(_) => self.web_socket_written(cx),
            _ => false,
        }
    }

    /// The response is written whole.
    fn complete(&mut self, cx: &mut Context) {
        let Phase::Exchange(exchange) = std::mem::replace(&mut self.phase, Phase::Head) else {
            return;
        };
        if exchange.is_counted {
            self.listener.metrics.subtract(METRIC_PENDING, 1);
        }
        if exchange.notify {
            cx.events
                .send(EVENT_DONE, 0, self.index, self.generation, 0);
        }
        let mut next = Phase::Head;
        if let Some(content) = exchange.content {
            content.forget(cx);
            self.has_unread |= !content.is_complete();
            if content.has_failed() {
                next = Phase::Ending;
            } else if let Some(discard) = content.into_discard() {
                next = Phase::draining(cx, discard);
            }
        }
        if self.is_last || self.listener.is_stopping() {
            next = Phase::Ending;
        }
        self.change(next);
    }

    /// Counts the request that is with JavaScript as pending, or not.
    pub(super) fn count_pending(&mut self, is_pending: bool) {
        let Phase::Exchange(exchange) = &mut self.phase else {
            return;
        };
        if is_pending && !exchange.is_counted {
            self.listener.metrics.add(METRIC_PENDING, 1);
        } else if !is_pending && exchange.is_counted {
            self.listener.metrics.subtract(METRIC_PENDING, 1);
        }
        exchange.is_counted = is_pending;
    }

    /// Goes on to another phase, in which the input may be of use.
    pub(super) fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.fresh = true;
        self.progress = true;
        self.head_since = NEVER;
    }

    /// Everything is written, and nothing more will be.
    pub(super) fn end(&mut self, cx: &Context) {
        let may_be_sending = self.has_unread || self.readable || !self.input.is_empty();
        self.input.clear();
        if (self.ended || !may_be_sending) && self.socket.prepare_close() {
            self.over = Some(Over::Done);
            return;
        }
        self.socket.shutdown_write();
        self.change(Phase::Lingering {
            left: LINGER_BYTES,
            until: cx.now_ms + LINGER_TIME,
        });
    }

    // -----------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------

    /// Another generation: commands for the one before are stale.
    pub(super) fn next_generation(&mut self, cx: &Context) {
        self.generation = self.generation.wrapping_add(1);
        let word = cx.shared.region.generation(self.index);
        word.store(self.generation, Ordering::Release);
    }

    /// Tells everybody that the connection is over. The socket closes when the
    /// connection is dropped.
    pub fn close(&mut self, cx: &mut Context, over: Over) {
        match over {
            Over::Deadline => self.listener.metrics.add(METRIC_TIMEOUTS, 1),
            // At worst the client cannot tell.
            Over::Done => {
                self.socket.prepare_close();
            }
            Over::Left => {}
        }
        self.listener.metrics.subtract(METRIC_CONNECTIONS, 1);
        let old = self.generation;
        // First, so that JavaScript does not begin what it is told is over.
        self.next_generation(cx);
        if self.has_certificate == Some(true) {
            cx.shared.peer_certificates.remove(self.index);
        }
        if let Phase::Held { .. } = self.phase {
            // It waits for JavaScript no longer.
            let ticket = self.ticket();
            cx.held.retain(|held| *held != ticket);
        }
        if let Phase::Exchange(exchange) = &mut self.phase {
            if exchange.is_counted {
                self.listener.metrics.subtract(METRIC_PENDING, 1);
            }
            if let Some(content) = &exchange.content {
                content.forget(cx);
            }
            if exchange.answer == Answer::Stream(Stream::UntilClose) {
                self.socket.reset_on_close();
            }
            let is_deadline = u32::from(over == Over::Deadline);
            cx.events.send(EVENT_GONE, 0, self.index, old, is_deadline);
        }
        self.lose_web_socket(cx, old);
        self.lose_streams(cx, over);
        self.listener.closed();
    }
}
