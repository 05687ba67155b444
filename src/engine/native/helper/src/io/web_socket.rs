//! A connection that has become a WebSocket: how far it is, and its times.
//!
//! Its frames are the business of `crate::websocket`; what arrives is handled
//! in `web_socket_input`, what is sent in `web_socket_output`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::deadlines::NEVER;
use super::events::Event;
use super::web_socket_inbox::Inbox;
use crate::abi::{EVENT_CLOSED, EVENT_DRAIN};
use crate::bus::BusTopics;
use crate::region::Region;
use crate::waiting_messages::Key;
use crate::websocket::close::ABNORMAL;
use crate::websocket::{CLOSE_TIMEOUT, Decoder, Encoder, IdleStep, IdleTimes, Pongs};

/// How long sockets that are closing may take when their listener is stopped by
/// force, in milliseconds: enough for a close frame and its answer.
const FORCED_STOP_TIME: u64 = 250;

/// How far a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// JavaScript has it. In the stages behind this it is told nothing more.
    Open,
    /// JavaScript has closed it, and the client is to answer the close frame.
    Closing,
    /// It ends when everything is written.
    Ending,
}

/// A WebSocket. Idle, it holds little memory beside itself.
pub struct WebSocket {
    /// How far it is.
    pub stage: Stage,
    /// Makes messages of what the client sends.
    pub decoder: Decoder,
    /// Makes frames of what JavaScript sends.
    pub encoder: Encoder,
    /// What JavaScript has not been told yet.
    pub inbox: Inbox,
    /// Which pings are answered.
    pub pongs: Pongs,
    /// JavaScript wants to hear nothing.
    pub is_paused: bool,
    /// Payload bytes that may wait to be written; 0 is any.
    pub limit: usize,
    /// Payload bytes that do.
    pub waiting: usize,
    /// Those that came from a bus, and JavaScript does not know of.
    pub foreign: usize,
    /// The connection is cut rather than a message dropped.
    pub is_cut: bool,
    /// Where it is subscribed to topics of a bus.
    pub bus: Option<Arc<BusTopics>>,
    /// JavaScript sees that the client takes what it is sent slowly.
    pub is_blocked: bool,
    idle: IdleTimes,
    /// When the client was last heard, and whether it was pinged since.
    heard: u64,
    pinged: bool,
    /// When to give up, in the stages behind `Open`.
    until: u64,
}

impl WebSocket {
    /// One that has just begun.
    pub fn new(decoder: Decoder, encoder: Encoder, limit: usize, idle: IdleTimes) -> Self {
        Self {
            stage: Stage::Open,
            decoder,
            encoder,
            inbox: Inbox::default(),
            pongs: Pongs::default(),
            is_paused: false,
            limit,
            waiting: 0,
            foreign: 0,
            is_cut: false,
            bus: None,
            is_blocked: false,
            idle,
            heard: 0,
            pinged: false,
            until: NEVER,
        }
    }

    /// Whether it is read from.
    pub fn is_listening(&self) -> bool {
        match self.stage {
            Stage::Open => !self.is_paused && !self.inbox.is_full(),
            Stage::Closing => true,
            Stage::Ending => false,
        }
    }

    /// Something shows that the client is there, or it has not been listened to.
    pub fn hear(&mut self, now: u64) {
        self.heard = now;
        self.pinged = false;
    }

    /// When to look at it, in milliseconds.
    ///
    /// * `can_write`: nothing waits to be written.
    pub fn deadline(&self, can_write: bool, now: u64) -> u64 {
        if self.stage != Stage::Open {
            return self.until;
        }
        let silence = match self.idle_step(now) {
            IdleStep::Never => NEVER,
            IdleStep::Wait(until) => until,
            IdleStep::Ping | IdleStep::Close => now,
        };
        match self.pongs.due_at() {
            Some(at) if can_write => silence.min(at),
            _ => silence,
        }
    }

    /// What to do about the silence of the client.
    fn idle_step(&self, now: u64) -> IdleStep {
        // Who is not listened to cannot be blamed for it.
        if self.is_listening() {
            self.idle.step(self.heard, self.pinged, now)
        } else {
            IdleStep::Never
        }
    }

    /// Goes on to another stage, in which JavaScript is told nothing.
    fn leave_open(&mut self, connection: u32, stage: Stage, now: u64) {
        self.leave_bus(connection);
        self.stage = stage;
        self.until = now + CLOSE_TIMEOUT;
    }

    /// It is subscribed to nothing any more.
    fn leave_bus(&mut self, connection: u32) {
        if let Some(bus) = self.bus.take() {
            bus.leave(connection);
        }
    }

    /// So many bytes, with so much payload of JavaScript's, have been written.
    pub fn wrote(&mut self, region: &Region, connection: u32, payload: u64, now: u64) {
        if self.stage != Stage::Open {
            self.until = now + CLOSE_TIMEOUT;
        } else if self.is_blocked {
            // The system had no room: the client has taken some.
            self.hear(now);
        }
        self.deliver(region, connection, usize::try_from(payload).unwrap_or(0));
    }

    /// So much payload is done with.
    pub(super) fn deliver(&mut self, region: &Region, connection: u32, payload: usize) {
        if payload > 0 {
            self.waiting = self.waiting.saturating_sub(payload);
            let word = region.delivered(connection);
            // Only this thread writes.
            let sum = word.load(Ordering::Relaxed).wrapping_add(payload as u32);
            word.store(sum, Ordering::Release);
        }
    }
}

