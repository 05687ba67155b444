//! How a connection reads, and uses what it has read.

use std::io::ErrorKind;

use super::connection::{Connection, Over, Phase};
use super::context::{Context, READ_BYTES};
use super::exchange::Exchange;
use super::socket::Socket;
use crate::abi::METRIC_BYTES_READ;

/// Bytes read at a time while heads are expected: what a client sends ahead
/// must be kept.
const HEAD_READ_BYTES: usize = 16 * 1024;
/// The same for WebSockets while JavaScript does not keep up.
const CONGESTED_READ_BYTES: usize = 4096;
/// Answers that are collected before they are written.
const COLLECTED_BYTES: usize = 64 * 1024;

impl Connection {
    pub(super) fn wants_input(&self) -> bool {
        match &self.phase {
            // Who does not read answers is not read from.
            Phase::Head => self.output.is_none(),
            Phase::Exchange(Exchange {
                content: Some(content),
                ..
            }) => content.wants_input(),
            Phase::Http2(session) => session.wants_input(),
            Phase::WebSocket(socket) => socket.is_listening(),
            Phase::Awaiting { .. } | Phase::Draining { .. } | Phase::Lingering { .. } => true,
            Phase::Held { .. } | Phase::Exchange(_) | Phase::Ending => false,
        }
    }

    /// Uses input that is there, or reads some; whether there was any.
    pub(super) fn receive(&mut self, cx: &mut Context) -> bool {
        if self.fresh {
            self.fresh = false;
            if !self.input.is_empty() {
                let mut input = std::mem::take(&mut self.input);
                let used = self.consume(cx, input.bytes_mut());
                input.advance(used);
                self.input = input;
                self.emit(cx);
                return true;
            }
        }
        if self.ended {
            return self.input_ended(cx);
        }
        if !self.readable {
            return false;
        }
        if self.reads_left == 0 || !self.may_shake_hands(cx) {
            self.queue(cx);
            return false;
        }
        self.reads_left -= 1;
        self.read(cx);
        true
    }

    pub(super) fn read(&mut self, cx: &mut Context) {
        let size = match self.phase {
            Phase::WebSocket(_) if cx.is_congested() => CONGESTED_READ_BYTES,
            Phase::Exchange(_)
            | Phase::Draining { .. }
            | Phase::Lingering { .. }
            | Phase::Http2(_)
            | Phase::WebSocket(_) => READ_BYTES,
            _ => HEAD_READ_BYTES,
        };
        let mut buffer = std::mem::take(&mut cx.buffer);
        match self.socket.read(&mut buffer[..size]) {
            Ok(0) => {
                self.ended = true;
                self.hung_up = true;
                self.readable = false;
            }
            Ok(count) => {
                self.readable = self.socket.may_have_more(count == size, self.hung_up);
                self.progress |= self.counts_as_progress();
                let bytes = self.socket.take_read(count);
                self.listener.metrics.add(METRIC_BYTES_READ, bytes);
                if self.input.is_empty() {
                    let used = self.consume(cx, &mut buffer[..count]);
                    if used < count {
                        self.input.extend(&buffer[used..count]);
                    }
                    self.emit(cx);
                } else {
                    self.input.extend(&buffer[..count]);
                    self.fresh = true;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.read_nothing(),
            // An alert says so.
            Err(error) if error.kind() == ErrorKind::InvalidData && self.is_idle() => {
                self.has_unread = true;
                self.change(Phase::Ending);
            }
            Err(_) => self.over = Some(Over::Left),
        }
        cx.buffer = buffer;
    }

    /// There is nothing to read, but for what TLS has to say.
    fn read_nothing(&mut self) {
        self.readable = match self.socket {
            Socket::Plain(_) => false,
            Socket::Tls(_) => self.socket.may_have_more(false, self.hung_up),
        };
        let bytes = self.socket.take_read(0);
        if bytes > 0 {
            self.progress = true;
            self.listener.metrics.add(METRIC_BYTES_READ, bytes);
        }
    }

    /// Whether it is this connection's turn to go on with its TLS handshake, if
    /// there is one to go on with.
    fn may_shake_hands(&self, cx: &mut Context) -> bool {
        !self.socket.is_handshaking() || cx.handshakes.take()
    }

    /// Uses a prefix of `input`, through any number of requests; returns how
    /// many bytes that were. Answers are collected in `cx.out`. What was used
    /// may have been changed.
    pub(super) fn consume(&mut self, cx: &mut Context, input: &mut [u8]) -> usize {
        let mut used = 0;
        while self.over.is_none() {
            let rest = &mut input[used..];
            if rest.is_empty() {
                break;
            }
            match &mut self.phase {
                Phase::Head => {
                    if cx.out.len() >= COLLECTED_BYTES {
                        self.emit(cx);
                    }
                    if self.output.is_some() {
                        self.fresh = true;
                        break;
                    }
                    match self.take_head(cx, rest) {
                        Some(count) => used += count,
                        None => break,
                    }
                }
                Phase::Awaiting { needed } => {
                    if rest.len() < *needed {
                        break;
                    }
                    self.change(Phase::Head);
                }
                Phase::Exchange(Exchange {
                    content: Some(content),
                    ..
                }) if content.wants_input() => {
                    used += content.receive(cx, rest);
                }
                Phase::Draining { discard, .. } => match discard.feed(cx, rest) {
                    Ok(count) => {
                        used += count;
                        if discard.is_done() {
                            self.change(Phase::Head);
                        }
                    }
                    Err(_) => {
                        self.has_unread = true;
                        self.change(Phase::Ending);
                    }
                },
                Phase::Lingering { left, .. } => {
                    *left = left.saturating_sub(rest.len());
                    if *left == 0 {
                        self.over = Some(Over::Done);
                    }
                    used = input.len();
                }
                Phase::Http2(_) => used += self.receive_http2(cx, rest),
                Phase::WebSocket(socket) if socket.is_listening() => {
                    used += self.receive_frames(cx, rest);
                }
                Phase::Held { .. } | Phase::Exchange(_) | Phase::WebSocket(_) => break,
                Phase::Ending => used = input.len(),
            }
        }
        used
    }

    /// All input was read and used as far as possible; whether that changes
    /// anything.
    pub(super) fn input_ended(&mut self, cx: &mut Context) -> bool {
        match &mut self.phase {
            // A head that was begun is nobody's request.
            Phase::Head | Phase::Draining { .. } => self.change(Phase::Ending),
            Phase::Awaiting { .. } => {
                self.waited = true;
                self.change(Phase::Head);
            }
            Phase::Exchange(exchange) => {
                if let Some(content) = &mut exchange.content {
                    content.input_ended(cx);
                }
                return false;
            }
            Phase::Http2(_) => self.http2_ended(cx),
            Phase::WebSocket(_) => return self.frames_ended(cx),
            Phase::Lingering { .. } => self.over = Some(Over::Done),
            Phase::Held { .. } | Phase::Ending => return false,
        }
        true
    }

    /// Asks for another turn.
    pub(super) fn queue(&mut self, cx: &mut Context) {
        if !self.is_queued {
            self.is_queued = true;
            cx.ready.push(self.ticket());
        }
    }
}
