//! One stream: a request and its answer.

use std::collections::VecDeque;
use std::task::{Context as Task, Poll, Waker};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};

use super::super::context::Context;
use super::super::deadlines::NEVER;
use super::super::event_stream::EventStream;
use super::super::exchange::Answer;
use super::super::file_transfer::FilePart;
use super::content::Content;
use super::session::Common;
use crate::abi::*;
use crate::http::Head;

/// What is handed to `h2` at a time: a file is read in such pieces.
const PIECE_BYTES: usize = 64 * 1024;
/// What a stream has written is told in portions of this, and at the end.
const CREDIT_BYTES: u64 = 64 * 1024;

/// The index that JavaScript knows a stream by, and its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Index of a connection.
    pub index: u32,
    /// Generation of the request.
    pub generation: u32,
}

/// A part of an answer's content.
pub enum Part {
    /// In memory.
    Bytes(Bytes),
    /// Of a file.
    File(FilePart),
}

/// A request that has found no room in the ring.
pub struct Held {
    /// Its head.
    pub head: Head,
    /// What the head's spans are in.
    pub text: Vec<u8>,
    /// Its content, if all of it is there.
    pub whole: Option<Vec<u8>>,
    /// Otherwise what is there.
    pub rest: Option<(h2::RecvStream, Vec<u8>)>,
}

impl Held {
    /// What may be sent to JavaScript.
    pub fn offer(&mut self) -> Offer<'_> {
        Offer {
            head: &self.head,
            text: &self.text,
            whole: self.whole.as_deref(),
            rest: &mut self.rest,
        }
    }
}

/// A request to be sent to JavaScript.
pub struct Offer<'a> {
    /// Its head.
    pub head: &'a Head,
    /// What the head's spans are in.
    pub text: &'a [u8],
    /// Its content, if all of it is there.
    pub whole: Option<&'a [u8]>,
    /// Otherwise what is there; taken if it was sent.
    pub rest: &'a mut Option<(h2::RecvStream, Vec<u8>)>,
}

/// How a stream is answered.
pub enum Sending {
    /// Not yet.
    Nothing(SendResponse<Bytes>),
    /// Its head is out.
    Head(SendStream<Bytes>),
}

/// Why a stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything was handed over.
    Done,
    /// The client does not want it any more, or it was cut.
    Gone,
    /// A deadline was missed.
    Deadline,
}

/// A stream.
pub struct Stream {
    /// JavaScript has the request.
    pub slot: Option<Slot>,
    /// The request, if it waits for room.
    pub held: Option<Box<Held>>,
    pub(super) sending: Sending,
    pub(super) content: Option<Box<Content>>,
    pub(super) answer: Answer,
    pub(super) is_head: bool,
    pub(super) notify: bool,
    /// Milliseconds without progress; 0 is any.
    pub(super) idle_timeout: u64,
    pub(super) active_at: u64,
    /// The answer is an event stream.
    pub(super) events: Option<Box<EventStream>>,
    parts: VecDeque<Part>,
    /// The end of the stream was handed over.
    pub(super) is_ended: bool,
    /// Bytes of content that were handed over and not told of.
    written: u64,
    /// Set when it is over.
    pub end: Option<End>,
}

impl Stream {
    /// A stream whose request was received.
    pub fn new(cx: &Context, common: &Common, respond: SendResponse<Bytes>, is_head: bool) -> Self {
        Self {
            slot: None,
            held: None,
            sending: Sending::Nothing(respond),
            content: None,
            answer: Answer::None,
            is_head,
            notify: false,
            idle_timeout: common.listener.idle_timeout,
            active_at: cx.now_ms,
            events: None,
            parts: VecDeque::new(),
            is_ended: false,
            written: 0,
            end: None,
        }
    }

    /// JavaScript has the request.
    pub fn begin(&mut self, cx: &Context, slot: Slot, content: Option<Box<Content>>) {
        self.slot = Some(slot);
        self.content = content;
        self.active_at = cx.now_ms;
    }

