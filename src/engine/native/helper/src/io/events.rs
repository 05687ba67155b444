//! Events to JavaScript, in order, whether or not the ring has room.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::abi::*;
use crate::metrics::Waiting;
use crate::ring::EventWriter;

/// Requests or messages that are begun before JavaScript is told of them, so that it need
/// not wait for the end of a long turn.
const REQUESTS_PER_ANNOUNCEMENT: u32 = 64;

/// So many bytes count as a request, for that.
const BYTES_LIKE_A_REQUEST: usize = 8 * 1024;

/// Space for bytes that have arrived.
pub struct Data<'a> {
    count: &'a mut [u8; 4],
    /// Where they are read to.
    pub bytes: &'a mut [u8],
}

impl Data<'_> {
    /// So many have been.
    #[inline]
    pub fn set_count(&mut self, count: usize) {
        *self.count = (count as u32).to_le_bytes();
    }
}

/// An event of one word besides the first four, and bytes behind that.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// `EVENT_*`.
    pub kind: u32,
    /// Its flags.
    pub flags: u32,
    /// The connection.
    pub connection: u32,
    /// The generation.
    pub generation: u32,
    /// Word 4.
    pub word: u32,
    /// What follows.
    pub rest: &'a [u8],
}

/// One that has found no room.
#[derive(Debug)]
pub struct Kept {
    kind: u32,
    flags: u32,
    connection: u32,
    generation: u32,
    word: u32,
    rest: Box<[u8]>,
}

impl Kept {
    /// The event.
    pub fn event(&self) -> Event<'_> {
        Event {
            kind: self.kind,
            flags: self.flags,
            connection: self.connection,
            generation: self.generation,
            word: self.word,
            rest: &self.rest,
        }
    }
}

impl From<Event<'_>> for Kept {
    fn from(event: Event<'_>) -> Self {
        Self {
            kind: event.kind,
            flags: event.flags,
            connection: event.connection,
            generation: event.generation,
            word: event.word,
            rest: event.rest.into(),
        }
    }
}

/// Sends events. Requests and messages that find no room are held back by their
/// connection; the others are kept here, and requests wait until they are
/// through. A connection sends but a few others for each request.
pub struct Events {
    writer: EventWriter,
    backlog: VecDeque<Kept>,
    waiting: Arc<Waiting>,
    unannounced: u32,
    /// Bytes that JavaScript had not read when this last looked.
    pending: usize,
}

impl Events {
    /// The only sender for a ring.
    pub fn new(writer: EventWriter, waiting: Arc<Waiting>) -> Self {
        Self {
            writer,
            backlog: VecDeque::new(),
            waiting,
            unannounced: 0,
            pending: 0,
        }
    }

    /// Space for a request; None if there is no room now.
    #[inline]
    pub fn begin_request(
        &mut self,
        flags: u32,
        connection: u32,
        generation: u32,
        size: usize,
    ) -> Option<&mut [u8]> {
        if !self.backlog.is_empty() {
            return None;
        }
        let body = self
            .writer
            .begin(EVENT_REQUEST, flags, connection, generation, size)?;
        self.unannounced += 1;
        self.waiting.requests_sent(1);
        Some(body)
    }

    /// Whether so many requests and messages were begun that JavaScript should be told.
    #[inline]
    pub fn should_announce(&self) -> bool {
        self.unannounced >= REQUESTS_PER_ANNOUNCEMENT
    }

    /// Sends an event with one word, now or when there is room.
    pub fn send(&mut self, kind: u32, flags: u32, connection: u32, generation: u32, word: u32) {
        self.send_event(Event {
            kind,
            flags,
            connection,
            generation,
            word,
            rest: b"",
        });
    }

    /// Sends an event, now or when there is room.
    pub fn send_event(&mut self, event: Event<'_>) {
        if !self.try_send(event) {
            self.keep(event.into());
        }
    }

    /// Sends an event; false if there is no room now.
    pub fn try_send(&mut self, event: Event<'_>) -> bool {
        let is_sent = self.backlog.is_empty() && write(&mut self.writer, event);
        self.unannounced += u32::from(is_sent && event.kind == EVENT_MESSAGE);
        is_sent
    }

    /// Space for up to `size` bytes that a connection is read into; None if
    /// there is no room now. `end_data` must follow.
    #[inline]
    pub fn begin_data(
        &mut self,
        connection: u32,
        generation: u32,
        size: usize,
    ) -> Option<Data<'_>> {
        if !self.backlog.is_empty() {
            return None;
        }
        let body = self
            .writer
            .begin(EVENT_TCP_DATA, 0, connection, generation, 4 + size)?;
        let (count, bytes) = body.split_first_chunk_mut()?;
        // Should reading panic there is nothing in it.
        *count = [0; 4];
        Some(Data { count, bytes })
    }

    /// Ends what `begin_data` has begun with room for `size` bytes.
    #[inline]
    pub fn end_data(&mut self, size: usize, count: Option<usize>) {
        self.writer.shorten(4 + size, count.map(|count| 4 + count));
        self.unannounced += count.map_or(0, |count| 1 + (count / BYTES_LIKE_A_REQUEST) as u32);
    }

    /// Whether events wait for room.
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    fn keep(&mut self, event: Kept) {
        if let Some(last) = self.backlog.back_mut()
            && event.kind == EVENT_WRITTEN
            && last.kind == EVENT_WRITTEN
            && (last.connection, last.generation) == (event.connection, event.generation)
        {
            last.word = last.word.saturating_add(event.word);
        } else {
            self.backlog.push_back(event);
        }
    }

    /// Sends what was kept, as far as there is room; whether that was all.
    pub fn send_kept(&mut self) -> bool {
        while let Some(kept) = self.backlog.front() {
            if !write(&mut self.writer, kept.event()) {
                return false;
            }
            self.backlog.pop_front();
        }
        true
    }

    /// Whether JavaScript has read something since no room was found; true
    /// once.
    pub fn should_retry(&mut self) -> bool {
        self.writer.should_retry()
    }

    /// Publishes. True if JavaScript is to be woken in case it sleeps.
    #[inline]
    pub fn publish(&mut self, now: Instant) -> bool {
        self.unannounced = 0;
        if !self.writer.publish() {
            return false;
        }
        self.waiting.stall_began(now);
        self.pending = self.writer.pending_bytes();
        if self.pending == 0 {
            self.waiting.stall_ended(now);
        }
        true
    }

    /// Looks whether JavaScript has read events. False if some are left.
    #[inline]
    pub fn observe(&mut self, now: Instant) -> bool {
        if self.pending == 0 {
            return true;
        }
        let pending = self.writer.pending_bytes();
        if pending != self.pending {
            self.pending = pending;
            self.waiting.stall_ended(now);
            if pending > 0 {
                self.waiting.stall_began(now);
            }
        }
        pending == 0
    }

    /// Whether JavaScript had read everything when this last looked.
    #[inline]
    pub fn is_read(&self) -> bool {
        self.pending == 0
    }

    /// Since when JavaScript has not looked at its events, and how many of the
    /// requests sent it has not begun.
    pub fn waiting(&self) -> &Waiting {
        &self.waiting
    }
}

fn write(writer: &mut EventWriter, event: Event<'_>) -> bool {
    let Event {
        kind,
        flags,
        connection,
        generation,
        word,
        rest,
    } = event;
    match writer.begin(kind, flags, connection, generation, 4 + rest.len()) {
        Some(body) => {
            let (first, behind) = body.split_at_mut(4);
            first.copy_from_slice(&word.to_le_bytes());
            behind.copy_from_slice(rest);
            true
        }
        None => false,
    }
}
