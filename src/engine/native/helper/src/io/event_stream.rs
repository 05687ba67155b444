//! Event streams (HTML, "server-sent events"): streamed answers of which many
//! clients get the same parts, and comments while there are none.
//!
//! What the parts are is the business of JavaScript.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::deadlines::NEVER;
use super::exchange::{Answer, Exchange, Stream};
use super::output::Piece;
use super::web_socket_output::take_lent;
use crate::http::write_chunk;
use crate::ring::Command;
use crate::websocket::SharedFrame;

/// Sent where there is nothing to send: a comment.
pub const HEARTBEAT: &[u8] = b":\n\n";
/// Parts up to this are copied for each of the streams that share them.
pub const COPIED_BYTES: usize = 512;
/// Bytes of a connection and its generation.
const RECIPIENT_BYTES: usize = 8;

/// A streamed answer that is an event stream.
pub struct EventStream {
    /// Milliseconds of silence until a comment is sent; 0 is never.
    heartbeat: u64,
    /// Who has more bytes waiting than this gets no more.
    limit: usize,
    /// Bytes that wait to be written.
    waiting: usize,
    /// When something was sent last.
    sent_at: u64,
    /// JavaScript sees that the client does not take what it is sent.
    is_blocked: bool,
}

impl EventStream {
    /// As a command asks for it.
    pub fn read(command: &Command<'_>, now: u64) -> Box<Self> {
        Box::new(Self {
            heartbeat: command.word(4).into(),
            limit: command.word(5) as usize,
            waiting: 0,
            sent_at: now,
            is_blocked: false,
        })
    }

    /// Whether so much waits that nothing may be added.
    pub fn is_over_limit(&self) -> bool {
        self.waiting > self.limit
    }

    /// Whether it is time for a comment; if so, it is sent, or something else
    /// waits that says as much.
    pub fn takes_beat(&mut self, now: u64) -> bool {
        let is_due = self.is_due(now);
        if is_due {
            self.sent_at = now;
        }
        is_due
    }

    /// Shows JavaScript whether the client of an index takes what it is sent.
    pub fn show_blocked(&mut self, cx: &Context, index: u32, is_blocked: bool) {
        if self.is_blocked != is_blocked {
            self.is_blocked = is_blocked;
            let word = cx.shared.region.blocked(index);
            word.store(is_blocked.into(), Ordering::Release);
        }
    }

    /// So many bytes are sent.
    pub fn will_send(&mut self, count: usize, now: u64) {
        self.waiting += count;
        self.sent_at = now;
    }

    /// So many bytes are written.
    pub fn wrote(&mut self, count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.waiting = self.waiting.saturating_sub(count);
    }

    /// When to look at it. `stalled`: when its client has taken nothing of what
    /// waits for too long.
    pub fn deadline(&self, stalled: u64) -> u64 {
        match self.heartbeat {
            0 => stalled,
            heartbeat => stalled.min(self.sent_at + heartbeat),
        }
    }

    fn is_due(&self, now: u64) -> bool {
        self.deadline(NEVER) <= now
    }
}

/// A part of event streams, framed once for all of them.
pub struct Part {
    plain: SharedFrame,
    chunk: OnceCell<SharedFrame>,
}

impl Part {
    /// Reads a command; None if it makes no sense.
    pub fn read(cx: &Context, command: &Command<'_>) -> Option<Self> {
        let plain = match take_lent(cx, command) {
            Some(lent) => lent.into_owned(),
            None => {
                let skip = recipient_bytes(command)?.len();
                let part = command.bytes(7, skip, command.word(4) as usize)?;
                part.to_vec()
            }
        };
        Some(Self {
            plain: Arc::new(plain),
            chunk: OnceCell::new(),
        })
    }

    /// As it goes out; None if the answer has no content.
    pub fn framed(&self, stream: Stream) -> Option<&SharedFrame> {
        match stream {
            Stream::UntilClose => Some(&self.plain),
            Stream::Chunked => Some(self.chunk.get_or_init(|| {
                let mut chunk = Vec::new();
                write_chunk(&mut chunk, &self.plain);
                Arc::new(chunk)
            })),
            Stream::Length(_) | Stream::Dropped => None,
        }
    }
}

