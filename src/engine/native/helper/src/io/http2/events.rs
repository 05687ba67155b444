//! Event streams over HTTP/2: their parts wait until the client's windows are
//! open, as many as the stream may have.

use bytes::Bytes;
use h2::Reason;

use super::super::context::Context;
use super::super::event_stream::{COPIED_BYTES, EventStream, HEARTBEAT, Part as EventPart};
use super::super::exchange::Answer;
use super::session::Common;
use super::stream::{Part, Stream};
use crate::ring::Command;
use crate::websocket::SharedFrame;

/// A part that others are sent, too.
struct Shared(SharedFrame);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Stream {
    /// The streamed answer that was begun is an event stream.
    pub(super) fn become_event_stream(&mut self, cx: &Context, command: &Command<'_>) {
        if let Answer::Stream(_) = self.answer {
            self.events = Some(EventStream::read(command, cx.now_ms));
        }
    }

    /// Sends a part that others are sent, too.
    pub fn send_event(&mut self, cx: &mut Context, common: &mut Common, part: &EventPart) {
        if self.is_over_limit() {
            // Perhaps nobody has tried to send it since.
            self.advance(cx, common, true);
            if self.is_over_limit() && self.end.is_none() {
                // It comes again, and asks for what it has missed.
                self.reset(Reason::INTERNAL_ERROR);
            }
        }
        if self.end.is_some() || self.events.is_none() {
            return;
        }
        let Answer::Stream(way) = self.answer else {
            return;
        };
        let Some(frame) = part.framed(way) else {
            return;
        };
        self.push_event(
            cx,
            if frame.len() <= COPIED_BYTES {
                Bytes::copy_from_slice(frame)
            } else {
                Bytes::from_owner(Shared(frame.clone()))
            },
        );
    }

    /// Sends a comment if that is due.
    pub(super) fn send_heartbeat(&mut self, cx: &Context) {
        let is_due = self
            .events
            .as_mut()
            .is_some_and(|events| events.takes_beat(cx.now_ms));
        if is_due && !self.has_parts() && matches!(self.answer, Answer::Stream(_)) {
            self.push_event(cx, Bytes::from_static(HEARTBEAT));
        }
    }

    fn push_event(&mut self, cx: &Context, bytes: Bytes) {
        if !self.has_parts() {
            // Who had nothing to take has not been idle.
            self.active_at = cx.now_ms;
        }
        self.will_send(cx, bytes.len());
        self.push(Part::Bytes(bytes));
    }

    /// So many bytes are added to the answer.
    pub(super) fn will_send(&mut self, cx: &Context, count: usize) {
        if let Some(events) = &mut self.events {
            events.will_send(count, cx.now_ms);
        }
    }

    fn is_over_limit(&self) -> bool {
        let events = self.events.as_ref();
        events.is_some_and(|events| events.is_over_limit())
    }
}
