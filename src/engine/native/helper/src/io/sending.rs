//! How a connection writes.

use std::borrow::Cow;
use std::io::{ErrorKind, IoSlice};

use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::exchange::Answer;
use super::file_transfer::{FILE_BUDGET, FilePart, SMALL_FILE};
use super::output::{Piece, Progress};
use crate::abi::{EVENT_WRITTEN, METRIC_BYTES_WRITTEN};

/// What a stream has written is told in portions of this, and at the end.
const CREDIT_BYTES: u64 = 64 * 1024;

impl Connection {
    /// Writes what was collected in `cx.out`, or keeps it.
    pub(super) fn emit(&mut self, cx: &mut Context) {
        if cx.out.is_empty() {
            return;
        }
        if let Some(output) = &mut self.output {
            output.push_bytes(&cx.out, 0);
        } else {
            match self.socket.write(&cx.out) {
                Ok(count) => {
                    self.count_written(count as u64);
                    if count < cx.out.len() {
                        self.keep(cx, count);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    self.keep(cx, 0);
                }
                Err(_) => self.over = Some(Over::Left),
            }
        }
        cx.out.clear();
    }

    pub(super) fn keep(&mut self, cx: &mut Context, written: usize) {
        let bytes = std::mem::take(&mut cx.out);
        self.output
            .get_or_insert_with(|| cx.outputs.take())
            .push_owned(bytes, written);
    }

    /// As `emit`, and `piece` behind it.
    pub(super) fn emit_with(&mut self, cx: &mut Context, piece: Piece) {
        let output = self.output.get_or_insert_with(|| cx.outputs.take());
        output.push_bytes(&cx.out, 0);
        output.push(piece);
        cx.out.clear();
    }

    /// As `emit`, and content behind it: from where it is, if it does not belong
    /// here, as far as the system takes it.
    pub(super) fn emit_content(&mut self, cx: &mut Context, content: Cow<'_, [u8]>) {
        let content = match content {
            Cow::Owned(content) => return self.emit_with(cx, Piece::owned(content, 0)),
            Cow::Borrowed(content) => content,
        };
        let head = cx.out.len();
        let count = self.try_write(&cx.out, content);
        if self.over.is_none() && count < head + content.len() {
            let output = self.output.get_or_insert_with(|| cx.outputs.take());
            output.push_bytes(&cx.out[count.min(head)..], 0);
            let rest = &content[count.saturating_sub(head)..];
            output.push(Piece::owned(rest.to_vec(), 0));
        }
        cx.out.clear();
    }

    /// Writes both unless something waits before them; how many bytes. The first
    /// may be empty.
    pub(super) fn try_write(&mut self, first: &[u8], second: &[u8]) -> usize {
        if self.output.is_some() || self.blocked {
            return 0;
        }
        let result = if first.is_empty() {
            self.socket.write(second)
        } else {
            let pieces = [IoSlice::new(first), IoSlice::new(second)];
            self.socket.write_pieces(&pieces, false)
        };
        match result {
            Ok(count) => {
                self.count_written(count as u64);
                count
            }
            Err(error) => {
                if error.kind() == ErrorKind::WouldBlock {
                    self.blocked = true;
                } else {
                    self.over = Some(Over::Left);
                }
                0
            }
        }
    }

    /// As `emit_with`; a small file goes out together with the head.
    pub(super) fn emit_file(&mut self, cx: &mut Context, mut part: FilePart) {
        if part.len() > SMALL_FILE {
            self.emit_with(cx, Piece::File(part));
        } else if part.read_to(&mut cx.out).is_err() {
            // Its length was promised.
            cx.out.clear();
            self.over = Some(Over::Left);
        }
    }

    /// Writes what was kept, as far as that is possible now.
    pub(super) fn write_once(&mut self, cx: &mut Context) {
        if self.output.is_some() && !self.blocked {
            self.write(cx);
        }
    }

    /// Writes what was kept. False if that is enough for this turn.
    pub(super) fn write(&mut self, cx: &mut Context) -> bool {
        let Some(output) = &mut self.output else {
            return true;
        };
        let (progress, written) = output.write_to(&self.socket, FILE_BUDGET);
        if let Phase::WebSocket(socket) = &mut self.phase {
            let payload = std::mem::take(&mut output.credit);
            let foreign = std::mem::take(&mut output.foreign);
            socket.foreign = socket.foreign.saturating_sub(foreign as usize);
            if written > 0 {
                socket.wrote(&cx.shared.region, self.index, payload, cx.now_ms);
            }
        }
        if let Phase::Exchange(exchange) = &mut self.phase
            && let Some(events) = &mut exchange.events
        {
            events.wrote(std::mem::take(&mut output.credit));
        }
        let mut credit = 0;
        if progress == Progress::Done || output.credit >= CREDIT_BYTES {
            credit = std::mem::take(&mut output.credit);
        }
        self.count_written(written);
        if credit > 0 {
            self.tell_written(cx, credit);
        }
        match progress {
            Progress::Done => {
                if let Some(output) = self.output.take() {
                    cx.outputs.give(output);
                }
            }
            Progress::Blocked => self.blocked = true,
            Progress::Yielded => {
                self.queue(cx);
                return false;
            }
            Progress::Broken => self.over = Some(Over::Left),
        }
        true
    }

    pub(super) fn count_written(&mut self, count: u64) {
        if count > 0 {
            self.progress = true;
            let bytes = self.socket.take_written(count);
            self.listener.metrics.add(METRIC_BYTES_WRITTEN, bytes);
        }
    }

    /// So much content of a streamed response is written.
    pub(super) fn tell_written(&mut self, cx: &mut Context, count: u64) {
        let is_streaming = matches!(
            &self.phase,
            Phase::Exchange(it) if matches!(it.answer, Answer::Stream(_)) && it.events.is_none()
        );
        if is_streaming {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            cx.events
                .send(EVENT_WRITTEN, 0, self.index, self.generation, count);
        }
    }
}
