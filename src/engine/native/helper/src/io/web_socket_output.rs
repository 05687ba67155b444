//! What is sent to a WebSocket's client.

use std::borrow::Cow;

use super::answer::{self, Then};
use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::output::{Output, Piece};
use super::web_socket::Stage;
use crate::abi::*;
use crate::fault;
use crate::ring::Command;
use crate::websocket::Kind;
use crate::websocket::close::{CONTROL_BYTES, may_travel};
use crate::websocket::encoder::{ServerHead, write_close, write_frame};
use crate::websocket::frame::Opcode;

/// Messages from this length on do not wait for others to go out with.
const LONG_BYTES: usize = 16 * 1024;
/// JavaScript sends nothing while more than a socket's limit waits. Who has
/// this much more than twice the limit is lost.
const BEYOND_LIMIT: usize = 16 * 1024 * 1024;

/// Takes the payload that a command has a token for.
pub fn take_lent<'a>(cx: &Context, command: &Command<'a>) -> Option<Cow<'a, [u8]>> {
    if command.flags & RESPOND_CONTENT_TOKEN == 0 {
        return None;
    }
    // One that is not there is as good as empty.
    Some(cx.shared.lent.content_of(command, 5).unwrap_or_default())
}

/// Of a message to be sent.
pub fn kind_of(command: &Command<'_>) -> Kind {
    if command.flags & SEND_TEXT != 0 {
        Kind::Text
    } else {
        Kind::Binary
    }
}

impl Connection {
    /// Carries out a command for a socket that JavaScript has.
    pub(super) fn carry_out_for_web_socket(
        &mut self,
        cx: &mut Context,
        command: &Command<'_>,
    ) -> Then {
        match command.kind {
            COMMAND_SEND => self.send(cx, command),
            COMMAND_CLOSE => self.close_web_socket(cx, command),
            COMMAND_TERMINATE => {
                // Nobody reads what the client may be sending.
                self.has_unread = true;
                self.forsake_web_socket(cx, Stage::Ending);
            }
            COMMAND_PAUSE => self.pause(cx, true),
            COMMAND_RESUME => self.pause(cx, false),
            COMMAND_SUBSCRIBE => self.subscribe(cx, command),
            COMMAND_UNSUBSCRIBE => self.unsubscribe(command),
            // It is one already.
            COMMAND_UPGRADE => {}
            _ => answer::discard(cx, command),
        }
        Then::AdvanceLater
    }

    fn send(&mut self, cx: &mut Context, command: &Command<'_>) {
        fault::point(fault::IO + 7);
        let payload: Option<Cow<'_, [u8]>> = match take_lent(cx, command) {
            Some(lent) => Some(lent),
            None => command.bytes(6, 0, command.word(4) as usize).map(Cow::from),
        };
        let Some(payload) = payload else {
            // Nobody knows what was meant.
            self.over = Some(Over::Left);
            return;
        };
        if !self.may_send(payload.len()) {
            return;
        }
        let kind = kind_of(command);
        let compress = command.flags & SEND_COMPRESSED != 0;
        match command.flags & (SEND_PING | SEND_PONG) {
            0 if !compress && payload.len() >= LONG_BYTES => self.send_long(cx, kind, payload),
            0 => self.send_message(cx, kind, &payload, compress),
            SEND_PING => self.send_control(cx, Opcode::Ping, &payload),
            _ => self.send_control(cx, Opcode::Pong, &payload),
        }
    }

    fn send_control(&mut self, cx: &mut Context, opcode: Opcode, payload: &[u8]) {
        let frame = &payload[..payload.len().min(CONTROL_BYTES)];
        let output = self.output_for_frames(cx);
        output.append(payload.len(), |out| write_frame(out, opcode, frame));
    }

    fn send_message(&mut self, cx: &mut Context, kind: Kind, payload: &[u8], compress: bool) {
        self.output_for_frames(cx);
        let (Some(output), Phase::WebSocket(socket)) = (&mut self.output, &mut self.phase) else {
            return;
        };
        output.append(payload.len(), |out| {
            let deflater = &mut cx.codecs.deflater;
            socket
                .encoder
                .write_message(out, kind, payload, compress, deflater);
        });
    }

    /// Sends a message that is worth a call of its own: without a copy, as far
    /// as the system takes it.
    fn send_long(&mut self, cx: &mut Context, kind: Kind, payload: Cow<'_, [u8]>) {
        let opcode = match kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        let head = ServerHead::new(opcode, false, payload.len());
        let head = head.bytes();
        let length = payload.len();
        let written = self.write_now(cx, head, &payload, length);
        if written == head.len() + length {
            return;
        }
        let skip = written.saturating_sub(head.len());
        let output = self.output_for_frames(cx);
        output.push_bytes(&head[written.min(head.len())..], 0);
        let credit = length - written.min(length);
        output.push(match payload {
            Cow::Owned(payload) => Piece::rest_of(payload, skip, credit),
            Cow::Borrowed(payload) => Piece::owned(payload[skip..].to_vec(), credit),
        });
    }

    /// Writes a frame that stands for so much payload, unless something waits
    /// before it; returns how many bytes of it were written.
    pub(super) fn write_now(
        &mut self,
        cx: &Context,
        head: &[u8],
        rest: &[u8],
        length: usize,
    ) -> usize {
        let written = self.try_write(head, rest);
        if written == 0 {
            return 0;
        }
        let is_whole = written == head.len() + rest.len();
        let payload = if is_whole {
            length
        } else {
            written.min(length)
        };
        let (index, now) = (self.index, cx.now_ms);
        if let Some(socket) = self.web_socket() {
            socket.wrote(&cx.shared.region, index, payload as u64, now);
        }
        written
    }

    /// Counts payload that is to be sent. False, and the socket is lost, if far
    /// too much waits.
    pub(super) fn may_send(&mut self, length: usize) -> bool {
        let Some(socket) = self.web_socket() else {
            return false;
        };
        let most = socket.limit.saturating_mul(2).saturating_add(BEYOND_LIMIT);
        let is_within = socket.limit == 0 || socket.waiting <= most;
        socket.waiting += length;
        if !is_within {
            self.over = Some(Over::Left);
        }
        is_within
    }

    fn close_web_socket(&mut self, cx: &mut Context, command: &Command<'_>) {
        let code = u16::try_from(command.word(4)).ok();
        let code = code.filter(|code| may_travel(*code));
        let reason = command.bytes(6, 0, command.word(5) as usize);
        let reason = String::from_utf8_lossy(reason.unwrap_or(b""));
        let output = self.output_for_frames(cx);
        output.append(0, |out| write_close(out, code, &reason));
        self.forsake_web_socket(cx, Stage::Closing);
    }

    /// Appends a pong to `cx.out`.
    pub(super) fn write_pong(&mut self, cx: &mut Context, payload: &[u8]) {
        write_frame(&mut cx.out, Opcode::Pong, payload);
    }

    /// Appends a ping to `cx.out`.
    pub(super) fn write_ping(&mut self, cx: &mut Context) {
        write_frame(&mut cx.out, Opcode::Ping, b"");
    }

    pub(super) fn output_for_frames(&mut self, cx: &mut Context) -> &mut Output {
        self.output.get_or_insert_with(|| cx.outputs.take())
    }
}
