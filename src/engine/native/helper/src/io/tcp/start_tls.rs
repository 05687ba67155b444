//! TLS that begins on a TCP connection later.

use super::super::context::Context;
use super::super::output::Output;
use super::super::socket::Socket;
use super::{End, TcpConnection};
use crate::abi::*;
use crate::ring::Command;
use crate::tls::client::ClientSession;

/// What is done before a connection becomes a TLS client.
pub(super) struct StartOfTls {
    pub(super) client: ClientSession,
    /// Bytes that JavaScript was sent and gives back, and those that it has.
    pub(super) owed: u32,
    pub(super) early: Vec<u8>,
    /// What is written over TLS.
    pub(super) output: Option<Box<Output>>,
}

impl TcpConnection {
    /// JavaScript wants TLS from here on. It begins when everything is written
    /// that was taken before, and JavaScript has given back what it was sent and
    /// has not handed to anybody: those bytes may be the server's first of TLS.
    pub(super) fn ask_tls(&mut self, cx: &Context, command: &Command<'_>) {
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

    pub(super) fn take_back(&mut self, cx: &Context, command: &Command<'_>) {
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
}