    /// Whether a command with this generation is about the request.
    pub fn is_current(&self, generation: u32) -> bool {
        self.end.is_none()
            && self.answer != Answer::Complete
            && self.slot.is_some_and(|slot| slot.generation == generation)
    }

    /// Appends to the answer.
    pub(super) fn push(&mut self, part: Part) {
        let is_empty = match &part {
            Part::Bytes(bytes) => bytes.is_empty(),
            Part::File(part) => part.is_done(),
        };
        if !is_empty {
            self.parts.push_back(part);
        }
    }

    /// Whether something waits for the client.
    pub(super) fn has_parts(&self) -> bool {
        !self.parts.is_empty()
    }

    /// Whether an answer was begun.
    pub fn is_answered(&self) -> bool {
        matches!(self.sending, Sending::Head(_))
    }

    /// Does what can be done now; whether that gave `h2` something to do.
    ///
    /// * `may_be_reset`: `h2` may have heard so from the client.
    pub fn advance(&mut self, cx: &mut Context, common: &mut Common, may_be_reset: bool) -> bool {
        if self.end.is_some() {
            return false;
        }
        if may_be_reset && self.was_reset() {
            self.end = Some(End::Gone);
            return false;
        }
        let content = self.content.as_mut();
        // The client is told that it may send more.
        let has_received = content.is_some_and(|content| content.receive(cx));
        let has_acted = self.send(cx, common) || has_received;
        if has_acted {
            self.active_at = cx.now_ms;
        }
        let is_blocked = self.has_parts();
        if let (Some(events), Some(slot)) = (&mut self.events, self.slot) {
            events.show_blocked(cx, slot.index, is_blocked);
        }
        if self.is_ended && self.answer == Answer::Complete && self.end.is_none() {
            self.end = Some(End::Done);
        }
        has_acted
    }

    fn was_reset(&mut self) -> bool {
        let task = &mut Task::from_waker(Waker::noop());
        let reset = match &mut self.sending {
            Sending::Nothing(respond) => respond.poll_reset(task),
            Sending::Head(stream) => stream.poll_reset(task),
        };
        matches!(reset, Poll::Ready(_))
    }

    fn send(&mut self, cx: &mut Context, common: &mut Common) -> bool {
        let Sending::Head(stream) = &mut self.sending else {
            return false;
        };
        let mut has_sent = false;
        while let Some(part) = self.parts.front_mut() {
            let wanted = match part {
                Part::Bytes(bytes) => bytes.len(),
                Part::File(_) if common.file_budget == 0 => {
                    common.wants_turn = true;
                    break;
                }
                Part::File(part) => usize::try_from(part.len()).unwrap_or(usize::MAX),
            };
            stream.reserve_capacity(wanted.min(PIECE_BYTES));
            let most = stream.capacity().min(wanted);
            if most == 0 {
                break;
            }
            let (piece, is_done) = match part {
                Part::Bytes(bytes) => (bytes.split_to(most), bytes.is_empty()),
                Part::File(part) => match part.read_some(most.min(common.file_budget)) {
                    Ok(bytes) => {
                        common.file_budget -= bytes.len();
                        (Bytes::from(bytes), part.is_done())
                    }
                    Err(_) => {
                        // Its length was promised.
                        self.reset(Reason::INTERNAL_ERROR);
                        return true;
                    }
                },
            };
            if is_done {
                self.parts.pop_front();
            }
            self.is_ended = self.parts.is_empty() && self.answer == Answer::Complete;
            match &mut self.events {
                // It is not told.
                Some(events) => events.wrote(piece.len() as u64),
                None => self.written += piece.len() as u64,
            }
            has_sent = true;
            if stream.send_data(piece, self.is_ended).is_err() {
                self.end = Some(End::Gone);
                return true;
            }
        }
        if self.parts.is_empty() && self.answer == Answer::Complete && !self.is_ended {
            self.is_ended = true;
            has_sent = true;
            if stream.send_data(Bytes::new(), true).is_err() {
                self.end = Some(End::Gone);
            }
        }
        self.tell_written(cx);
        has_sent
    }

