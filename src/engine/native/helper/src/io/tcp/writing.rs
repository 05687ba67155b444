//! What is sent on a TCP connection.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;

use super::super::context::Context;
use super::super::output::{Piece, Progress};
use super::{End, Origin, Shutdown, TcpConnection};
use crate::abi::*;
use crate::ring::Command;

/// So much is written without waiting for what may follow.
const LARGE: usize = 16 * 1024;

impl TcpConnection {
    /// Takes what a command writes.
    pub(super) fn take(&mut self, cx: &mut Context, command: &Command<'_>) {
        let length = command.word(4) as usize;
        let lent = if command.flags & RESPOND_CONTENT_TOKEN != 0 {
            cx.shared.lent.content_of(command, 5)
        } else {
            None
        };
        if self.shutdown != Shutdown::No || self.write_error.is_some() {
            return;
        }
        if let Some(start) = &mut self.start {
            let output = start.output.get_or_insert_with(|| cx.outputs.take());
            let bytes = match &lent {
                Some(bytes) => Some(&**bytes),
                None => command.bytes(6, 0, length),
            };
            if let Some(bytes) = bytes {
                output.append(bytes.len(), |out| out.extend_from_slice(bytes));
            }
            return;
        }
        let mut bytes = match lent {
            Some(Cow::Owned(bytes)) => {
                let length = bytes.len();
                let output = self.output.get_or_insert_with(|| cx.outputs.take());
                return output.push(Piece::owned(bytes, length));
            }
            Some(Cow::Borrowed(bytes)) => bytes,
            None => match command.bytes(6, 0, length) {
                Some(bytes) => bytes,
                None => return,
            },
        };
        let can_write = self.output.is_none() && !self.is_blocked && !self.is_handshaking;
        if bytes.len() >= LARGE && can_write {
            let count = self.write_at_once(cx, bytes);
            bytes = &bytes[count..];
        }
        if !bytes.is_empty() {
            let output = self.output.get_or_insert_with(|| cx.outputs.take());
            output.append(bytes.len(), |out| out.extend_from_slice(bytes));
        }
    }

    /// Writes from where JavaScript has put it, which spares a copy; how much.
    fn write_at_once(&mut self, cx: &mut Context, bytes: &[u8]) -> usize {
        match self.socket.write(bytes) {
            Ok(count) => {
                self.count_written(cx, count as u64, count as u32);
                count
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.is_blocked = true;
                0
            }
            Err(error) => {
                self.write_failed(error.raw_os_error().unwrap_or(0));
                bytes.len()
            }
        }
    }

    pub(super) fn write(&mut self, cx: &mut Context) {
        let Some(output) = &mut self.output else {
            return;
        };
        let (progress, written) = output.write_to(&self.socket, usize::MAX);
        let error = output.error;
        let credit = std::mem::take(&mut output.credit) as u32;
        if written > 0 {
            self.count_written(cx, written, credit);
        }
        match progress {
            Progress::Done => {
                if let Some(output) = self.output.take() {
                    cx.outputs.give(output);
                }
            }
            Progress::Blocked => self.is_blocked = true,
            Progress::Yielded => {}
            Progress::Broken => self.write_failed(error),
        }
    }

    fn count_written(&mut self, cx: &Context, written: u64, credit: u32) {
        let delivered = cx.shared.region.delivered(self.index);
        // Only this thread writes it.
        let count = delivered.load(Ordering::Relaxed).wrapping_add(credit);
        delivered.store(count, Ordering::Release);
        if self.is_closing {
            self.deadline = cx.now_ms + cx.shared.tcp_times.flush;
        }
        if let Origin::Accepted(listener) = &self.origin {
            let bytes = self.socket.take_written(written);
            listener.metrics.add(METRIC_BYTES_WRITTEN, bytes);
        }
    }

    /// What was written is lost. The peer may have sent something before it
    /// went away, which is read first, if somebody reads.
    pub(super) fn write_failed(&mut self, error: i32) {
        let error = if error == 0 { libc::EIO } else { error };
        self.output = None;
        if self.start.is_some() {
            self.over = Some(End::in_handshake(error));
            return;
        }
        if self.is_paused || self.ended || self.is_closing {
            self.over = Some(End::writing(error));
            return;
        }
        self.write_error = Some(error);
        self.readable = true;
    }

    /// Everything is written.
    pub(super) fn written(&mut self, cx: &mut Context) {
        if self.asks_drain && self.write_error.is_none() {
            self.asks_drain = false;
            let (connection, generation) = (self.index, self.generation);
            cx.events
                .send(EVENT_TCP_DRAIN, 0, connection, generation, 0);
        }
        if self.shutdown == Shutdown::Asked {
            self.shutdown = Shutdown::Done;
            self.socket.shutdown_write();
            if self.is_closing {
                self.linger(cx);
            }
        }
        if self.shutdown == Shutdown::Done && self.ended && self.failure.is_none() {
            self.over = Some(End::CLEAN);
        }
    }
}
