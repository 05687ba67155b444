//! Published messages that may be taken back, or come from a bus.
//!
//! What JavaScript here publishes it has counted, and it has dropped what its
//! clients are too slow for, unless there is a policy that makes room. What comes
//! from a bus nobody has counted: it is held to the same limit here.

use super::connection::{Connection, Over, Phase};
use super::context::Context;
use super::output::Output;
use super::published::{Freed, Message, Policy};
use super::web_socket::WebSocket;
use crate::websocket::Broadcast;

/// The last messages of many topics may be this much more than the limit.
const BEYOND_LIMIT: usize = 4 * 1024 * 1024;

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// JavaScript of this handle, which has counted it.
    Own,
    /// A bus.
    Bus,
}

impl WebSocket {
    /// More waits than may; by how much.
    fn excess(&self) -> usize {
        if self.limit == 0 {
            return 0;
        }
        (self.waiting + self.foreign).saturating_sub(self.limit)
    }
}

impl Connection {
    /// Sends a published message, if the client is not too slow for it.
    ///
    /// * `now`: nothing more follows that could go out with it.
    pub(super) fn send_published(
        &mut self,
        cx: &mut Context,
        message: &mut Broadcast,
        policy: &Policy,
        origin: Origin,
        now: bool,
    ) {
        let length = message.payload().len();
        let is_admitted = self.make_room(cx, policy, origin);
        if self.over.is_some() || origin == Origin::Own && !self.may_send(length) {
            return;
        }
        let index = self.index;
        let Some(socket) = self.web_socket() else {
            return;
        };
        if !is_admitted {
            if origin == Origin::Own {
                socket.deliver(&cx.shared.region, index, length);
            }
            return;
        }
        // What may be taken back must not be what later messages refer to.
        let is_plain = policy.takes_back() && socket.encoder.has_takeover();
        let frame = if is_plain {
            message.plain().clone()
        } else {
            message.frame_for(&mut socket.encoder, &mut cx.codecs.deflater)
        };
        let is_foreign = origin == Origin::Bus;
        let counted = if is_foreign { 0 } else { length };
        let mut written = 0;
        if now {
            written = self.write_now(cx, b"", &frame, counted);
            if written == frame.len() || self.over.is_some() {
                return;
            }
        }
        let credit = length - written.min(length);
        if is_foreign && let Some(socket) = self.web_socket() {
            socket.foreign += credit;
        }
        let message = Message::new(frame, written, credit, is_foreign, policy);
        self.output_for_frames(cx).push_message(message);
        self.advance_later(cx);
    }

    /// Makes room for a message in the way of its policy; whether it is to be
    /// sent.
    fn make_room(&mut self, cx: &mut Context, policy: &Policy, origin: Origin) -> bool {
        if self.excess() == 0 && !self.is_behind(policy) {
            return true;
        }
        // The system may not have been asked yet.
        self.write_once(cx);
        let excess = self.excess();
        if excess == 0 && !self.is_behind(policy) {
            return true;
        }
        match policy {
            Policy::DropOldest => {
                self.take_back(cx, |output| output.shed(excess));
                self.excess() == 0
            }
            Policy::Latest(topic) => {
                self.take_back(cx, |output| output.supersede(topic));
                self.excess() <= BEYOND_LIMIT
            }
            // JavaScript has decided.
            _ if origin == Origin::Own => true,
            Policy::DropNewest => {
                if self.web_socket().is_some_and(|socket| socket.is_cut) {
                    self.over = Some(Over::Left);
                }
                false
            }
            Policy::Disconnect => {
                self.over = Some(Over::Left);
                false
            }
        }
    }

    fn excess(&mut self) -> usize {
        self.web_socket().map_or(0, |socket| socket.excess())
    }

    /// Whether earlier messages of the topic are to be taken back in any case.
    fn is_behind(&self, policy: &Policy) -> bool {
        let is_behind = || self.output.as_ref().is_some_and(|it| it.is_behind());
        matches!(policy, Policy::Latest(_)) && is_behind()
    }

    fn take_back(&mut self, cx: &Context, take: impl FnOnce(&mut Output) -> Freed) {
        let (Some(output), Phase::WebSocket(socket)) = (&mut self.output, &mut self.phase) else {
            return;
        };
        let freed = take(output);
        socket.foreign = socket.foreign.saturating_sub(freed.foreign);
        socket.deliver(&cx.shared.region, self.index, freed.own);
    }
}
