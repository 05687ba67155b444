//! What a WebSocket's client sends.

use super::connection::{Connection, Phase};
use super::context::Context;
use super::web_socket::{Stage, WebSocket};
use crate::abi::{EVENT_PING, EVENT_PONG};
use crate::fault;
use crate::waiting_messages::Key;
use crate::websocket::close::{ABNORMAL, NO_CODE};
use crate::websocket::encoder::{write_close, write_frame};
use crate::websocket::frame::Opcode;
use crate::websocket::{Event, Failure};

/// What input has become.
enum Received {
    /// So many bytes were used, and there may be more in the rest.
    Used(usize),
    /// A close frame: its code and reason.
    Closed(u16, String),
    /// Something that the protocol forbids.
    Failed(Failure),
}

impl Connection {
    /// Uses a prefix of `input`, which is changed; returns how many bytes.
    pub(super) fn receive_frames(&mut self, cx: &mut Context, input: &mut [u8]) -> usize {
        fault::point(fault::IO + 6);
        let key = (self.index, self.generation);
        let is_blocked = self.output.is_some();
        let Phase::WebSocket(socket) = &mut self.phase else {
            return 0;
        };
        socket.hear(cx.now_ms);
        let mut used = 0;
        while used < input.len() && socket.is_listening() {
            match socket.receive(cx, key, &mut input[used..], is_blocked) {
                Received::Used(count) => used += count,
                Received::Closed(code, reason) => {
                    self.answer_close(cx, code, &reason);
                    return input.len();
                }
                Received::Failed(failure) => {
                    self.fail_web_socket(cx, failure);
                    return input.len();
                }
            }
        }
        if socket.inbox.has_kept() && !socket.inbox.is_held {
            socket.inbox.is_held = true;
            cx.held.push_back(self.ticket());
        }
        used
    }

    /// There may be room in the ring.
    ///
    /// As `Connection::retry`.
    pub(super) fn retry_web_socket(&mut self, cx: &mut Context) -> bool {
        let ticket = self.ticket();
        let Some(socket) = self.web_socket() else {
            return false;
        };
        let was_listening = socket.is_listening();
        if !socket.inbox.retry(&mut cx.events) {
            cx.held.push_back(ticket);
            return false;
        }
        socket.inbox.is_held = false;
        self.listen_again(cx, was_listening);
        self.advance(cx);
        true
    }

    /// JavaScript has taken a message.
    pub(super) fn message_taken(&mut self, cx: &mut Context) {
        if let Some(socket) = self.web_socket() {
            let was_listening = socket.is_listening();
            socket.inbox.waits_for_taking = false;
            self.listen_again(cx, was_listening);
            self.advance(cx);
        }
    }

    /// JavaScript wants to hear nothing, or everything. `advance` must follow.
    pub(super) fn pause(&mut self, cx: &mut Context, is_paused: bool) {
        if let Some(socket) = self.web_socket() {
            let was_listening = socket.is_listening();
            socket.is_paused = is_paused;
            self.listen_again(cx, was_listening);
        }
    }

    fn listen_again(&mut self, cx: &Context, was_listening: bool) {
        if let Some(socket) = self.web_socket().filter(|_| !was_listening) {
            socket.hear(cx.now_ms);
        }
        self.fresh = true;
    }

    /// The client will send nothing more, and has not said so before; whether
    /// that changes anything.
    pub(super) fn frames_ended(&mut self, cx: &mut Context) -> bool {
        match self.web_socket().map(|it| it.stage) {
            Some(Stage::Open) => self.end_web_socket(cx, ABNORMAL, ""),
            Some(Stage::Closing) => self.forsake_web_socket(cx, Stage::Ending),
            Some(Stage::Ending) | None => return false,
        }
        true
    }

    /// The client has closed, or has answered a close frame.
    fn answer_close(&mut self, cx: &mut Context, code: u16, reason: &str) {
        if self.web_socket().is_some_and(|it| it.stage == Stage::Open) {
            let answer = (code != NO_CODE).then_some(code);
            write_close(&mut cx.out, answer, reason);
            self.end_web_socket(cx, code, reason);
        } else {
            self.forsake_web_socket(cx, Stage::Ending);
        }
    }

    /// The client has broken the protocol, or a limit.
    fn fail_web_socket(&mut self, cx: &mut Context, failure: Failure) {
        // It is probably still sending.
        self.has_unread = true;
        if self.web_socket().is_some_and(|it| it.stage == Stage::Open) {
            write_close(&mut cx.out, Some(failure.code), failure.reason);
            self.end_web_socket(cx, ABNORMAL, failure.reason);
        } else {
            self.forsake_web_socket(cx, Stage::Ending);
        }
    }
}

impl WebSocket {
    /// Takes one step through the input. Pongs are collected in `cx.out`.
    fn receive(
        &mut self,
        cx: &mut Context,
        key: Key,
        input: &mut [u8],
        is_blocked: bool,
    ) -> Received {
        let Self {
            stage,
            decoder,
            inbox,
            pongs,
            ..
        } = self;
        let Context {
            codecs,
            events,
            shared,
            out,
            now_ms,
            ..
        } = cx;
        let step = match decoder.step(input, &mut codecs.inflater) {
            Ok(step) => step,
            Err(failure) => return Received::Failed(failure),
        };
        let is_open = *stage == Stage::Open;
        match step.event {
            Some(Event::Close { code, reason }) => {
                return Received::Closed(code, reason.to_owned());
            }
            Some(Event::Message { kind, payload }) if is_open => {
                inbox.message(events, &shared.messages, key, kind, payload);
            }
            Some(Event::Ping(payload)) if is_open => {
                if pongs.ping(payload, is_blocked, *now_ms) {
                    write_frame(out, Opcode::Pong, payload);
                }
                inbox.control(events, EVENT_PING, key, payload);
            }
            Some(Event::Pong(payload)) if is_open => {
                inbox.control(events, EVENT_PONG, key, payload);
            }
            _ => {}
        }
        Received::Used(step.consumed)
    }
}