    fn tell_written(&mut self, cx: &mut Context) {
        let is_due = self.parts.is_empty() || self.written >= CREDIT_BYTES;
        if let Answer::Stream(_) = self.answer
            && let Some(Slot { index, generation }) = self.slot
            && is_due
            && self.written > 0
        {
            let count = u32::try_from(std::mem::take(&mut self.written)).unwrap_or(u32::MAX);
            cx.events.send(EVENT_WRITTEN, 0, index, generation, count);
        }
    }

    /// Content of an answer that has none counts as written.
    pub(super) fn drop_content(&mut self, cx: &mut Context, count: usize) {
        self.written += count as u64;
        self.tell_written(cx);
    }

    /// Breaks the stream.
    pub fn reset(&mut self, reason: Reason) {
        match &mut self.sending {
            Sending::Nothing(respond) => respond.send_reset(reason),
            Sending::Head(stream) => stream.send_reset(reason),
        }
        self.end = Some(End::Gone);
    }

    /// JavaScript has taken content.
    pub fn content_taken(&mut self, cx: &Context, generation: u32) {
        if self.slot.is_some_and(|slot| slot.generation == generation)
            && let Some(content) = &mut self.content
        {
            content.release(cx);
            self.active_at = cx.now_ms;
        }
    }

    // -----------------------------------------------------------------------
    // Time
    // -----------------------------------------------------------------------

    /// When somebody should look.
    pub fn deadline(&self, common: &Common) -> u64 {
        let mut idle = match self.idle_timeout {
            0 => NEVER,
            timeout => self.active_at + timeout,
        };
        if let Some(events) = &self.events {
            idle = events.deadline(if self.has_parts() { idle } else { NEVER });
        }
        let rate = self
            .content
            .as_ref()
            .and_then(|content| content.rate_deadline());
        match rate {
            Some(at) if common.listener.plan.min_content_rate > 0 => idle.min(at),
            _ => idle,
        }
    }

    /// Breaks it if it is late.
    pub fn look_at_deadline(&mut self, cx: &Context, common: &Common) {
        let now = cx.now_ms;
        if self.end.is_some() || now < self.deadline(common) {
            return;
        }
        self.send_heartbeat(cx);
        if self.events.is_some() && now < self.deadline(common) {
            return;
        }
        let rate = common.listener.plan.min_content_rate;
        if rate > 0
            && let Some(content) = &mut self.content
            && content.rate_deadline().is_some_and(|at| at <= now)
            && content.is_fast_enough(rate, now)
            && now < self.deadline(common)
        {
            return;
        }
        // Not CANCEL, which some clients take for the end of the answer.
        self.reset(Reason::INTERNAL_ERROR);
        self.end = Some(End::Deadline);
    }

    // -----------------------------------------------------------------------
    // The end
    // -----------------------------------------------------------------------

    /// Tells everybody that it is over.
    pub fn close(&mut self, cx: &mut Context, common: &Common, end: End) {
        let metrics = &common.listener.metrics;
        if end == End::Deadline {
            metrics.add(METRIC_TIMEOUTS, 1);
        }
        let Some(Slot { index, generation }) = self.slot.take() else {
            return;
        };
        // First, so that JavaScript does not begin what it is told is over.
        common.next_generation(cx, index);
        common.forget_certificate(cx, index);
        metrics.subtract(METRIC_PENDING, 1);
        if let Some(content) = &self.content {
            content.forget(cx);
        }
        if let Some(events) = &mut self.events {
            events.show_blocked(cx, index, false);
        }
        match end {
            End::Done if self.notify => cx.events.send(EVENT_DONE, 0, index, generation, 0),
            End::Done => {}
            End::Gone | End::Deadline => {
                let is_deadline = u32::from(end == End::Deadline);
                cx.events
                    .send(EVENT_GONE, 0, index, generation, is_deadline);
            }
        }
        cx.indices.release(index);
    }
}
