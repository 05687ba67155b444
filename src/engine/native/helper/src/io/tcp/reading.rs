//! What arrives on a TCP connection.

use std::io::{Error, ErrorKind};
use std::sync::Arc;

use super::super::context::{Context, READ_BYTES};
use super::super::deadlines::NEVER;
use super::super::events::Event;
use super::super::socket::Socket;
use super::{End, Origin, Shutdown, TcpConnection};
use crate::abi::*;
use crate::fault;

/// What is asked for at a time, at least and at most: it grows while the peer
/// fills it.
pub(super) const SMALLEST_READ: usize = 4 * 1024;
const LARGEST_READ: usize = 64 * 1024;
/// Reads in a row that leave most of the space empty before less is asked for.
const PATIENCE: u32 = 16;
/// Read at a time in a handshake: what came with its end is kept.
const EARLY_READ: usize = 16 * 1024;

/// Whether reading will not go on.
fn is_fatal(error: &Error) -> bool {
    error.kind() != ErrorKind::WouldBlock
}

impl TcpConnection {
    /// Reads once; whether it makes sense to go on.
    pub(super) fn receive(&mut self, cx: &mut Context) -> bool {
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
    pub(super) fn take_up(&mut self, offer: u32) -> bool {
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
}
