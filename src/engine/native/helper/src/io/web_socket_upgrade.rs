//! The upgrade of a connection to a WebSocket (RFC 6455, 4.2.2).

use super::connection::{Connection, Phase};
use super::context::Context;
use super::deadlines::NEVER;
use super::exchange::Answer;
use super::web_socket::{WebSocket, send_closed};
use crate::abi::*;
use crate::http::{Framing, ResponseHead, write_head};
use crate::ring::Command;
use crate::websocket::close::ABNORMAL;
use crate::websocket::{
    Agreed, Compress, Decoder, Decompress, DeflateConfig, Encoder, IdleTimes, Limits, Negotiated,
    accept, negotiate,
};

/// What an UPGRADE command asks for.
struct Upgrade<'a> {
    lines: &'a [u8],
    key: &'a [u8],
    extensions: &'a [u8],
    deflate: Option<DeflateConfig>,
}

impl<'a> Upgrade<'a> {
    /// Reads the variable part of a command; None if it makes no sense.
    fn read(command: &Command<'a>) -> Option<Self> {
        let lengths = [4, 5, 6].map(|index| command.word(index) as usize);
        let deflate = command.flags & UPGRADE_DEFLATE != 0;
        Some(Self {
            lines: command.bytes(12, 0, lengths[0])?,
            key: command.bytes(12, lengths[0], lengths[1])?,
            extensions: command.bytes(12, lengths[0].checked_add(lengths[1])?, lengths[2])?,
            deflate: deflate.then(|| DeflateConfig {
                compress: match command.word(10) {
                    DEFLATE_NONE => Compress::Disable,
                    DEFLATE_SHARED => Compress::Shared,
                    memory => Compress::dedicated(memory),
                },
                decompress: match command.word(11) {
                    DEFLATE_NONE | DEFLATE_SHARED => Decompress::Shared,
                    memory => Decompress::dedicated(memory),
                },
            }),
        })
    }

    /// What is agreed on with the client; Err is the status that refuses it.
    fn negotiate(&self) -> Result<Option<Negotiated>, u16> {
        // What is no list of extensions is an error even if none is wanted.
        let config = self.deflate.unwrap_or(DeflateConfig {
            compress: Compress::Disable,
            decompress: Decompress::Shared,
        });
        let agreed = negotiate([self.extensions], &config).map_err(|_| 400u16)?;
        Ok(agreed.filter(|_| self.deflate.is_some()))
    }

    /// Appends the answer to `out`; false if its lines are invalid.
    fn write_answer(&self, out: &mut Vec<u8>, date: &[u8; 29], agreed: Option<&str>) -> bool {
        let mut lines = Vec::with_capacity(self.lines.len() + 256);
        lines.extend_from_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\n");
        lines.extend_from_slice(b"Sec-WebSocket-Accept: ");
        lines.extend_from_slice(accept(self.key).as_bytes());
        lines.extend_from_slice(b"\r\n");
        if let Some(agreed) = agreed {
            lines.extend_from_slice(b"Sec-WebSocket-Extensions: ");
            lines.extend_from_slice(agreed.as_bytes());
            lines.extend_from_slice(b"\r\n");
        }
        lines.extend_from_slice(self.lines);
        let head = ResponseHead {
            status: 101,
            lines: &lines,
            content_type: TYPE_NONE,
            framing: Framing::None,
            http_1_0: false,
            keep_alive: true,
            is_head: false,
            date,
        };
        write_head(out, &head).is_ok()
    }
}

/// An UPGRADE command came too late, or in vain: JavaScript has a socket that
/// must end.
pub fn refuse_stale(cx: &mut Context, command: &Command<'_>) {
    let key = (command.connection, command.generation);
    send_closed(cx, key, ABNORMAL, "");
}

impl Connection {
    /// Makes the connection a WebSocket, or refuses to.
    pub(super) fn upgrade(&mut self, cx: &mut Context, command: &Command<'_>) {
        let status = match self.try_upgrade(cx, command) {
            Ok(()) => return,
            Err(status) => status,
        };
        refuse_stale(cx, command);
        if let Some(status) = status {
            self.end_exchange(cx);
            self.next_generation(cx);
            self.refuse(cx, status);
            self.emit(cx);
        }
    }

    /// Err: the status that answers the request, unless it has an answer.
    fn try_upgrade(&mut self, cx: &mut Context, command: &Command<'_>) -> Result<(), Option<u16>> {
        let Phase::Exchange(exchange) = &self.phase else {
            return Err(None);
        };
        if exchange.answer != Answer::None {
            return Err(None);
        }
        if !exchange.asks_upgrade || exchange.content.is_some() {
            return Err(Some(400));
        }
        let upgrade = Upgrade::read(command).ok_or(Some(500))?;
        let negotiated = upgrade.negotiate()?;
        let date = cx.date();
        let response = negotiated.as_ref().map(|it| &*it.response);
        let start = cx.out.len();
        if !upgrade.write_answer(&mut cx.out, &date, response) {
            cx.out.truncate(start);
            return Err(Some(500));
        }
        self.end_exchange(cx);
        self.listener.metrics.count_status(101);
        let agreed = negotiated.map(|it| it.agreed);
        let mut socket = new_web_socket(command, agreed.as_ref());
        socket.hear(cx.now_ms);
        self.stop_until = NEVER;
        self.change(Phase::WebSocket(Box::new(socket)));
        // What `open` sends goes out together with this.
        let output = self.output.get_or_insert_with(|| cx.outputs.take());
        output.push_bytes(&cx.out, 0);
        cx.out.clear();
        Ok(())
    }

    /// JavaScript has answered the request, in another way than by a response.
    fn end_exchange(&mut self, cx: &mut Context) {
        self.count_pending(false);
        if let Phase::Exchange(exchange) = &self.phase
            && let Some(content) = &exchange.content
        {
            content.forget(cx);
        }
    }
}

fn new_web_socket(command: &Command<'_>, agreed: Option<&Agreed>) -> WebSocket {
    let limits = Limits {
        message_bytes: command.word(7) as usize,
        fragments: Limits::FRAGMENTS,
    };
    let idle = IdleTimes::from_milliseconds(
        command.word(9).into(),
        command.flags & UPGRADE_SEND_PINGS != 0,
    );
    let mut socket = WebSocket::new(
        Decoder::new(limits, agreed),
        Encoder::new(agreed),
        command.word(8) as usize,
        idle,
    );
    socket.is_cut = command.flags & UPGRADE_CLOSE_ON_LIMIT != 0;
    socket
}
