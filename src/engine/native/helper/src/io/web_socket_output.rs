//! What is sent to a WebSocket's client.

use super::answer::Then;
use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::output::{Output, Piece};
use super::web_socket::Stage;
use crate::abi::*;
use crate::fault;
use crate::ring::Command;
use crate::websocket::close::{CONTROL_BYTES, may_travel};
use crate::websocket::encoder::{ServerHead, write_close, write_frame};
use crate::websocket::frame::Opcode;
use crate::websocket::{Broadcast, Kind};

/// Payload of a token up to this is copied, to go out together with others.
const COPIED_BYTES: usize = 16 * 1024;
/// The same for frames that many sockets share.
const COPIED_SHARED_BYTES: usize = 512;
/// JavaScript sends nothing while more than a socket's limit waits. Who has
/// this much more than twice the limit is lost.
const BEYOND_LIMIT: usize = 16 * 1024 * 1024;

/// A message for many sockets.
pub struct Many<'a> {
    /// The message.
    pub message: Broadcast,
    recipients: &'a [u8],
}

impl<'a> Many<'a> {
    /// Reads a command; None if it makes no sense.
    pub fn read(cx: &Context, command: &Command<'a>) -> Option<Self> {
        let length = command.word(4) as usize;
        let size = (command.word(6) as usize).checked_mul(8)?;
        let lent = take_lent(cx, command);
        let recipients = command.bytes(7, 0, size)?;
        let payload = match &lent {
            Some(lent) => lent,
            None => command.bytes(7, size, length)?,
        };
        let compress = command.flags & SEND_COMPRESSED != 0;
        Some(Self {
            message: Broadcast::new(kind_of(command), payload, compress),
            recipients,
        })
    }

    /// Connections and generations.
    pub fn recipients(&self) -> impl Iterator<Item = (u32, u32)> + use<'a> {
        let word = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | *byte as u32)
        };
        self.recipients
            .chunks_exact(8)
            .map(move |pair| (word(&pair[..4]), word(&pair[4..])))
    }
}

/// Takes the payload that a command has a token for.
pub fn take_lent(cx: &Context, command: &Command<'_>) -> Option<Vec<u8>> {
    if command.flags & RESPOND_CONTENT_TOKEN == 0 {
        return None;
    }
    // One that is not there is as good as empty.
    Some(cx.shared.lent.take(command.word(5)).unwrap_or_default())
}

fn kind_of(command: &Command<'_>) -> Kind {
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
            // It is one already.
            COMMAND_UPGRADE => {}
            _ => super::answer::discard(cx, command),
        }
        Then::AdvanceLater
    }

    fn send(&mut self, cx: &mut Context, command: &Command<'_>) {
        fault::point(fault::IO + 7);
        let lent = take_lent(cx, command);
        let length = command.word(4) as usize;
        let payload = match &lent {
            Some(lent) => Some(&lent[..]),
            None => command.bytes(6, 0, length),
        };
        let Some(payload) = payload else {
            self.over = Some(Over::Left);
            return;
        };
        if !self.may_send(payload.len()) {
            return;
        }
        let opcode = match command.flags & (SEND_PING | SEND_PONG) {
            0 => None,
            SEND_PING => Some(Opcode::Ping),
            _ => Some(Opcode::Pong),
        };
        if let Some(opcode) = opcode {
            let payload = &payload[..payload.len().min(CONTROL_BYTES)];
            let credit = payload.len();
            let output = self.output_for_frames(cx);
            return output.append(credit, |out| write_frame(out, opcode, payload));
        }
        let kind = kind_of(command);
        let compress = command.flags & SEND_COMPRESSED != 0;
        match lent {
            Some(lent) if !compress && lent.len() > COPIED_BYTES => {
                let opcode = match kind {
                    Kind::Text => Opcode::Text,
                    Kind::Binary => Opcode::Binary,
                };
                let head = ServerHead::new(opcode, false, lent.len());
                let credit = lent.len();
                let output = self.output_for_frames(cx);
                output.push_bytes(head.bytes(), 0);
                output.push(Piece::owned(lent, credit));
            }
            _ => self.send_message(cx, kind, payload, compress),
        }
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

    /// Sends a message that others are sent, too.
    pub(super) fn send_shared(&mut self, cx: &mut Context, message: &mut Broadcast) {
        let length = message.payload().len();
        if !self.may_send(length) {
            return;
        }
        let Some(socket) = self.web_socket() else {
            return;
        };
        let frame = message.frame_for(&mut socket.encoder, &mut cx.codecs.deflater);
        let output = self.output_for_frames(cx);
        if frame.len() <= COPIED_SHARED_BYTES {
            output.append(length, |out| out.extend_from_slice(&frame));
        } else {
            output.push(Piece::frame(frame, length));
        }
    }

    /// Counts payload that is to be sent. False, and the socket is lost, if far
    /// too much waits.
    fn may_send(&mut self, length: usize) -> bool {
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

    fn output_for_frames(&mut self, cx: &mut Context) -> &mut Output {
        self.output.get_or_insert_with(|| cx.outputs.take())
    }
}
