//! What a WebSocket's client has sent, on its way to JavaScript.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::events::{Event, Events, Kept};
use crate::abi::*;
use crate::waiting_messages::{Key, WaitingMessages};
use crate::websocket::Kind;

/// While the ring is full, this much is kept for each socket before it is not
/// read from: enough for the pings of a client that has little to say.
const KEPT_BYTES: usize = 4096;
/// What keeping an event takes besides its bytes.
const KEPT_EVENT_BYTES: usize = 64;

/// Events of a socket, in order.
#[derive(Default)]
pub struct Inbox {
    /// Those that have found no room in the ring.
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    /// Long messages wait for JavaScript to take them, and too many.
    pub waits_for_taking: bool,
    /// It is among those that will be asked to try again.
    pub is_held: bool,
}

impl Inbox {
    /// Whether nothing more should come.
    pub fn is_full(&self) -> bool {
        self.kept_bytes >= KEPT_BYTES || self.waits_for_taking
    }

    /// Whether some events have found no room.
    pub fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Takes a message.
    pub fn message(
        &mut self,
        events: &mut Events,
        messages: &WaitingMessages,
        socket: Key,
        kind: Kind,
        payload: Cow<'_, [u8]>,
    ) {
        let mut flags = match kind {
            Kind::Text => MESSAGE_TEXT,
            Kind::Binary => 0,
        };
        let length = payload.len();
        if length <= INLINE_CONTENT {
            return self.push(events, EVENT_MESSAGE, flags, socket, length, &payload);
        }
        flags |= MESSAGE_WAITS;
        self.waits_for_taking = messages.push(socket, payload.into_owned());
        self.push(events, EVENT_MESSAGE, flags, socket, length, b"");
    }

    /// Takes a ping or a pong.
    pub fn control(&mut self, events: &mut Events, kind: u32, socket: Key, payload: &[u8]) {
        self.push(events, kind, 0, socket, payload.len(), payload);
    }

    fn push(
        &mut self,
        events: &mut Events,
        kind: u32,
        flags: u32,
        (connection, generation): Key,
        length: usize,
        rest: &[u8],
    ) {
        let event = Event {
            kind,
            flags,
            connection,
            generation,
            word: length as u32,
            rest,
        };
        if self.has_kept() || !events.try_send(event) {
            self.kept_bytes += rest.len() + KEPT_EVENT_BYTES;
            self.kept.push_back(event.into());
        }
    }

    /// Sends what was kept, as far as there is room; whether that was all.
    pub fn retry(&mut self, events: &mut Events) -> bool {
        while let Some(kept) = self.kept.front() {
            if !events.try_send(kept.event()) {
                return false;
            }
            self.kept.pop_front();
        }
        self.clear();
        true
    }

    /// Sends what was kept, whether or not there is room: the socket is over.
    pub fn send_all(&mut self, events: &mut Events) {
        for kept in &self.kept {
            events.send_event(kept.event());
        }
        self.clear();
    }

    fn clear(&mut self) {
        self.kept = VecDeque::new();
        self.kept_bytes = 0;
    }
}