/// The connections and generations that a command is for.
pub fn recipients<'a>(command: &Command<'a>) -> impl Iterator<Item = (u32, u32)> + use<'a> {
    let all = recipient_bytes(command).unwrap_or_default();
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap_or_default());
    all.chunks_exact(RECIPIENT_BYTES)
        .map(move |pair| (word(&pair[..4]), word(&pair[4..])))
}

fn recipient_bytes<'a>(command: &Command<'a>) -> Option<&'a [u8]> {
    let size = (command.word(6) as usize).checked_mul(RECIPIENT_BYTES)?;
    command.bytes(7, 0, size)
}

impl Connection {
    /// The streamed answer that was begun is an event stream.
    pub(super) fn become_event_stream(&mut self, cx: &Context, command: &Command<'_>) {
        if let Phase::Exchange(exchange) = &mut self.phase
            && matches!(exchange.answer, Answer::Stream(_))
        {
            exchange.events = Some(EventStream::read(command, cx.now_ms));
        }
    }

    /// Whether this is an event stream that JavaScript has, with this
    /// generation.
    pub(super) fn is_event_stream(&self, generation: u32) -> bool {
        generation == self.generation && self.event_stream().is_some()
    }

    /// How its content goes out, if it is an event stream that goes on.
    fn event_stream(&self) -> Option<(Stream, &EventStream)> {
        match &self.phase {
            Phase::Exchange(Exchange {
                answer: Answer::Stream(stream),
                events: Some(events),
                ..
            }) => Some((*stream, events)),
            _ => None,
        }
    }

    fn event_stream_mut(&mut self) -> Option<&mut EventStream> {
        match &mut self.phase {
            Phase::Exchange(exchange) => exchange.events.as_deref_mut(),
            _ => None,
        }
    }

    fn is_over_limit(&self) -> bool {
        self.event_stream()
            .is_some_and(|(_, events)| events.is_over_limit())
    }

    /// Sends a part that others are sent, too.
    pub(super) fn send_event(&mut self, cx: &mut Context, part: &Part) {
        if self.is_over_limit() {
            // Perhaps nobody has tried to write since.
            self.write_once(cx);
            if self.is_over_limit() {
                // It comes again, and asks for what it has missed.
                self.over = Some(Over::Left);
            }
        }
        if self.over.is_some() {
            return;
        }
        let Some((stream, _)) = self.event_stream() else {
            return;
        };
        let Some(frame) = part.framed(stream) else {
            return;
        };
        let length = frame.len();
        // Whoever had nothing to take has not been idle.
        self.progress |= self.output.is_none();
        if let Some(events) = self.event_stream_mut() {
            events.will_send(length, cx.now_ms);
        }
        let output = self.output_for_frames(cx);
        if length <= COPIED_BYTES {
            output.append(length, |out| out.extend_from_slice(frame));
        } else {
            output.push(Piece::frame(frame.clone(), 0, length));
        }
        self.advance_later(cx);
    }

    /// Sends a comment if that is due; whether it was sent.
    pub(super) fn send_heartbeat(&mut self, cx: &mut Context) -> bool {
        let now = cx.now_ms;
        let Some((stream, events)) = self.event_stream() else {
            return false;
        };
        if !events.is_due(now) {
            return false;
        }
        let is_idle = self.output.is_none();
        if is_idle {
            match stream {
                Stream::Chunked => write_chunk(&mut cx.out, HEARTBEAT),
                Stream::UntilClose => cx.out.extend_from_slice(HEARTBEAT),
                Stream::Length(_) | Stream::Dropped => {}
            }
            self.progress = true;
            self.emit(cx);
        }
        // While something waits, that says as much.
        if let Some(events) = self.event_stream_mut() {
            events.sent_at = now;
        }
        is_idle
    }

    /// Shows JavaScript whether the client of an event stream takes what it is
    /// sent.
    pub(super) fn show_blocked(&mut self, cx: &Context) {
        let is_slow = self.output.is_some() && self.blocked;
        let index = self.index;
        if let Some(events) = self.event_stream_mut() {
            events.show_blocked(cx, index, is_slow);
        }
    }
}