impl Connection {
    /// Whether this is a socket that JavaScript has, with this generation.
    pub(super) fn is_socket(&self, generation: u32) -> bool {
        generation == self.generation
            && matches!(&self.phase, Phase::WebSocket(socket) if socket.stage == Stage::Open)
    }

    /// The socket, if this is one.
    pub(super) fn web_socket(&mut self) -> Option<&mut WebSocket> {
        match &mut self.phase {
            Phase::WebSocket(socket) => Some(socket),
            _ => None,
        }
    }

    fn key(&self) -> Key {
        (self.index, self.generation)
    }

    // -----------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------

    /// The socket is over, and JavaScript is told why: the last event.
    pub(super) fn end_web_socket(&mut self, cx: &mut Context, code: u16, reason: &str) {
        let key = self.key();
        let Some(socket) = self.web_socket().filter(|it| it.stage == Stage::Open) else {
            return;
        };
        socket.leave_open(key.0, Stage::Ending, cx.now_ms);
        socket.inbox.send_all(&mut cx.events);
        // First, so that commands are stale from here on.
        self.next_generation(cx);
        send_closed(cx, key, code, reason);
    }

    /// JavaScript has ended the socket, and is told nothing more.
    pub(super) fn forsake_web_socket(&mut self, cx: &mut Context, stage: Stage) {
        let key = self.key();
        let Some(socket) = self.web_socket() else {
            return;
        };
        socket.leave_open(key.0, stage, cx.now_ms);
        socket.inbox = Inbox::default();
        cx.shared.messages.forget(key);
        self.fresh = true;
        self.next_generation(cx);
    }

    /// The connection closes, whatever the socket was doing. `generation` is
    /// the one that it had.
    pub(super) fn lose_web_socket(&mut self, cx: &mut Context, generation: u32) {
        let key = (self.index, generation);
        let Some(socket) = self.web_socket() else {
            return;
        };
        socket.leave_bus(key.0);
        let given_up = socket.waiting;
        socket.deliver(&cx.shared.region, key.0, given_up);
        if socket.stage == Stage::Open {
            socket.inbox.send_all(&mut cx.events);
            send_closed(cx, key, ABNORMAL, "");
        }
    }

    /// Everything is written; whether that changed something.
    pub(super) fn web_socket_written(&mut self, cx: &mut Context) -> bool {
        let now = cx.now_ms;
        let Some(socket) = self.web_socket() else {
            return false;
        };
        match socket.stage {
            Stage::Ending => {
                self.end(cx);
                true
            }
            Stage::Closing => false,
            Stage::Open => match socket.pongs.due(false, now) {
                Some(payload) => {
                    self.write_pong(cx, &payload);
                    self.emit(cx);
                    true
                }
                None => false,
            },
        }
    }

    /// The listener is stopped by force. Sockets that are closing are given a
    /// moment; whether this is one.
    pub(super) fn stops_soon(&mut self, cx: &mut Context) -> bool {
        let is_closing = self.web_socket().is_some_and(|it| it.stage != Stage::Open);
        if is_closing {
            self.stop_until = cx.now_ms + FORCED_STOP_TIME;
            self.advance(cx);
        }
        is_closing
    }

    // -----------------------------------------------------------------------
    // Time
    // -----------------------------------------------------------------------

    /// Tells JavaScript whether the client takes what it is sent.
    pub(super) fn tell_blocked(&mut self, cx: &mut Context) {
        let is_slow = self.output.is_some() && self.blocked;
        let is_written = self.output.is_none();
        let key = self.key();
        let Some(socket) = self.web_socket().filter(|it| it.stage == Stage::Open) else {
            return;
        };
        let word = cx.shared.region.blocked(key.0);
        if !socket.is_blocked && is_slow {
            socket.is_blocked = true;
            word.store(1, Ordering::Release);
        } else if socket.is_blocked && is_written {
            socket.is_blocked = false;
            // First, so that who is told does not find it set.
            word.store(0, Ordering::Release);
            cx.events.send(EVENT_DRAIN, 0, key.0, key.1, 0);
        }
    }

    /// The socket's deadline has come.
    pub(super) fn web_socket_is_due(&mut self, cx: &mut Context) {
        let now = cx.now_ms;
        let Some(socket) = self.web_socket() else {
            return;
        };
        if socket.stage != Stage::Open {
            self.over = Some(Over::Deadline);
            return;
        }
        match socket.idle_step(now) {
            IdleStep::Ping => {
                socket.pinged = true;
                self.write_ping(cx);
                self.emit(cx);
            }
            IdleStep::Close => {
                // It may have said something that nobody has looked at.
                self.readable = true;
                self.advance(cx);
                let is_silent = self
                    .web_socket()
                    .is_some_and(|it| it.idle_step(now) == IdleStep::Close);
                if is_silent && self.over.is_none() {
                    self.over = Some(Over::Deadline);
                }
                return;
            }
            // A pong is due.
            IdleStep::Wait(_) | IdleStep::Never => {}
        }
        self.advance(cx);
    }
}

/// Tells JavaScript that a socket is over.
pub fn send_closed(cx: &mut Context, (connection, generation): Key, code: u16, reason: &str) {
    let length = reason.len() as u32;
    let rest = [&length.to_le_bytes()[..], reason.as_bytes()].concat();
    cx.events.send_event(Event {
        kind: EVENT_CLOSED,
        flags: 0,
        connection,
        generation,
        word: code.into(),
        rest: &rest,
    });
}
